/** Finds entries of one map one after the other; the next one near the last costs almost nothing. */
import type { Digest, MapEntry, TreeNode } from '#object';
import type { NodeSource } from '#store';
import { compareBytes } from '#base';
import { decodeChild, loadRoot, readChildren } from './nodes.ts';

/** A node on the way to where the last look-up ended, and the keys that can be below it: `from` up to `until`. */
interface Step {
  readonly node: TreeNode;
  readonly from: Uint8Array | undefined;
  readonly until: Uint8Array | undefined;
}

export class Lookup {
  readonly #source: NodeSource;
  readonly #root: Digest;
  readonly #steps: Step[] = [];

  constructor(source: NodeSource, root: Digest) {
    this.#source = source;
    this.#root = root;
  }

  /**
   * The first entry whose key is at least `key`, or undefined past the end; at once if it lies in the leaf that the last
   * one came from. Entries are views of their leaf.
   */
  firstFrom(key: Uint8Array): MapEntry | undefined | Promise<MapEntry | undefined> {
    while (this.#steps.length > 1 && !covers(this.#steps.at(-1)!, key)) this.#steps.pop();
    const last = this.#steps.at(-1);
    if (last?.node.kind !== 'leaf') return this.#descend(key);
    const row = last.node.keys.lowerBound(key);
    if (row < last.node.rows) return last.node.entryAt(row);
    return last.until === undefined ? undefined : this.firstFrom(last.until);
  }

  async #descend(key: Uint8Array): Promise<MapEntry | undefined> {
    if (this.#steps.length === 0)
      this.#steps.push({ node: await loadRoot(this.#source, this.#root), from: undefined, until: undefined });
    for (;;) {
      const { node, from, until } = this.#steps.at(-1)!;
      if (node.kind === 'leaf') return this.firstFrom(key);
      const row = node.keys.rowHolding(key);
      const [bytes] = await readChildren(this.#source, node, [row]);
      this.#steps.push({
        node: decodeChild(node, row, bytes),
        from: row === 0 ? from : node.keys.at(row),
        until: row + 1 < node.rows ? node.keys.at(row + 1) : until,
      });
    }
  }
}

function covers({ from, until }: Step, key: Uint8Array): boolean {
  return (
    (from === undefined || compareBytes(from, key) <= 0) &&
    (until === undefined || compareBytes(key, until) < 0)
  );
}
