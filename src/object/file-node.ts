/** File nodes: the tree that lists the chunks of one long file, in order. */
import { ByteWriter, assert } from '#base';
import { decodeNode, encodeNode, nodeKindOf } from './cbor.ts';
import type { Ext, Fields } from './cbor.ts';
import { CHUNK_BYTES_MIN, CHUNKER_ID } from './chunker.ts';
import { DIGEST_BYTES, hash } from './hash.ts';
import { CHUNK_BYTES_MAX } from './id.ts';
import type { Digest } from './id.ts';
import { readVarints } from './varint-column.ts';

/** What the root alone says, of the file as a whole. */
export interface FileRoot {
  readonly size: number;
  /** Which rules cut it. */
  readonly chunker: number;
  /** BLAKE3 of the whole file. */
  readonly content: Digest;
}

/** One decoded node. A leaf (level 0) has a row a chunk, an inner node a row for each node of the level below. */
export interface FileNode {
  readonly level: number;
  readonly rows: number;
  /** 32 bytes a row. */
  readonly digests: Uint8Array;
  /** Bytes of the file that each row covers. */
  readonly sizes: Float64Array;
  /** Chunks that each row covers; absent in a leaf, where that is 1. */
  readonly counts: Float64Array | undefined;
  /** Sum of the sizes. */
  readonly size: number;
  /** Sum of the counts. */
  readonly count: number;
  /** Absent in all but the root. */
  readonly root: FileRoot | undefined;
  readonly ext: Ext;
}

/** No node has more rows. */
export const FILE_ROWS_MAX = 1024;
/** Levels are 0 to 7. */
export const FILE_LEVELS_MAX = 8;

/**
 * A row whose digest's last byte has these bits 0 is the last of its node, so equal runs of chunks give equal nodes.
 * From this level up only a full node ends: files of up to ~10 TB never get there, and a file crafted so that each
 * node has one row still keeps to FILE_LEVELS_MAX, as 1024^4 full rows cover 2^53 bytes of the shortest chunks.
 */
const END_BITS = 0x7f;
const END_LEVELS = 4;
const FORMAT = 1;

/** Decodes a node of a file, root or not, or raises OBJECT_INVALID. */
export function decodeFileNode(bytes: Uint8Array): FileNode {
  const isLeaf = nodeKindOf(bytes) === 'fileLeaf';
  const fields = decodeNode(isLeaf ? 'fileLeaf' : 'fileInner', FORMAT, bytes);
  const level = isLeaf ? 0 : fields.count('level', FILE_LEVELS_MAX - 1);
  if (!isLeaf && level === 0) throw fields.invalid('level');
  const digests = fields.bytes('digests', FILE_ROWS_MAX * DIGEST_BYTES);
  const rows = digests.length / DIGEST_BYTES;
  if (!Number.isInteger(rows) || rows === 0) throw fields.invalid('digests');
  for (let row = 0; row < rows - 1; row++) if (endsNode(level, digests, row)) throw fields.invalid('digests');
  const sizes = column(fields, isLeaf ? 'lengths' : 'sizes', rows);
  const counts = isLeaf ? undefined : column(fields, 'counts', rows);
  const root = fields.has('root') ? rootOf(fields.fields('root')) : undefined;
  const node: FileNode = {
    level,
    rows,
    digests,
    sizes,
    counts,
    size: sum(sizes),
    count: counts === undefined ? rows : sum(counts),
    root,
    ext: fields.ext(),
  };
  fields.done();
  checkSizes(fields, node);
  return node;
}

/** The digest of a row: a chunk's in a leaf, else a node's. */
export function fileRowDigest(node: FileNode, row: number): Digest {
  return node.digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
}

/** Tells whether `child` can be what `row` of `parent` names. */
export function isFileChild(parent: FileNode, row: number, child: FileNode): boolean {
  const fits = child.level === parent.level - 1 && child.root === undefined;
  return fits && child.size === parent.sizes[row] && child.count === parent.counts?.[row];
}

/**
 * Builds the nodes of one file from its chunks, in order, as they come. Holds one unfinished node a level: at most
 * FILE_LEVELS_MAX * FILE_ROWS_MAX rows. Nodes are put as soon as they are known, children before parents.
 */
export class FileNodeBuilder {
  readonly #put: (digest: Digest, bytes: Uint8Array) => void;
  readonly #levels: OpenNode[] = [];

  constructor(put: (digest: Digest, bytes: Uint8Array) => void) {
    this.#put = put;
  }

  /** Takes the file's next chunk; the digest is copied. */
  add(chunkDigest: Digest, length: number): void {
    assert(length > 0 && length <= CHUNK_BYTES_MAX && chunkDigest.length === DIGEST_BYTES);
    this.#add(0, chunkDigest, length, 1);
  }

  /**
   * Ends the file, whose BLAKE3 is `content`, and puts its root. The file must be longer than CHUNK_BYTES_MAX: a
   * shorter one is its chunk. The builder may then be used for another file.
   */
  finish({ content }: { readonly content: Digest }): { readonly digest: Digest; readonly size: number } {
    const top = () => this.#levels.findLastIndex((node) => node.rows > 0);
    for (let level = 0; level < top(); level++) this.#close(level);
    const node = this.#levels[top()];
    const size = node.size;
    assert(size > CHUNK_BYTES_MAX && content.length === DIGEST_BYTES);
    const digest = this.#write(node, { size, chunker: CHUNKER_ID, content });
    return { digest, size };
  }

  #add(level: number, digest: Digest, size: number, count: number): void {
    const node = (this.#levels[level] ??= new OpenNode(level));
    // A full node waits for one more row before it is put: the root is not known until no more come.
    if (node.ended) this.#close(level);
    node.add(digest, size, count);
  }

  #close(level: number): void {
    const node = this.#levels[level];
    const { size, count } = node;
    assert(level + 1 < FILE_LEVELS_MAX);
    this.#add(level + 1, this.#write(node, undefined), size, count);
  }

  #write(node: OpenNode, root: FileRoot | undefined): Digest {
    const bytes = node.encode(root);
    const digest = hash(bytes);
    this.#put(digest, bytes);
    node.clear();
    return digest;
  }
}

/** A node that takes rows. */
class OpenNode {
  readonly level: number;
  rows = 0;
  size = 0;
  count = 0;
  readonly #digests = new Uint8Array(FILE_ROWS_MAX * DIGEST_BYTES);
  readonly #sizes = new ByteWriter();
  readonly #counts = new ByteWriter(64);

  constructor(level: number) {
    this.level = level;
  }

  get ended(): boolean {
    return (
      this.rows === FILE_ROWS_MAX || (this.rows > 0 && endsNode(this.level, this.#digests, this.rows - 1))
    );
  }

  add(digest: Digest, size: number, count: number): void {
    this.#digests.set(digest, this.rows++ * DIGEST_BYTES);
    this.#sizes.varint(size);
    if (this.level > 0) this.#counts.varint(count);
    this.size += size;
    this.count += count;
  }

  encode(root: FileRoot | undefined): Uint8Array {
    const digests = this.#digests.subarray(0, this.rows * DIGEST_BYTES);
    const common = { digests, ext: {}, ...(root && { root: { ...root } }) };
    if (this.level === 0) return encodeNode('fileLeaf', FORMAT, { ...common, lengths: this.#sizes.view() });
    const columns = { level: this.level, sizes: this.#sizes.view(), counts: this.#counts.view() };
    return encodeNode('fileInner', FORMAT, { ...common, ...columns });
  }

  clear(): void {
    this.rows = this.size = this.count = 0;
    this.#sizes.clear();
    this.#counts.clear();
  }
}

function endsNode(level: number, digests: Uint8Array, row: number): boolean {
  return level < END_LEVELS && (digests[row * DIGEST_BYTES + DIGEST_BYTES - 1] & END_BITS) === 0;
}

function column(fields: Fields, key: string, rows: number): Float64Array {
  const numbers = new Float64Array(rows);
  readVarints(fields, key, fields.bytes(key, 8 * rows), numbers, rows);
  return numbers;
}

function sum(numbers: Float64Array): number {
  let total = 0;
  for (let i = 0; i < numbers.length; i++) total += numbers[i];
  return total;
}

function rootOf(fields: Fields): FileRoot {
  const root = {
    size: fields.count('size'),
    chunker: fields.count('chunker', 255),
    content: fields.digest('content'),
  };
  fields.done();
  return root;
}

/** What sizes and counts have to do with each other, with the level and with the root. */
function checkSizes(fields: Fields, node: FileNode): void {
  const { level, rows, sizes, counts, root } = node;
  const countMax = FILE_ROWS_MAX ** level;
  for (let row = 0; row < rows; row++) {
    const count = counts === undefined ? 1 : counts[row];
    if (count === 0 || count > countMax) throw fields.invalid('counts');
    // Only a file's last chunk is shorter than the shortest; it is one of these at most.
    const sizeMin = (count - 1) * CHUNK_BYTES_MIN + 1;
    if (sizes[row] < sizeMin || sizes[row] > count * CHUNK_BYTES_MAX) throw fields.invalid('sizes');
  }
  if (!Number.isSafeInteger(node.size)) throw fields.invalid('sizes');
  if (root === undefined) return;
  // A shorter file is one chunk, and a root with one child would be that child: one file, one name.
  if (root.size !== node.size || root.size <= CHUNK_BYTES_MAX || rows < 2) throw fields.invalid('root');
}
