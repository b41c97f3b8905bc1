/** Changes a map: reads and rewrites only the nodes that differ. */
import { assert, compareBytes } from '#base';
import type { Digest, MapEntry, TreeInner, TreeLeaf, TreeNode } from '#object';
import type { NodeSink, NodeSource } from '#store';
import { rootOf } from './find.ts';
import { Levels } from './levels.ts';
import type { MapRoot } from './levels.ts';
import { READ_AHEAD, decodeChild, loadRoot, readChildren } from './nodes.ts';

/** Sets the entry of `key`, which then has that key, or removes it with undefined; removing what is absent is fine. */
export interface MapEdit {
  readonly key: Uint8Array;
  readonly entry: MapEntry | undefined;
}

/**
 * Applies `changes`, which ascend strictly by key, to the map `root` and puts the nodes that are new. The result is, bit
 * for bit, the map that building from the changed entries gives. Nothing is read again through `source` that was put.
 */
export async function edit(
  source: NodeSource,
  sink: NodeSink,
  root: Digest,
  changes: readonly MapEdit[],
): Promise<MapRoot> {
  for (let i = 0; i < changes.length; i++) {
    const { key, entry } = changes[i];
    assert(i === 0 || compareBytes(changes[i - 1].key, key) < 0, 'changes ascend by key');
    assert(
      entry === undefined || compareBytes(entry.key, key) === 0,
      'a change sets the entry of its own key',
    );
  }
  if (changes.length === 0) return rootOf(source, root);
  return new Editor(source, sink, changes).edit(await loadRoot(source, root));
}

class Editor {
  readonly #source: NodeSource;
  readonly #levels: Levels;
  readonly #changes: readonly MapEdit[];
  /** Changes before this one are applied. */
  #next = 0;

  constructor(source: NodeSource, sink: NodeSink, changes: readonly MapEdit[]) {
    this.#source = source;
    this.#levels = new Levels(sink);
    this.#changes = changes;
  }

  async edit(root: TreeNode): Promise<MapRoot> {
    if (root.kind === 'leaf') this.#merge(root, undefined);
    else await this.#visit(root, undefined);
    const { digest, count, bytes, adopted } = this.#levels.finish();
    return adopted ? this.#lowered({ digest, count, bytes }) : { digest, count, bytes };
  }

  /** Goes below the children of `node`, whose keys are all less than `until`. */
  async #visit(node: TreeInner, until: Uint8Array | undefined): Promise<void> {
    const ahead = new Map<number, Uint8Array>();
    for (let row = 0; row < node.rows; row++) {
      const end = row + 1 < node.rows ? node.keys.at(row + 1) : until;
      const isTouched = this.#touches(this.#next, end);
      if (!isTouched && this.#levels.adopt(node.level - 1, node.childAt(row), undefined)) continue;
      if (!ahead.has(row)) await this.#readAhead(node, row, until, ahead);
      const child = decodeChild(node, row, ahead.get(row)!);
      ahead.delete(row);
      if (child.kind === 'inner') await this.#visit(child, end);
      // Reading an untouched leaf may have told what was not known of its first entry.
      else if (isTouched || !this.#levels.adopt(0, node.childAt(row), child.extraAt(0).length))
        this.#merge(child, end);
    }
  }

  /** Merges one leaf with the changes before `until`. */
  #merge(leaf: TreeLeaf, until: Uint8Array | undefined): void {
    const { keys } = leaf;
    let change = this.#changeBefore(until);
    for (let row = 0; row < leaf.rows; row++) {
      let order = 1;
      while (change !== undefined && (order = keys.compareAt(row, change.key)) > 0) {
        this.#apply(change);
        change = this.#changeBefore(until);
      }
      // A change of this very key takes the place of the row: it is applied before the next row, or below.
      if (change === undefined || order !== 0) this.#add(leaf.entryAt(row));
    }
    for (; change !== undefined; change = this.#changeBefore(until)) this.#apply(change);
  }

  #changeBefore(until: Uint8Array | undefined): MapEdit | undefined {
    const change = this.#changes[this.#next];
    if (change === undefined || until === undefined || compareBytes(change.key, until) < 0) return change;
    return undefined;
  }

  #apply(change: MapEdit): void {
    if (change.entry !== undefined) this.#add(change.entry);
    this.#next++;
  }

  #add(entry: MapEntry): void {
    const isNext = this.#levels.add(entry);
    assert(isNext, 'merged entries ascend');
  }

  /**
   * Whether the changes from `next` on reach a node whose keys are less than `end`. A change at `end` itself does: it may
   * take away, or make larger, the very entry that ended the node.
   */
  #touches(next: number, end: Uint8Array | undefined): boolean {
    const change = this.#changes[next];
    return change !== undefined && (end === undefined || compareBytes(change.key, end) <= 0);
  }

  /** Reads child `row` and, in the same call, the next few that will be needed because changes reach them. */
  async #readAhead(
    node: TreeInner,
    row: number,
    until: Uint8Array | undefined,
    ahead: Map<number, Uint8Array>,
  ): Promise<void> {
    const rows = [row];
    let next = this.#next;
    for (let later = row + 1; later < node.rows && rows.length < READ_AHEAD; later++) {
      next = this.#firstFrom(next, node.keys.at(later));
      if (next === this.#changes.length) break;
      if (this.#touches(next, later + 1 < node.rows ? node.keys.at(later + 1) : until)) rows.push(later);
      else later = Math.max(later, node.keys.rowHolding(this.#changes[next].key) - 2);
    }
    const read = await readChildren(this.#source, node, rows);
    for (let i = 0; i < rows.length; i++) ahead.set(rows[i], read[i]);
  }

  /** The first change from `next` on whose key is at least `key`. */
  #firstFrom(next: number, key: Uint8Array): number {
    let high = this.#changes.length;
    while (next < high) {
      const middle = (next + high) >>> 1;
      if (compareBytes(this.#changes[middle].key, key) < 0) next = middle + 1;
      else high = middle;
    }
    return next;
  }

  /** A node that stood beside others may stand alone now; as a root it has more than one child. */
  async #lowered(root: MapRoot): Promise<MapRoot> {
    let digest = root.digest;
    let node = await loadRoot(this.#source, digest);
    while (node.kind === 'inner' && node.rows === 1) {
      digest = node.digestAt(0);
      const [bytes] = await readChildren(this.#source, node, [0]);
      node = decodeChild(node, 0, bytes);
    }
    return { digest, count: root.count, bytes: root.bytes };
  }
}
