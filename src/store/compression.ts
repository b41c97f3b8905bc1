/** Decides whether bytes are worth compressing, and compresses them with zstd (RFC 8878). */
import { ArtError } from '#base';
import { wasmZstd } from './zstd-wasm.ts';

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

export interface Zstd {
  /** A view that the next call may overwrite. */
  compress(bytes: Uint8Array): Uint8Array;
  /** Gives how many bytes it wrote `into`; throws if that is too short, or at what is no frame. */
  decompress(bytes: Uint8Array, into: Uint8Array): number;
}

let native: Zstd | undefined;
let zstd: Zstd | undefined;

/** Loads the compressor; the functions below need it done. Node's own zstd where it has one, else WebAssembly. */
export async function loadCompression(): Promise<void> {
  if (zstd !== undefined) return;
  native = await nativeZstd();
  zstd = native ?? (await wasmZstd(LEVEL));
}

let twin: Promise<Zstd> | undefined;
let twinRaw = Buffer.alloc(0);

/**
 * Whether a frame that was decompressed to `raw` here is the same to the other zstd that art is run with: of frames broken
 * by intent one may read what another refuses. A Node without one of its own has none to ask, and says no.
 */
export async function isReadAlike(bytes: Uint8Array, raw: Uint8Array): Promise<boolean> {
  await loadCompression();
  if (native === undefined) return false;
  try {
    const other = await (twin ??= wasmZstd(LEVEL));
    if (twinRaw.length < raw.length) twinRaw = Buffer.alloc(raw.length);
    const length = other.decompress(bytes, twinRaw.subarray(0, raw.length));
    return length === raw.length && twinRaw.subarray(0, length).equals(raw);
  } catch {
    return false;
  }
}

/** Compresses one frame of at most 1 MiB. A view that the next call may overwrite. */
export function compress(bytes: Uint8Array): Uint8Array {
  return loaded().compress(bytes);
}

/** Decompresses one frame, which is to fill `into` exactly, or raises PACK_CORRUPT. */
export function decompress(bytes: Uint8Array, into: Uint8Array): void {
  let length: number;
  try {
    length = loaded().decompress(bytes, into);
  } catch (cause) {
    throw new ArtError('PACK_CORRUPT', 'a compressed frame cannot be decompressed', { cause });
  }
  if (length !== into.length)
    throw new ArtError('PACK_CORRUPT', `a frame holds ${length} bytes, not ${into.length}`);
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
  // What it has depends on the Node; only who compresses or decompresses needs it.
  const { zstdCompressSync, zstdDecompressSync, constants } =
    (await import('node:zlib')) as unknown as NodeZstd;
  if (!zstdCompressSync || !zstdDecompressSync || constants.ZSTD_c_compressionLevel === undefined)
    return undefined;
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  return {
    compress: (bytes) => zstdCompressSync(bytes, { params }),
    decompress(bytes, into) {
      const raw = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, into.length) });
      into.set(raw);
      return raw.length;
    },
  };
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
