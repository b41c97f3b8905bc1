/** Stands at one place of a map, at a node not yet opened or at an entry, and moves on in key order. */
import { assert, compareBytes } from '#base';
import type { TreeInner, TreeLeaf, TreeNode } from '#object';
import { decodeChild } from './nodes.ts';
import type { KeySpan } from './range.ts';

/** An opened inner node and the child stood at. */
interface Frame {
  readonly node: TreeInner;
  row: number;
  /** Children read ahead, by row. */
  readonly ahead: Map<number, Uint8Array>;
}

/** One side of a comparison. Memory is one inner node and what was read ahead a level, and one leaf. */
export class Side {
  readonly #span: KeySpan;
  readonly #frames: Frame[] = [];
  #leaf: TreeLeaf | undefined;
  #row = 0;
  /** Rows of the leaf from this one on are past the span. */
  #end = 0;

  /** Stands at the first entry of `span`, or at the node that may hold it. */
  constructor(root: TreeNode | undefined, span: KeySpan) {
    this.#span = span;
    if (root !== undefined) this.#enter(root);
  }

  /** The key stood at: of the entry, or the first of the node. Undefined at the end. */
  get key(): Uint8Array | undefined {
    const frame = this.#frames.at(-1);
    const key = this.#leaf !== undefined ? this.#leaf.keys.at(this.#row) : frame?.node.keys.at(frame.row);
    const { until } = this.#span;
    return key === undefined || until === undefined || compareBytes(key, until) < 0 ? key : undefined;
  }

  /** The level of the node stood at; -1 for an entry. Means nothing at the end. */
  get level(): number {
    return this.#leaf !== undefined ? -1 : this.#frame.node.level - 1;
  }

  /** The leaf and the row of the entry stood at. */
  get entry(): { readonly leaf: TreeLeaf; readonly row: number } {
    assert(this.#leaf !== undefined, 'stands at an entry');
    return { leaf: this.#leaf, row: this.#row };
  }

  /** Whether both stand at a node, and the same. */
  sameNode(other: Side): boolean {
    if (this.#leaf !== undefined || other.#leaf !== undefined) return false;
    const [mine, its] = [this.#frame, other.#frame];
    return mine.node.sameDigest(mine.row, its.node, its.row);
  }

  /** Leaves the entry or the node stood at behind. */
  pass(): void {
    if (this.#leaf !== undefined) {
      if (++this.#row < this.#leaf.rows) return;
      this.#leaf = undefined;
    }
    let frame = this.#frames.at(-1);
    while (frame !== undefined && ++frame.row >= frame.node.rows) {
      this.#frames.pop();
      frame = this.#frames.at(-1);
    }
  }

  /** Leaves behind the entries that both have the same from here on, as far as both leaves go. */
  passSame(other: Side): void {
    const [mine, its] = [this.#leaf, other.#leaf];
    if (mine === undefined || its === undefined) return;
    const max = Math.min(this.#end - this.#row, other.#end - other.#row);
    const same = mine.sameRows(this.#row, its, other.#row, max);
    if (same === 0) return;
    this.#row += same - 1;
    other.#row += same - 1;
    this.pass();
    other.pass();
  }

  /**
   * What to read before `open`: nothing if the node stood at was read ahead, else it and up to `max` - 1 siblings that
   * `other` does not have in the same place as far as it is opened, and that will therefore be opened too.
   */
  wanted(
    other: Side,
    max: number,
  ): { readonly node: TreeInner; readonly rows: number[]; readonly ahead: Frame['ahead'] } {
    const { node, row, ahead } = this.#frame;
    const rows: number[] = [];
    if (ahead.has(row)) return { node, rows, ahead };
    const { until } = this.#span;
    const end = until === undefined ? node.rows : node.keys.lowerBound(until);
    const twin = other.#frames.find((frame) => frame.node.level === node.level)?.node;
    rows.push(row);
    for (let later = row + 1; later < end && rows.length < max; later++) {
      if (twin === undefined) {
        if (other.key !== undefined) break;
      } else {
        const place = twin.keys.lowerBound(node.keys.at(later));
        if (place === twin.rows) break;
        if (twin.keys.compareRows(place, node.keys, later) === 0 && twin.sameDigest(place, node, later))
          continue;
      }
      rows.push(later);
    }
    return { node, rows, ahead };
  }

  /** Opens the node stood at, which was read: stands at its first child or entry within the span. */
  open(): void {
    const { node, row, ahead } = this.#frame;
    const bytes = ahead.get(row);
    assert(bytes !== undefined, 'read before it is opened');
    ahead.delete(row);
    this.#enter(decodeChild(node, row, bytes));
  }

  #enter(node: TreeNode): void {
    const { from, until } = this.#span;
    if (node.kind === 'inner') {
      this.#frames.push({ node, row: node.keys.rowHolding(from), ahead: new Map() });
      return;
    }
    this.#leaf = node;
    this.#row = node.keys.lowerBound(from);
    this.#end = until === undefined ? node.rows : node.keys.lowerBound(until);
    if (this.#row < node.rows) return;
    this.#leaf = undefined;
    this.#row = -1;
    this.pass();
  }

  get #frame(): Frame {
    const frame = this.#frames.at(-1);
    assert(frame !== undefined, 'stands at a node');
    return frame;
  }
}
