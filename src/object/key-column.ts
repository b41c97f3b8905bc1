/** Packs ascending keys into three columns (shared prefix lengths, suffix lengths, suffix bytes) and unpacks them strictly. */
import { ByteWriter } from '#base';
import type { Fields } from './cbor.ts';
import { readVarints } from './varint-column.ts';

/** A key has 1 to this many bytes. */
export const KEY_BYTES_MAX = 65_535;
/** A node has at most this many rows. */
export const TREE_ROWS_MAX = 1_024;
/** The keys of one node, written out in full, take at most this much. */
export const TREE_KEYS_BYTES_MAX = 256 * 1024;

const LENGTHS_BYTES_MAX = 3 * TREE_ROWS_MAX;

/** Collects the keys of one node. */
export class KeyColumnWriter {
  readonly #prefixes = new ByteWriter();
  readonly #suffixes = new ByteWriter();
  readonly #text = new ByteWriter(4096);
  #last: Buffer = Buffer.allocUnsafe(256);
  #lastLength = 0;
  #firstLength = 0;
  #fullBytes = 0;
  rows = 0;

  /** Bytes of the suffixes so far. */
  get textBytes(): number {
    return this.#text.length;
  }

  /** Bytes of the keys so far, each written out in full. */
  get fullBytes(): number {
    return this.#fullBytes;
  }

  /** The first key: a view that the next `clear` ends. */
  get first(): Uint8Array {
    return this.#text.view().subarray(0, this.#firstLength);
  }

  /** The last key added, also after `clear`: a view that the next `add` ends. */
  get last(): Uint8Array {
    return this.#last.subarray(0, this.#lastLength);
  }

  /** How many bytes `key` shares with the last key added. */
  sharedWith(key: Uint8Array): number {
    const last = this.#last;
    const end = key.length < this.#lastLength ? key.length : this.#lastLength;
    let shared = 0;
    while (shared < end && last[shared] === key[shared]) shared++;
    return shared;
  }

  /** Whether `key`, which shares `shared` bytes with the last key, sorts after it. */
  follows(key: Uint8Array, shared: number): boolean {
    if (shared === key.length) return false;
    return shared === this.#lastLength || key[shared] > this.#last[shared];
  }

  /** Takes a key; `shared` is what `sharedWith` said of it. The bytes are copied. */
  add(key: Uint8Array, shared: number): void {
    if (this.rows++ === 0) {
      this.#firstLength = key.length;
      this.#prefixes.varint(0);
      this.#suffixes.varint(key.length);
      this.#text.bytes(key);
    } else {
      this.#prefixes.varint(shared);
      this.#suffixes.varint(key.length - shared);
      this.#text.bytes(shared === 0 ? key : key.subarray(shared));
    }
    this.#fullBytes += key.length;
    if (key.length > this.#last.length) this.#last = grown(this.#last, key.length);
    const last = this.#last;
    for (let i = shared; i < key.length; i++) last[i] = key[i];
    this.#lastLength = key.length;
  }

  fields(): { keys: Uint8Array; prefixes: Uint8Array; suffixes: Uint8Array } {
    return { keys: this.#text.view(), prefixes: this.#prefixes.view(), suffixes: this.#suffixes.view() };
  }

  /** Begins a new node; the last key is remembered, to tell whether the next one follows it. */
  clear(): void {
    this.#prefixes.clear();
    this.#suffixes.clear();
    this.#text.clear();
    this.#fullBytes = 0;
    this.rows = 0;
  }
}

function grown(buffer: Buffer, length: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.max(length, buffer.length * 2));
  buffer.copy(larger);
  return larger;
}

/** The keys of one decoded node, written out one after another. */
export class KeyColumn {
  readonly rows: number;
  /** Bytes of the suffixes alone. */
  readonly textBytes: number;
  readonly #bytes: Uint8Array;
  /** Key `i` lies from `#ends[i]` to `#ends[i + 1]`. */
  readonly #ends: Uint32Array;

  constructor(bytes: Uint8Array, ends: Uint32Array, textBytes: number) {
    this.#bytes = bytes;
    this.#ends = ends;
    this.rows = ends.length - 1;
    this.textBytes = textBytes;
  }

  /** Bytes of the keys, each written out in full. */
  get fullBytes(): number {
    return this.#bytes.length;
  }

  /** A view of key `row`. */
  at(row: number): Uint8Array {
    return this.#bytes.subarray(this.#ends[row], this.#ends[row + 1]);
  }

  /** Orders key `row` against `key` as compareBytes does. */
  compareAt(row: number, key: Uint8Array): number {
    const bytes = this.#bytes;
    const start = this.#ends[row];
    const length = this.#ends[row + 1] - start;
    const end = length < key.length ? length : key.length;
    for (let i = 0; i < end; i++) {
      const difference = bytes[start + i] - key[i];
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }

  /** The first row whose key is at least `key`; `rows` if there is none. */
  lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareAt(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The last row whose key is at most `key`, or the first row: where `key` is if it is below these keys at all. */
  rowHolding(key: Uint8Array): number {
    const row = this.lowerBound(key);
    return row < this.rows && this.compareAt(row, key) === 0 ? row : Math.max(0, row - 1);
  }

  /** Whether `count` keys from `row` on are those of `other` from `otherRow` on. */
  sameKeys(row: number, other: KeyColumn, otherRow: number, count: number): boolean {
    const [start, otherStart] = [this.#ends[row], other.#ends[otherRow]];
    for (let i = 1; i <= count; i++)
      if (this.#ends[row + i] - start !== other.#ends[otherRow + i] - otherStart) return false;
    const [end, otherEnd] = [this.#ends[row + count], other.#ends[otherRow + count]];
    return sameRange(this.#bytes, start, end, other.#bytes, otherStart, otherEnd);
  }

  /** Orders key `row` against key `otherRow` of `other`. */
  compareRows(row: number, other: KeyColumn, otherRow: number): number {
    const [start, otherStart] = [this.#ends[row], other.#ends[otherRow]];
    const [length, otherLength] = [this.#ends[row + 1] - start, other.#ends[otherRow + 1] - otherStart];
    const [mine, its] = [this.#bytes, other.#bytes];
    const end = length < otherLength ? length : otherLength;
    for (let i = 0; i < end; i++) {
      const difference = mine[start + i] - its[otherStart + i];
      if (difference !== 0) return difference;
    }
    return length - otherLength;
  }
}

/** Whether bytes are equal, without a view of either. */
export function sameRange(
  a: Uint8Array,
  aFrom: number,
  aTo: number,
  b: Uint8Array,
  bFrom: number,
  bTo: number,
): boolean {
  return Buffer.prototype.compare.call(a as Buffer, b, bFrom, bTo, aFrom, aTo) === 0;
}

const prefixLengths = new Float64Array(TREE_ROWS_MAX);
const suffixLengths = new Float64Array(TREE_ROWS_MAX);

/**
 * Reads the columns `keys`, `prefixes` and `suffixes` of a node of `rows` rows, or raises OBJECT_INVALID. Keys must
 * ascend strictly and share exactly what their prefix says, so that the same keys have one encoding.
 */
export function readKeys(fields: Fields, rows: number): KeyColumn {
  const text = fields.bytes('keys', TREE_KEYS_BYTES_MAX);
  readVarints(fields, 'prefixes', fields.bytes('prefixes', LENGTHS_BYTES_MAX), prefixLengths, rows);
  readVarints(fields, 'suffixes', fields.bytes('suffixes', LENGTHS_BYTES_MAX), suffixLengths, rows);
  const ends = new Uint32Array(rows + 1);
  let at = 0;
  let full = 0;
  for (let row = 0, previous = 0; row < rows; row++) {
    const prefix = prefixLengths[row];
    const suffix = suffixLengths[row];
    const length = prefix + suffix;
    if (prefix > previous) throw fields.invalid('prefixes');
    if (suffix === 0 || length > KEY_BYTES_MAX) throw fields.invalid('suffixes');
    at += suffix;
    full += length;
    previous = length;
    ends[row + 1] = full;
  }
  if (at !== text.length || full > TREE_KEYS_BYTES_MAX) throw fields.invalid('keys');
  return new KeyColumn(joinKeys(fields, text, ends), ends, text.length);
}

function joinKeys(fields: Fields, text: Uint8Array, ends: Uint32Array): Uint8Array {
  const rows = ends.length - 1;
  const bytes = new Uint8Array(ends[rows]);
  let from = 0;
  for (let row = 0, start = 0, previous = 0; row < rows; row++) {
    const prefix = prefixLengths[row];
    // The first byte that is not shared must exceed the one it stands for: that is both the order and the one encoding.
    if (prefix < start - previous && text[from] <= bytes[previous + prefix]) throw fields.invalid('keys');
    let to = start;
    if (prefix < 64) for (let i = previous; i < previous + prefix; i++) bytes[to++] = bytes[i];
    else {
      bytes.copyWithin(start, previous, previous + prefix);
      to += prefix;
    }
    const end = ends[row + 1];
    while (to < end) bytes[to++] = text[from++];
    previous = start;
    start = end;
  }
  return bytes;
}
