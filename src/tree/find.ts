/** Looks single things up in a map: one entry, or what its root says of the whole. */
import type { Digest, MapEntry } from '#object';
import type { NodeSource } from '#store';
import type { MapRoot } from './levels.ts';
import { decodeChild, loadRoot, readChildren } from './nodes.ts';

/** The entry of `key`, if there is one; reads one node a level. */
export async function find(source: NodeSource, root: Digest, key: Uint8Array): Promise<MapEntry | undefined> {
  let node = await loadRoot(source, root);
  while (node.kind === 'inner') {
    const row = node.keys.rowHolding(key);
    const [bytes] = await readChildren(source, node, [row]);
    node = decodeChild(node, row, bytes);
  }
  const row = node.keys.lowerBound(key);
  return row < node.rows && node.keys.compareAt(row, key) === 0 ? node.entryAt(row) : undefined;
}

/** How many entries the map named `digest` has, and the sum of their sizes; reads one node. */
export async function rootOf(source: NodeSource, digest: Digest): Promise<MapRoot> {
  const { count, bytes } = await loadRoot(source, digest);
  return { digest, count, bytes };
}
