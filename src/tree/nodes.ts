/** Loads nodes and checks that each is what its parent says it is. */
import { ArtError, toHex } from '#base';
import { TREE_LEVEL_MAX, decodeTreeNode } from '#object';
import type { Digest, TreeInner, TreeNode } from '#object';
import type { NodeSource } from '#store';

/** So many nodes are read in one call at most; a node takes at most about 0.4 MB, most take 7 KB. */
export const READ_AHEAD = 64;

export async function loadRoot(source: NodeSource, root: Digest): Promise<TreeNode> {
  const [bytes] = await source.getNodes([root]);
  return decodeTreeNode(bytes);
}

/** The bytes of the children `rows` of `parent`, in that order. */
export function readChildren(
  source: NodeSource,
  parent: TreeInner,
  rows: readonly number[],
): Promise<Uint8Array[]> {
  return source.getNodes(rows.map((row) => parent.digestAt(row)));
}

/** Decodes child `row` of `parent`, or raises OBJECT_INVALID if it does not fit there. */
export function decodeChild(parent: TreeInner, row: number, bytes: Uint8Array): TreeNode {
  const node = decodeTreeNode(bytes);
  if (node.count > 0 && parent.isChild(row, node)) return node;
  const name = toHex(parent.digestAt(row)).slice(0, 16);
  throw new ArtError(
    'OBJECT_INVALID',
    `tree node ${name} is not what its parent says (level ${parent.level} of ${TREE_LEVEL_MAX})`,
  );
}
