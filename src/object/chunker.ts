/** Cuts the bytes of files into chunks where their content says so (chunker id 1). */
import { assert } from '#base';
import { plainScanner, SCAN_BYTES_MAX } from './gear.ts';
import type { CandidateScanner } from './gear.ts';
import { wasmScanner } from './gear-wasm.ts';
import { CHUNK_BYTES_MAX } from './id.ts';

/** The number of these rules, which a file node records. */
export const CHUNKER_ID = 1;
/** No chunk but a file's last is shorter. */
export const CHUNK_BYTES_MIN = 16 * 1024;
/** Up to this length a chunk ends at a strict candidate only, beyond it at any: so most come out near it. */
export const CHUNK_BYTES_AVERAGE = 64 * 1024;

const SPACE_BYTES = 4 * 1024 * 1024;

export interface ChunkerOptions {
  /** Which scanner finds candidates; by default WASM where it runs. Cuts are the same. */
  readonly scanner?: 'plain' | 'wasm';
  /** The most that one `take` can bring in. */
  readonly spaceBytes?: number;
}

/**
 * Cuts one file after another, each given in pieces of any size:
 *
 *     chunker.reset();
 *     do {
 *       n = readSync(fd, chunker.space());
 *       for (i = 0, count = chunker.take(n, { last }); i < count; i++) use(chunker.chunk(i));
 *     } while (!last);
 *
 * There are two spaces, used in turn: the next may be filled while one takes in and uses what is in the other.
 *
 * A file of at most CHUNK_BYTES_MAX is one chunk, an empty file one empty chunk. In a longer file a chunk that starts
 * at s ends at the first candidate p with s + min <= p <= s + max that is strict if p - s <= average, else at s + max;
 * the file's end ends the last chunk. Candidates are those of gear.ts, and depend on the bytes near them alone.
 * Normalised cutting follows W. Xia et al., "FastCDC" (2016), with level 2.
 */
export class Chunker {
  readonly #scanner: CandidateScanner;
  /** Two spaces, before each the room for a chunk that the other left incomplete. */
  readonly #buffer: Uint8Array;
  readonly #spaceBytes: number;
  /** Ends of the chunks of the last `take`, offsets in the buffer. */
  readonly #ends: Uint32Array;
  #count = 0;
  /** Where the first of those chunks starts. */
  #first = 0;
  /** Where the chunk starts that is not complete, up to where bytes are scanned, and where bytes end. */
  #start = 0;
  #scanned = 0;
  #end = 0;
  /** Where the space begins that was given last, and how many given spaces were not taken in. */
  #space: number;
  #given = 0;
  /** Whether the file is known to be longer than one chunk. */
  #long = false;
  #ended = false;

  constructor(options: ChunkerOptions = {}) {
    this.#spaceBytes = options.spaceBytes ?? SPACE_BYTES;
    const bufferBytes = 2 * (CHUNK_BYTES_MAX + this.#spaceBytes);
    this.#scanner =
      (options.scanner === 'plain' ? undefined : wasmScanner(bufferBytes)) ?? plainScanner(bufferBytes);
    this.#buffer = this.#scanner.buffer;
    this.#ends = new Uint32Array(Math.ceil(bufferBytes / CHUNK_BYTES_MIN) + 1);
    this.#space = this.#otherSpace(0);
  }

  /** Which scanner it runs on. */
  get scanner(): 'plain' | 'wasm' {
    return this.#scanner.kind;
  }

  /** Forgets the file it was at; the next bytes are another's first. */
  reset(): void {
    this.#scanner.restart();
    this.#start = this.#scanned = this.#end = this.#space;
    this.#count = this.#given = 0;
    this.#long = this.#ended = false;
  }

  /** Where to put the file's next bytes, from its beginning; at most one space may be given beyond those taken in. */
  space(): Uint8Array {
    assert(!this.#ended, 'reset a chunker before its next file');
    assert(this.#given++ < 1, 'take in a space before the next');
    const space = this.#otherSpace(this.#space);
    return this.#buffer.subarray(space, space + this.#spaceBytes);
  }

  /**
   * Takes in the first `byteCount` bytes of the last `space`, once; `last` says that the file ends there.
   * Gives how many chunks are complete now, and ends the life of all views given before.
   */
  take(byteCount: number, { last }: { readonly last: boolean }): number {
    assert(byteCount >= 0 && byteCount <= this.#spaceBytes && !this.#ended);
    assert(this.#given-- === 1, 'call space before each take');
    this.#ended = last;
    this.#enter(this.#otherSpace(this.#space), byteCount);
    if (this.#long || this.#end - this.#start > CHUNK_BYTES_MAX) {
      this.#long = true;
      this.#cut();
      if (last && this.#start < this.#end) this.#endChunk(this.#end);
    } else if (last) {
      this.#endChunk(this.#end);
    }
    return this.#count;
  }

  /** The bytes of chunk `index` of the last `take`: a view that ends at the next `take` or `reset`. */
  chunk(index: number): Uint8Array {
    assert(index >= 0 && index < this.#count);
    return this.#buffer.subarray(index === 0 ? this.#first : this.#ends[index - 1], this.#ends[index]);
  }

  #otherSpace(space: number): number {
    return space === CHUNK_BYTES_MAX ? 2 * CHUNK_BYTES_MAX + this.#spaceBytes : CHUNK_BYTES_MAX;
  }

  // The bytes of `space` count as well, and before them stands the chunk that is not complete.
  #enter(space: number, byteCount: number): void {
    const moved = space - this.#end;
    this.#buffer.copyWithin(this.#start + moved, this.#start, this.#end);
    this.#space = space;
    this.#start += moved;
    this.#scanned += moved;
    this.#end = space + byteCount;
    this.#first = this.#start;
    this.#count = 0;
  }

  #cut(): void {
    while (this.#scanned < this.#end) {
      const length = Math.min(SCAN_BYTES_MAX, this.#end - this.#scanned);
      const found = this.#scanner.scan(this.#scanned, length);
      const { candidates } = this.#scanner;
      this.#scanned += length;
      for (let i = 0; i < found; i++) this.#consider(candidates[i] >>> 1, (candidates[i] & 1) === 1);
      while (this.#scanned - this.#start >= CHUNK_BYTES_MAX) this.#endChunk(this.#start + CHUNK_BYTES_MAX);
    }
  }

  #consider(position: number, strict: boolean): void {
    while (position - this.#start > CHUNK_BYTES_MAX) this.#endChunk(this.#start + CHUNK_BYTES_MAX);
    const length = position - this.#start;
    if (length >= CHUNK_BYTES_MIN && (strict || length > CHUNK_BYTES_AVERAGE)) this.#endChunk(position);
  }

  #endChunk(end: number): void {
    this.#ends[this.#count++] = end;
    this.#start = end;
  }
}

/**
 * The offsets in `bytes`, taken as a whole file, at which its chunks end; the last is its length. `pieces` are the
 * lengths in which it is fed, over and over; they change nothing.
 */
export function cutOffsets(
  bytes: Uint8Array,
  options: ChunkerOptions & { readonly pieces?: readonly number[] } = {},
): number[] {
  const chunker = new Chunker(options);
  const offsets: number[] = [];
  let taken = 0;
  let end = 0;
  for (let turn = 0; offsets.at(-1) !== bytes.length; turn++) {
    const space = chunker.space();
    const piece = options.pieces?.[turn % options.pieces.length] ?? space.length;
    const part = bytes.subarray(taken, taken + Math.min(piece, space.length));
    space.set(part);
    taken += part.length;
    const count = chunker.take(part.length, { last: taken === bytes.length });
    for (let i = 0; i < count; i++) offsets.push((end += chunker.chunk(i).length));
  }
  return offsets;
}
