/** Looks at zstd frames from outside (RFC 8878, 3.1.1), without decompressing them. */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** What every decompressor has to support (RFC 8878, 3.1.1.1.2). */
const WINDOW_BYTES_MAX = 8 * 1024 * 1024;
/** The most that a block may be, and that may come of it (3.1.1.2.4). Those that have the whole frame in memory do not look. */
const BLOCK_BYTES_MAX = 128 * 1024;
/** Of literals and sequences, of which there are none. */
const COMPRESSED_BYTES_MIN = 2;
const CHECKSUM_BYTES = 4;

/**
 * Whether `bytes` are one frame, of a kind that every decompressor reads, that says it holds `rawBytes` bytes, and nothing
 * before or behind it: of frames in a row, skippable ones and old formats each reads what it likes. What is inside compressed
 * blocks is not looked at: of broken ones, as no compressor makes them, one may read what another refuses.
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
  if (!isSingleSegment) {
    const window = windowBytes(bytes[at++]);
    // What lies further back than the window has passed out of some decompressors' memory, and not of others'.
    if (window > WINDOW_BYTES_MAX || window < rawBytes) return false;
  }
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 1 << sizeFlag;
  if (sizeBytes === 0 || at + sizeBytes > bytes.length) return false;
  if (littleEndian(bytes, at, sizeBytes) + (sizeFlag === 1 ? 256 : 0) !== rawBytes) return false;
  return (
    endOfBlocks(bytes, at + sizeBytes, Math.min(rawBytes, BLOCK_BYTES_MAX)) +
      (hasChecksum ? CHECKSUM_BYTES : 0) ===
    bytes.length
  );
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Where the last block ends; NaN if none does, or one is longer than `most` or no block at all. */
function endOfBlocks(bytes: Uint8Array, start: number, most: number): number {
  for (let at = start; at + 3 <= bytes.length;) {
    const header = littleEndian(bytes, at, 3);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === 3 || size > most || (type === 2 && size < COMPRESSED_BYTES_MIN)) return NaN;
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
