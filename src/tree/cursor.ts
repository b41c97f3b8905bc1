/** Walks a map in key order. */
import type { Digest, MapEntry, TreeLeaf, TreeNode } from '#object';
import type { NodeSource } from '#store';
import { READ_AHEAD, decodeChild, loadRoot, readChildren } from './nodes.ts';
import { spanOf } from './range.ts';
import type { KeySpan, MapRange } from './range.ts';

/**
 * Yields the entries of `range` in key order, one batch a leaf and none empty. Reads ahead 1, 2, 4 ... READ_AHEAD siblings,
 * so that whoever wants only the first entries pays for few. Entries are views of their leaf. Raises OBJECT_INVALID for
 * a tree that contradicts itself.
 */
export async function* entries(
  source: NodeSource,
  root: Digest,
  range?: MapRange,
): AsyncGenerator<readonly MapEntry[], void, undefined> {
  yield* walk(source, await loadRoot(source, root), spanOf(range), { ahead: 1 });
}

async function* walk(
  source: NodeSource,
  node: TreeNode,
  span: KeySpan,
  pace: { ahead: number },
): AsyncGenerator<readonly MapEntry[], void, undefined> {
  if (node.kind === 'leaf') {
    const batch = entriesIn(node, span);
    if (batch.length > 0) yield batch;
    return;
  }
  const end = span.until === undefined ? node.rows : node.keys.lowerBound(span.until);
  for (let row = node.keys.rowHolding(span.from); row < end;) {
    const rows = Array.from({ length: Math.min(pace.ahead, end - row) }, (_, i) => row + i);
    const read = await readChildren(source, node, rows);
    for (let i = 0; i < rows.length; i++) {
      const child = decodeChild(node, rows[i], read[i]);
      if (child.kind === 'inner') {
        yield* walk(source, child, span, pace);
        continue;
      }
      const batch = entriesIn(child, span);
      if (batch.length > 0) yield batch;
    }
    row += rows.length;
    pace.ahead = Math.min(2 * pace.ahead, READ_AHEAD);
  }
}

function entriesIn(leaf: TreeLeaf, { from, until }: KeySpan): readonly MapEntry[] {
  const start = leaf.keys.lowerBound(from);
  const end = until === undefined ? leaf.rows : leaf.keys.lowerBound(until);
  const batch: MapEntry[] = [];
  for (let row = start; row < end; row++) batch.push(leaf.entryAt(row));
  return batch;
}
