import { describe, expect, test } from 'vitest';
import type { ObjectId } from '#object';
import { FillingStore, MemoryStore } from '#store';
import { chunks, objectStoreContract, putAll, readRuns } from '../contract/object-store.ts';

objectStoreContract('FillingStore', async () => new FillingStore(new MemoryStore(), async () => false));

/** Knows of everything in which run it is, whether it is there or not: as if gc took it in between. */
class PlannedStore extends MemoryStore {
  override reader() {
    const { getMany } = super.reader();
    const run = (id: ObjectId) => ({
      ids: [id],
      open: false,
      read: async () => ({ contents: await getMany([id]) }),
    });
    return { getMany, runs: async (ids: readonly ObjectId[]) => ids.map(run) };
  }
}

describe('what a store lacks', () => {
  test.each([
    ['runs are asked for', new MemoryStore(), [5]],
    ['a run is read', new PlannedStore(), [1, 1, 1, 1, 1]],
  ])('is brought when %s', async (_, inner, expected) => {
    const objects = chunks(20, 3000);
    await putAll(inner, objects.slice(0, 15));
    const brought: number[] = [];
    const store = new FillingStore(inner, async (ids) => {
      brought.push(ids.length);
      const asked = new Set(ids.map(({ digest }) => digest));
      await putAll(
        inner,
        objects.filter(({ digest }) => asked.has(digest)),
      );
      return true;
    });
    expect((await readRuns(store.reader(), objects)).objects).toEqual(objects);
    expect(brought).toEqual(expected);
  });
});
