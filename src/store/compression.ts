/** Decides whether bytes are worth compressing, and compresses them with zstd (RFC 8878). */
import { createRequire } from 'node:module';
import { ArtError } from '#base';

export const CODEC_NONE = 0;
export const CODEC_ZSTD = 1;
export type Codec = typeof CODEC_NONE | typeof CODEC_ZSTD;

// Level 3 is 7 % smaller than level 1 on source code, for 15 % more time.
const LEVEL = 3;
const SAMPLE_BYTES = 4096;
// Float weights lie at 7.3 bits a byte and gain 8 % for five times the time; text lies at 5, bfloat16 at 6.2.
const ENTROPY_BITS_MAX = 7;
/** A quarter of a sample decides unless it comes as close as this. */
const CLOSE_BITS = 0.5;

interface Zstd {
  compress(bytes: Uint8Array): Uint8Array;
  decompress(bytes: Uint8Array, rawBytes: number): Uint8Array;
}

let zstd: Zstd | undefined;

/** Loads the compressor; the functions below need it done. Node's own zstd where it has one, else WebAssembly. */
export async function loadCompression(): Promise<void> {
  zstd ??= (await nativeZstd()) ?? (await wasmZstd());
}

/** Compresses one frame of at most 1 MiB. */
export function compress(bytes: Uint8Array): Uint8Array {
  return loaded().compress(bytes);
}

/** Decompresses one frame to exactly `rawBytes` bytes, or raises PACK_CORRUPT. */
export function decompress(bytes: Uint8Array, rawBytes: number): Uint8Array {
  let raw: Uint8Array;
  try {
    raw = loaded().decompress(bytes, rawBytes);
  } catch (cause) {
    throw new ArtError('PACK_CORRUPT', 'a compressed frame cannot be decompressed', { cause });
  }
  if (raw.length !== rawBytes)
    throw new ArtError('PACK_CORRUPT', `a frame holds ${raw.length} bytes, not ${rawBytes}`);
  return raw;
}

function loaded(): Zstd {
  if (zstd === undefined) throw new Error('loadCompression was not awaited');
  return zstd;
}

interface NodeZstd {
  zstdCompressSync?: (bytes: Uint8Array, options: { params: Record<number, number> }) => Uint8Array;
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
  constants: { ZSTD_c_compressionLevel?: number };
}

async function nativeZstd(): Promise<Zstd | undefined> {
  const { zstdCompressSync, zstdDecompressSync, constants } =
    (await import('node:zlib')) as unknown as NodeZstd;
  if (!zstdCompressSync || !zstdDecompressSync || constants.ZSTD_c_compressionLevel === undefined)
    return undefined;
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  return {
    compress: (bytes) => zstdCompressSync(bytes, { params }),
    decompress: (bytes, rawBytes) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, rawBytes) }),
  };
}

async function wasmZstd(): Promise<Zstd> {
  const require = createRequire(import.meta.url);
  const { init, compress, decompress } = require('@bokuweb/zstd-wasm') as typeof import('@bokuweb/zstd-wasm');
  await init();
  return {
    compress: (bytes) => compress(bytes, LEVEL),
    decompress: (bytes, rawBytes) => {
      // The package takes memory by the size that the frame itself claims: look at it first.
      if (frameContentSize(bytes) !== rawBytes) throw new Error('the frame claims another size');
      return decompress(bytes);
    },
  };
}

/** The content size in a zstd frame header (RFC 8878, 3.1.1.1), or undefined if it is absent or no header is there. */
function frameContentSize(bytes: Uint8Array): number | undefined {
  if (bytes.length < 6 || bytes[0] !== 0x28 || bytes[1] !== 0xb5 || bytes[2] !== 0x2f || bytes[3] !== 0xfd)
    return undefined;
  const descriptor = bytes[4];
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3];
  const flag = descriptor >> 6;
  const at = 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (flag === 0) return singleSegment && at < bytes.length ? bytes[at] : undefined;
  if (at + (flag === 1 ? 2 : flag === 2 ? 4 : 8) > bytes.length) return undefined;
  if (flag === 1) return view.getUint16(at, true) + 256;
  if (flag === 2) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

const histogram = new Uint32Array(256);

/** Tells whether zstd is likely to pay: by the entropy of a piece from the middle, a longer one where that is close. */
export function looksCompressible(bytes: Uint8Array): boolean {
  if (bytes.length < 64) return true;
  const near = entropy(bytes, SAMPLE_BYTES / 4);
  if (Math.abs(near - ENTROPY_BITS_MAX) > CLOSE_BITS || bytes.length <= SAMPLE_BYTES / 4)
    return near < ENTROPY_BITS_MAX;
  return entropy(bytes, SAMPLE_BYTES) < ENTROPY_BITS_MAX;
}

/** The order-0 entropy (Shannon, 1948) in bits a byte of up to `most` bytes from the middle. */
function entropy(bytes: Uint8Array, most: number): number {
  const count = Math.min(bytes.length, most);
  const start = (bytes.length - count) >> 1;
  histogram.fill(0);
  for (let i = start; i < start + count; i++) histogram[bytes[i]]++;
  let sum = 0;
  for (let i = 0; i < 256; i++) if (histogram[i] > 1) sum += histogram[i] * Math.log2(histogram[i]);
  // A small sample shows less entropy than its source has, by about this much (Miller and Madow, 1955).
  const hidden = Math.min(255, count) / (2 * Math.LN2 * count);
  return Math.log2(count) - sum / count + hidden;
}
