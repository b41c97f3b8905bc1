/** Checks what is remembered of packs that are damaged or gone. */
import { expect, test } from 'vitest';
import { MemoryStore } from '#store';
import { AilingPacks } from '../../src/sync/ailing-packs.ts';

test('what was sent anew in part is looked at again once nothing is promised', async () => {
  const { cache } = new MemoryStore();
  const packs = new AilingPacks(cache, 'bucket');
  const pending = async (read: AilingPacks) => {
    await read.load();
    return [true, false].map((promised) => read.isPending({ promised }));
  };
  await packs.note('one');
  expect(await pending(packs)).toEqual([true, true]);
  await packs.settle({ promised: true });
  expect(await pending(packs)).toEqual([false, true]);
  expect(await pending(new AilingPacks(cache, 'bucket'))).toEqual([false, true]);
  await packs.note('one');
  expect(await pending(packs)).toEqual([false, true]);
  await packs.note('two');
  expect(await pending(packs)).toEqual([true, true]);
  await packs.settle({ promised: false });
  expect(await pending(new AilingPacks(cache, 'bucket'))).toEqual([false, false]);
  expect(packs.has('one') && packs.has('two')).toBe(true);
});
