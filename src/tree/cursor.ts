/** Walks a map in key order. */
import type { Digest, MapEntry, TreeLeaf, TreeNode } from '#object';
import type { NodeSource } from '#store';
import { READ_AHEAD, decodeChild, loadRoot, readChildren } from './nodes.ts';
import { spanOf } from './range.ts';
import type { KeySpan, MapRange } from './range.ts';

/** Rows of a leaf, from `start` to before `end`, and at least one. */
export interface LeafRows {
  readonly leaf: TreeLeaf;
  readonly start: number;
  readonly end: number;
}

/**
 * Yields the entries of `range` in key order, one batch a leaf and none empty. Entries are views of their leaf. Reads and
 * raises as `leaves` does.
 */
export async function* entries(
  source: NodeSource,
  root: Digest,
  range?: MapRange,
): AsyncGenerator<readonly MapEntry[], void, undefined> {
  for await (const { leaf, start, end } of leaves(source, root, range)) {
    const batch: MapEntry[] = [];
    for (let row = start; row < end; row++) batch.push(leaf.entryAt(row));
    yield batch;
  }
}

/**
 * Yields the leaves that hold the entries of `range`, in key order, for whoever takes one entry after the other. Reads
 * ahead 1, 2, 4 ... READ_AHEAD siblings, so that whoever wants only the first entries pays for few. Raises OBJECT_INVALID
 * for a tree that contradicts itself.
 */
export async function* leaves(
  source: NodeSource,
  root: Digest,
  range?: MapRange,
): AsyncGenerator<LeafRows, void, undefined> {
  yield* walk(source, await loadRoot(source, root), spanOf(range), { ahead: 1 });
}

async function* walk(
  source: NodeSource,
  node: TreeNode,
  span: KeySpan,
  pace: { ahead: number },
): AsyncGenerator<LeafRows, void, undefined> {
  if (node.kind === 'leaf') {
    const rows = rowsIn(node, span);
    if (rows.start < rows.end) yield rows;
    return;
  }
  const end = span.until === undefined ? node.rows : node.keys.lowerBound(span.until);
  for (let row = node.keys.rowHolding(span.from); row < end;) {
    const rows = Array.from({ length: Math.min(pace.ahead, end - row) }, (_, i) => row + i);
    const read = await readChildren(source, node, rows);
    for (let i = 0; i < rows.length; i++)
      yield* walk(source, decodeChild(node, rows[i], read[i]), span, pace);
    row += rows.length;
    pace.ahead = Math.min(2 * pace.ahead, READ_AHEAD);
  }
}

function rowsIn(leaf: TreeLeaf, { from, until }: KeySpan): LeafRows {
  const end = until === undefined ? leaf.rows : leaf.keys.lowerBound(until);
  return { leaf, start: leaf.keys.lowerBound(from), end };
}
