import { afterEach, expect, test } from 'vitest';
import { DigestTable, toHex } from '#base';
import { FILE, NODE, encodeTreeLeaf, hash } from '#object';
import type { Digest } from '#object';
import { LevelStore } from '#store';
import { childrenFirst } from '../../src/store/children-first.ts';
import { putAll } from '../contract/object-store.ts';
import { newStore, removeTemporaryFolders } from './care.ts';

afterEach(removeTemporaryFolders);

function naming(
  children: readonly Digest[],
  i: number,
): { readonly digest: Digest; readonly bytes: Uint8Array } {
  const large = 1024 * 1024; // A file of this size is named by a node.
  const row = { kind: FILE, executable: false, size: large, extra: new Uint8Array(0) } as const;
  const entries = children.map((digest, at) => ({ ...row, key: Buffer.from(`${i}-${at}`), digest }));
  const bytes = encodeTreeLeaf(entries);
  return { digest: hash(bytes), bytes };
}

test('every node comes behind those that it names, once, and no other comes', async () => {
  const nodes = [naming([hash(Buffer.from('absent'))], 0)];
  for (let i = 1; i < 60; i++) nodes.push(naming([nodes[(i * 7) % i].digest, nodes[i - 1].digest], i));
  await using store = new LevelStore(await newStore());
  await putAll(
    store,
    nodes.map((node) => ({ ...node, kind: NODE })),
  );
  const wanted = new DigestTable();
  for (const { digest } of [...nodes.slice(30), ...nodes.slice(5, 30)]) wanted.add(digest);
  const order = await store.database.use(() =>
    childrenFirst(store.database, store.packReader, wanted, () => undefined),
  );
  expect(order.map(toHex)).toEqual(nodes.slice(5).map(({ digest }) => toHex(digest)));
});
