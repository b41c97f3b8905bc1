/** Cuts rows into nodes, level by level: where a node begins is decided by keys alone. */
import { murmur3 } from '#base';
import { TreeInnerWriter, TreeLeafWriter, hash } from '#object';
import type { Digest, MapEntry, TreeChild } from '#object';
import type { NodeSink } from '#store';

/** A node has at least this many rows before a key may begin the next one. */
const ROWS_MIN = 32;
/** A key begins a node if these bits of its hash, seeded with the level, are 0: one in 128 does. */
const BOUNDARY_MASK = 0x7f;

/** What names a whole map. */
export interface MapRoot {
  readonly digest: Digest;
  /** Entries in it. */
  readonly count: number;
  /** Sum of their sizes. */
  readonly bytes: number;
}

/** A root as it came out of the levels. */
export interface FinishedRoot extends MapRoot {
  /** It was adopted, not made here, and may turn out to be an inner node with a single child. */
  readonly adopted: boolean;
}

/**
 * The open node of every level. Rows come in key order; a node is put into the sink when a row begins the next one, so
 * memory is one node a level. The same entries give the same nodes, however many of them were adopted whole.
 *
 * A row begins a node if the open one is full (1,024 rows; or 64 KiB, see `fits` of the writers) or if it has 32 rows
 * and the low 7 bits of murmur3(key, level) are 0. The bounds hold whatever keys a stranger may have crafted.
 */
export class Levels {
  readonly #sink: NodeSink;
  readonly #leaf = new TreeLeafWriter();
  readonly #inner: TreeInnerWriter[] = [];

  constructor(sink: NodeSink) {
    this.#sink = sink;
  }

  /** Takes the next entry; gives false, and takes nothing, if its key does not follow the last one. */
  add(entry: MapEntry): boolean {
    const leaf = this.#leaf;
    const key = entry.key;
    const shared = leaf.keys.sharedWith(key);
    if (!leaf.keys.follows(key, shared)) return false;
    if (leaf.rows > 0 && (isBoundary(leaf, key) || !leaf.fits(key.length, shared, entry.extra.length)))
      this.#close(0);
    leaf.add(entry, shared);
    return true;
  }

  /** The last key added by `add`. */
  get last(): Uint8Array {
    return this.#leaf.keys.last;
  }

  /**
   * Takes a whole node of `level` that exists already, if the node would be made here just so; gives false if not.
   * The caller knows that its entries come next, and that it ends where the same entry follows as when it was made.
   * `extraLength` is that of its first entry, where known: rarely false is given only for want of it.
   */
  adopt(level: number, child: TreeChild, extraLength: number | undefined): boolean {
    for (let below = 0; below <= level && below <= this.#inner.length; below++) {
      if (!this.#endsBefore(below, child.key, extraLength)) return false;
      if (this.#at(below).rows > 0) this.#close(below);
    }
    this.#push(level + 1, child);
    return true;
  }

  /** Closes every level. A map without entries is one empty leaf. */
  finish(): FinishedRoot {
    for (let level = 0; ; level++) {
      const node = this.#at(level);
      if (level < this.#inner.length) {
        if (node.rows > 0) this.#close(level);
        continue;
      }
      const { count, bytes } = node;
      if (node instanceof TreeInnerWriter && node.rows === 1) {
        return { digest: node.firstDigest(), count, bytes, adopted: true };
      }
      return { digest: this.#put(node), count, bytes, adopted: false };
    }
  }

  /** Whether the open node of `level` ends where `key` comes next. Anything but true may also mean: not known. */
  #endsBefore(level: number, key: Uint8Array, extraLength: number | undefined): boolean {
    const node = this.#at(level);
    if (node.rows === 0 || isBoundary(node, key)) return true;
    const shared = node.keys.sharedWith(key);
    return !node.fits(key.length, shared, level === 0 ? (extraLength ?? 0) : 0);
  }

  #at(level: number): TreeLeafWriter | TreeInnerWriter {
    return level === 0 ? this.#leaf : this.#inner[level - 1];
  }

  #close(level: number): void {
    const node = this.#at(level);
    // The key is a view of the node's own columns, copied by the level above before they are cleared.
    this.#push(level + 1, {
      key: node.keys.first,
      digest: this.#put(node),
      count: node.count,
      bytes: node.bytes,
    });
    node.clear();
  }

  #push(level: number, child: TreeChild): void {
    while (this.#inner.length < level) this.#inner.push(new TreeInnerWriter(this.#inner.length + 1));
    const node = this.#inner[level - 1];
    const shared = node.keys.sharedWith(child.key);
    if (node.rows > 0 && (isBoundary(node, child.key) || !node.fits(child.key.length, shared)))
      this.#close(level);
    node.add(child, shared);
  }

  #put(node: TreeLeafWriter | TreeInnerWriter): Digest {
    const bytes = node.encode();
    const digest = hash(bytes);
    this.#sink.putNode(digest, bytes);
    return digest;
  }
}

function isBoundary(node: TreeLeafWriter | TreeInnerWriter, key: Uint8Array): boolean {
  return node.rows >= ROWS_MIN && (murmur3(key, node.level) & BOUNDARY_MASK) === 0;
}
