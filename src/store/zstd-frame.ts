/** Looks at zstd frames from outside (RFC 8878, 3.1.1), without decompressing them. */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** 8 MiB: what every decompressor has to support (RFC 8878, 3.1.1.1.2). */
const WINDOW_LOG_MAX = 23;
const CHECKSUM_BYTES = 4;

/**
 * Whether `bytes` are one frame, of a kind that every decompressor reads, that says it holds `rawBytes` bytes, and nothing
 * before or behind it: of frames in a row, skippable ones and old formats each reads what it likes.
 */
export function isOneFrame(bytes: Uint8Array, rawBytes: number): boolean {
  if (bytes.length < 6 || MAGIC.some((byte, i) => bytes[i] !== byte)) return false;
  const descriptor = bytes[4];
  const sizeFlag = descriptor >> 6;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 0x04) !== 0;
  const isReserved = (descriptor & 0x08) !== 0;
  const hasDictionary = (descriptor & 0x03) !== 0;
  if (isReserved || hasDictionary) return false;
  let at = 5;
  if (!isSingleSegment && 10 + (bytes[at++] >> 3) > WINDOW_LOG_MAX) return false;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 1 << sizeFlag;
  if (sizeBytes === 0 || at + sizeBytes > bytes.length) return false;
  if (littleEndian(bytes, at, sizeBytes) + (sizeFlag === 1 ? 256 : 0) !== rawBytes) return false;
  return endOfBlocks(bytes, at + sizeBytes) + (hasChecksum ? CHECKSUM_BYTES : 0) === bytes.length;
}

/** Where the last block ends; NaN if none does. */
function endOfBlocks(bytes: Uint8Array, start: number): number {
  for (let at = start; at + 3 <= bytes.length;) {
    const header = littleEndian(bytes, at, 3);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3) return NaN;
    at += 3 + (type === 1 ? 1 : size); // One byte, repeated; else as many as it says.
    if ((header & 1) !== 0) return at;
  }
  return NaN;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
}
