/** Writes the nodes of a sorted map: collects rows in columns and encodes them. */
import { ArtError, ByteWriter } from '#base';
import { encodeNode } from './cbor.ts';
import type { Ext } from './cbor.ts';
import { DIGEST_BYTES } from './hash.ts';
import type { Digest } from './id.ts';
import { KEY_BYTES_MAX, KeyColumnWriter } from './key-column.ts';
import {
  EXECUTABLE,
  EXTRA_BYTES_MAX,
  EXTRA_ROW_BYTES,
  INNER_ROW_BYTES,
  LEAF_ROW_BYTES,
  TREE_FORMAT,
  TREE_LEVEL_MAX,
  kindIsKnown,
  shownKey,
  withinBounds,
} from './tree-entry.ts';
import type { MapEntry, TreeChild } from './tree-entry.ts';

/** Collects the rows of one leaf; the same writer then makes the next. Everything added is copied. */
export class TreeLeafWriter {
  readonly level = 0;
  readonly keys = new KeyColumnWriter();
  readonly #kinds = new ByteWriter();
  readonly #sizes = new ByteWriter();
  readonly #digests = new ByteWriter(8192);
  readonly #extras = new ByteWriter();
  #extrasEstimate = 0;
  #extraNext = 0;
  #bytes = 0;

  get rows(): number {
    return this.keys.rows;
  }

  /** Entries in it. */
  get count(): number {
    return this.keys.rows;
  }

  /** Sum of the sizes in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the node stays within its bounds with one more row; `shared` is what its key shares with the last. */
  fits(keyLength: number, shared: number, extraLength: number): boolean {
    const rows = this.keys.rows + 1;
    const text = this.keys.textBytes + this.#extrasEstimate + keyLength - shared;
    const extra = extraLength === 0 ? 0 : extraLength + EXTRA_ROW_BYTES;
    return withinBounds(rows, text + extra + rows * LEAF_ROW_BYTES, this.keys.fullBytes + keyLength);
  }

  /** Takes the next entry, or raises OBJECT_INVALID if it is impossible. */
  add(entry: MapEntry, shared: number): void {
    const kind = entry.kind | (entry.executable ? EXECUTABLE : 0);
    if (!isPossible(entry, kind))
      throw new ArtError('OBJECT_INVALID', `entry ${shownKey(entry.key)} is impossible`);
    this.keys.add(entry.key, shared);
    this.#kinds.u8(kind);
    this.#sizes.varint(entry.size);
    this.#digests.bytes(entry.digest);
    this.#bytes += entry.size;
    const extra = entry.extra;
    if (extra.length === 0) return;
    this.#extras.varint(this.keys.rows - 1 - this.#extraNext).sized(extra);
    this.#extrasEstimate += extra.length + EXTRA_ROW_BYTES;
    this.#extraNext = this.keys.rows;
  }

  /** The node's bytes; raises OBJECT_INVALID if the sum of sizes is past 2^53-1. */
  encode(ext: Ext = {}): Uint8Array {
    checkSum(this.#bytes);
    return encodeNode('treeLeaf', TREE_FORMAT, {
      ...this.keys.fields(),
      kinds: this.#kinds.view(),
      sizes: this.#sizes.view(),
      digests: this.#digests.view(),
      extras: this.#extras.view(),
      ext,
    });
  }

  clear(): void {
    this.keys.clear();
    this.#kinds.clear();
    this.#sizes.clear();
    this.#digests.clear();
    this.#extras.clear();
    this.#extrasEstimate = 0;
    this.#extraNext = 0;
    this.#bytes = 0;
  }
}

function isPossible(entry: MapEntry, kind: number): boolean {
  const { key, size, digest, extra } = entry;
  if (key.length === 0 || key.length > KEY_BYTES_MAX || kindIsKnown[kind] !== 1) return false;
  return (
    Number.isSafeInteger(size) &&
    size >= 0 &&
    digest.length === DIGEST_BYTES &&
    extra.length <= EXTRA_BYTES_MAX
  );
}

/** Collects the rows of one inner node, as TreeLeafWriter does those of a leaf. */
export class TreeInnerWriter {
  readonly level: number;
  readonly keys = new KeyColumnWriter();
  readonly #digests = new ByteWriter(8192);
  readonly #counts = new ByteWriter();
  readonly #sums = new ByteWriter();
  #count = 0;
  #bytes = 0;

  constructor(level: number) {
    if (level < 1 || level > TREE_LEVEL_MAX)
      throw new ArtError('OBJECT_INVALID', `a tree of level ${level} is too deep`);
    this.level = level;
  }

  get rows(): number {
    return this.keys.rows;
  }

  /** Entries below it. */
  get count(): number {
    return this.#count;
  }

  /** Sum of the sizes below it. */
  get bytes(): number {
    return this.#bytes;
  }

  fits(keyLength: number, shared: number): boolean {
    const rows = this.keys.rows + 1;
    const text = this.keys.textBytes + keyLength - shared;
    return withinBounds(rows, text + rows * INNER_ROW_BYTES, this.keys.fullBytes + keyLength);
  }

  add(child: TreeChild, shared: number): void {
    this.keys.add(child.key, shared);
    this.#digests.bytes(child.digest);
    this.#counts.varint(child.count);
    this.#sums.varint(child.bytes);
    this.#count += child.count;
    this.#bytes += child.bytes;
  }

  /** A copy of the first row's digest. */
  firstDigest(): Digest {
    return Uint8Array.from(this.#digests.view().subarray(0, DIGEST_BYTES));
  }

  /** The node's bytes; raises OBJECT_INVALID if the sum of sizes is past 2^53-1. */
  encode(ext: Ext = {}): Uint8Array {
    checkSum(this.#bytes);
    return encodeNode('treeInner', TREE_FORMAT, {
      ...this.keys.fields(),
      level: this.level,
      digests: this.#digests.view(),
      counts: this.#counts.view(),
      bytes: this.#sums.view(),
      ext,
    });
  }

  clear(): void {
    this.keys.clear();
    this.#digests.clear();
    this.#counts.clear();
    this.#sums.clear();
    this.#count = 0;
    this.#bytes = 0;
  }
}

/** Encodes a leaf of at most TREE_ROWS_MAX entries; raises OBJECT_INVALID if it would break a bound or the order. */
export function encodeTreeLeaf(entries: readonly MapEntry[], ext: Ext = {}): Uint8Array {
  const writer = new TreeLeafWriter();
  for (const entry of entries) writer.add(entry, checkedShared(writer, entry.key, entry.extra.length));
  return writer.encode(ext);
}

/** Encodes an inner node of 1 to TREE_ROWS_MAX children, which are nodes of `level` - 1. */
export function encodeTreeInner(level: number, children: readonly TreeChild[], ext: Ext = {}): Uint8Array {
  const writer = new TreeInnerWriter(level);
  for (const child of children) writer.add(child, checkedShared(writer, child.key, 0));
  return writer.encode(ext);
}

function checkedShared(
  writer: TreeLeafWriter | TreeInnerWriter,
  key: Uint8Array,
  extraLength: number,
): number {
  const shared = writer.rows === 0 ? 0 : writer.keys.sharedWith(key);
  if (!writer.fits(key.length, shared, extraLength))
    throw new ArtError('OBJECT_INVALID', 'tree node is too large');
  if (writer.rows > 0 && !writer.keys.follows(key, shared)) {
    throw new ArtError('OBJECT_INVALID', `key ${shownKey(key)} is not in order`);
  }
  return shared;
}

function checkSum(bytes: number): void {
  if (bytes > Number.MAX_SAFE_INTEGER)
    throw new ArtError('OBJECT_INVALID', 'sizes sum to more than can be counted');
}
