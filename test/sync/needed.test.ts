import { describe, expect, test } from 'vitest';
import { bytesBody, condemnedKey, encodeCondemned } from '#sync';
import { twoClones } from './scene.ts';
import { keysOf, noise } from './samples.ts';

describe('a push of two artifacts with the same content', () => {
  test('sends for each what its own pointer does not have, in packs that may stay', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('aa', { a: noise(1, 100_000), b: '1' });
    await ada.push();
    const packs = (await keysOf(bucket, 'packs/')).map((key) => key.slice(9, -5));
    await bucket.putIfAbsent(condemnedKey(1), bytesBody(encodeCondemned(packs)));
    for (const name of ['aa', 'bb']) await ada.commit(name, { a: noise(1, 100_000), b: '2' });
    await ada.push();
    for (const key of await keysOf(bucket, 'packs/'))
      if (packs.some((id) => key.includes(id))) await bucket.delete(key);
    await ben.pull({ names: ['bb'] });
    expect(await ben.contents('bb')).toEqual(await ada.contents('bb'));
  });

  test('sends what they share once', async () => {
    const { ada } = await twoClones();
    await using _a = ada;
    for (const name of ['aa', 'bb']) await ada.commit(name, { a: noise(1, 400_000) });
    expect((await ada.push()).bytes).toBeLessThan(500_000);
  });
});
