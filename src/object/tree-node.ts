/** Reads the nodes of a sorted map: leaves hold entries, inner nodes hold what is below them. */
import { EMPTY_BYTES, equalBytes } from '#base';
import { decodeNode, nodeKindOf } from './cbor.ts';
import type { Ext, Fields } from './cbor.ts';
import { DIGEST_BYTES } from './hash.ts';
import type { Digest } from './id.ts';
import { TREE_ROWS_MAX, readKeys, sameRange } from './key-column.ts';
import type { KeyColumn } from './key-column.ts';
import {
  EXECUTABLE,
  EXTRA_BYTES_MAX,
  EXTRA_ROW_BYTES,
  INNER_ROW_BYTES,
  LEAF_ROW_BYTES,
  TREE_BYTES_MAX,
  TREE_FORMAT,
  TREE_LEVEL_MAX,
  kindIsKnown,
  withinBounds,
} from './tree-entry.ts';
import type { EntryKind, MapEntry, TreeChild } from './tree-entry.ts';
import { readVarints } from './varint-column.ts';

/** So many rows are compared at once, as long as they are the same; then half as many, down to the one that is not. */
const SAME_ROWS_STEP = 32;
/** Four free rows with the longest extras fit in twice the bound. */
const NODE_EXTRAS_BYTES_MAX = 2 * TREE_BYTES_MAX;

/** A decoded leaf. What it hands out are views of its bytes: keep none longer than needed, or they stay in memory whole. */
export class TreeLeaf {
  readonly kind = 'leaf';
  readonly level = 0;
  readonly keys: KeyColumn;
  readonly ext: Ext;
  /** Sum of the sizes in it. */
  readonly bytes: number;
  readonly #kinds: Uint8Array;
  readonly #sizes: Float64Array;
  readonly #digests: Uint8Array;
  readonly #extras: Uint8Array;
  /** Where the extra of row `i` lies in `#extras`: from place 2i to place 2i + 1. Absent when no row has any. */
  readonly #extraSpans: Uint32Array | undefined;

  /** Reads the fields of a leaf, or raises OBJECT_INVALID. */
  constructor(fields: Fields) {
    this.#kinds = fields.bytes('kinds', TREE_ROWS_MAX);
    const rows = this.#kinds.length;
    for (let row = 0; row < rows; row++)
      if (kindIsKnown[this.#kinds[row]] === 0) throw fields.invalid('kinds');
    this.#digests = fields.bytes('digests', rows * DIGEST_BYTES);
    if (this.#digests.length !== rows * DIGEST_BYTES) throw fields.invalid('digests');
    this.#sizes = new Float64Array(rows);
    readVarints(fields, 'sizes', fields.bytes('sizes', 8 * rows), this.#sizes, rows);
    this.bytes = sumOf(fields, 'sizes', this.#sizes);
    this.keys = readKeys(fields, rows);
    this.#extras = fields.bytes('extras', NODE_EXTRAS_BYTES_MAX);
    const spans = readExtras(fields, this.#extras, rows);
    this.#extraSpans = spans?.spans;
    const estimate = this.keys.textBytes + (spans?.estimate ?? 0) + rows * LEAF_ROW_BYTES;
    if (!withinBounds(rows, estimate, this.keys.fullBytes)) throw fields.invalid('keys');
    this.ext = fields.ext();
    fields.done();
  }

  get rows(): number {
    return this.keys.rows;
  }

  /** Entries in it. */
  get count(): number {
    return this.keys.rows;
  }

  digestAt(row: number): Digest {
    return this.#digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
  }

  kindAt(row: number): EntryKind {
    return (this.#kinds[row] & ~EXECUTABLE) as EntryKind;
  }

  sizeAt(row: number): number {
    return this.#sizes[row];
  }

  extraAt(row: number): Uint8Array {
    const spans = this.#extraSpans;
    return spans === undefined ? EMPTY_BYTES : this.#extras.subarray(spans[2 * row], spans[2 * row + 1]);
  }

  entryAt(row: number): MapEntry {
    const kind = this.#kinds[row];
    return {
      key: this.keys.at(row),
      kind: (kind & ~EXECUTABLE) as EntryKind,
      executable: kind >= EXECUTABLE,
      size: this.#sizes[row],
      digest: this.digestAt(row),
      extra: this.extraAt(row),
    };
  }

  entries(): MapEntry[] {
    const all = new Array<MapEntry>(this.rows);
    for (let row = 0; row < all.length; row++) all[row] = this.entryAt(row);
    return all;
  }

  /** Whether row `row` says the same of its key as row `otherRow` of `other` says of its own. */
  sameValue(row: number, other: TreeLeaf, otherRow: number): boolean {
    if (this.#kinds[row] !== other.#kinds[otherRow] || this.#sizes[row] !== other.#sizes[otherRow])
      return false;
    if (!this.#sameDigests(row, other, otherRow, 1)) return false;
    if (this.#extraSpans === undefined && other.#extraSpans === undefined) return true;
    return equalBytes(this.extraAt(row), other.extraAt(otherRow));
  }

  /** How many rows from `row` on, at most `max`, have the keys and values of those of `other` from `otherRow` on. */
  sameRows(row: number, other: TreeLeaf, otherRow: number, max: number): number {
    let same = 0;
    for (let step = SAME_ROWS_STEP; same < max;) {
      const count = Math.min(step, max - same);
      if (this.#sameStep(row + same, other, otherRow + same, count)) same += count;
      else if (count === 1) break;
      else step = count >>> 1;
    }
    return same;
  }

  #sameStep(row: number, other: TreeLeaf, otherRow: number, count: number): boolean {
    for (let i = 0; i < count; i++) {
      if (this.#kinds[row + i] !== other.#kinds[otherRow + i]) return false;
      if (this.#sizes[row + i] !== other.#sizes[otherRow + i]) return false;
    }
    if (!this.#sameDigests(row, other, otherRow, count)) return false;
    if (!this.keys.sameKeys(row, other.keys, otherRow, count)) return false;
    if (this.#extraSpans === undefined && other.#extraSpans === undefined) return true;
    for (let i = 0; i < count; i++)
      if (!equalBytes(this.extraAt(row + i), other.extraAt(otherRow + i))) return false;
    return true;
  }

  #sameDigests(row: number, other: TreeLeaf, otherRow: number, count: number): boolean {
    const [from, otherFrom] = [row * DIGEST_BYTES, otherRow * DIGEST_BYTES];
    const bytes = count * DIGEST_BYTES;
    return sameRange(this.#digests, from, from + bytes, other.#digests, otherFrom, otherFrom + bytes);
  }
}

/** A decoded inner node. What it hands out are views of its bytes. */
export class TreeInner {
  readonly kind = 'inner';
  readonly level: number;
  readonly keys: KeyColumn;
  readonly ext: Ext;
  /** Entries below it. */
  readonly count: number;
  /** Sum of the sizes below it. */
  readonly bytes: number;
  readonly #digests: Uint8Array;
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;

  /** Reads the fields of an inner node, or raises OBJECT_INVALID. */
  constructor(fields: Fields) {
    this.level = fields.count('level', TREE_LEVEL_MAX);
    if (this.level === 0) throw fields.invalid('level');
    this.#digests = fields.bytes('digests', TREE_ROWS_MAX * DIGEST_BYTES);
    const rows = this.#digests.length / DIGEST_BYTES;
    if (!Number.isInteger(rows) || rows === 0) throw fields.invalid('digests');
    this.#counts = new Float64Array(rows);
    readVarints(fields, 'counts', fields.bytes('counts', 8 * rows), this.#counts, rows);
    this.count = sumOf(fields, 'counts', this.#counts);
    const countMax = TREE_ROWS_MAX ** this.level;
    for (const count of this.#counts) if (count === 0 || count > countMax) throw fields.invalid('counts');
    this.#sums = new Float64Array(rows);
    readVarints(fields, 'bytes', fields.bytes('bytes', 8 * rows), this.#sums, rows);
    this.bytes = sumOf(fields, 'bytes', this.#sums);
    this.keys = readKeys(fields, rows);
    const estimate = this.keys.textBytes + rows * INNER_ROW_BYTES;
    if (!withinBounds(rows, estimate, this.keys.fullBytes)) throw fields.invalid('keys');
    this.ext = fields.ext();
    fields.done();
  }

  get rows(): number {
    return this.keys.rows;
  }

  digestAt(row: number): Digest {
    return this.#digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
  }

  sameDigest(row: number, other: TreeInner, otherRow: number): boolean {
    const [from, otherFrom] = [row * DIGEST_BYTES, otherRow * DIGEST_BYTES];
    const [to, otherTo] = [from + DIGEST_BYTES, otherFrom + DIGEST_BYTES];
    return sameRange(this.#digests, from, to, other.#digests, otherFrom, otherTo);
  }

  childAt(row: number): TreeChild {
    return {
      key: this.keys.at(row),
      digest: this.digestAt(row),
      count: this.#counts[row],
      bytes: this.#sums[row],
    };
  }

  children(): TreeChild[] {
    const all = new Array<TreeChild>(this.rows);
    for (let row = 0; row < all.length; row++) all[row] = this.childAt(row);
    return all;
  }

  /** Whether `node` can be what row `row` names: the level below, the same first key, count and bytes. */
  isChild(row: number, node: TreeNode): boolean {
    if (node.level !== this.level - 1 || node.count !== this.#counts[row] || node.bytes !== this.#sums[row])
      return false;
    return this.keys.compareRows(row, node.keys, 0) === 0;
  }
}

export type TreeNode = TreeLeaf | TreeInner;

/** Decodes a node of a sorted map, or raises OBJECT_INVALID. Only a root may be a leaf without entries: check that above. */
export function decodeTreeNode(bytes: Uint8Array): TreeNode {
  if (nodeKindOf(bytes) === 'treeInner') return new TreeInner(decodeNode('treeInner', TREE_FORMAT, bytes));
  return new TreeLeaf(decodeNode('treeLeaf', TREE_FORMAT, bytes));
}

function sumOf(fields: Fields, key: string, numbers: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i];
  // Past 2^53 a sum may have been rounded, but never back to below it.
  if (sum > Number.MAX_SAFE_INTEGER) throw fields.invalid(key);
  return sum;
}

const extraPair = new Float64Array(2);

/** Reads `extras`: for each row that has one, the rows skipped since the last, its length, its bytes. */
function readExtras(
  fields: Fields,
  bytes: Uint8Array,
  rows: number,
): { spans: Uint32Array; estimate: number } | undefined {
  if (bytes.length === 0) return undefined;
  const spans = new Uint32Array(2 * rows);
  let estimate = 0;
  let row = 0;
  for (let at = 0; at < bytes.length; row++) {
    for (let i = 0; i < 2; i++) {
      let end = at;
      while (bytes[end] >= 0x80 && end - at < 8) end++;
      readVarints(fields, 'extras', bytes.subarray(at, end + 1), extraPair.subarray(i), 1);
      at = end + 1;
    }
    const [gap, length] = extraPair;
    row += gap;
    if (row >= rows || length === 0 || length > EXTRA_BYTES_MAX || length > bytes.length - at)
      throw fields.invalid('extras');
    spans[2 * row] = at;
    spans[2 * row + 1] = at + length;
    at += length;
    estimate += length + EXTRA_ROW_BYTES;
  }
  return { spans, estimate };
}
