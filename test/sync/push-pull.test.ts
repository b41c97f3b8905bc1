import { describe, expect, test } from 'vitest';
import { MemoryBucket } from '#sync';
import { Clone, twoClones } from './scene.ts';
import { noise } from './samples.ts';

describe('push and pull', () => {
  test('what one pushes another pulls, byte for byte', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { 'a.txt': 'one', 'big.bin': noise(1, 3_000_000), 'deep/er/x': '' });
    const pushed = await ada.push();
    expect(pushed).toMatchObject({ remote: 'origin', versions: 1, renumbered: [], upToDate: false });
    const pulled = await ben.pull();
    expect(pulled).toMatchObject({ versions: 1, upToDate: false });
    expect(await ben.versions('cifar')).toEqual(await ada.versions('cifar'));
    expect(await ben.contents('cifar')).toEqual(await ada.contents('cifar'));
    await ben.check();
  });

  test('an unchanged push is one request', async () => {
    const { ada } = await twoClones();
    await using _a = ada;
    await ada.commit('cifar', { a: '1' });
    await ada.push();
    const again = await ada.push();
    expect(again).toMatchObject({ requests: 1, upToDate: true, versions: 0, objects: 0 });
    expect(again.bytes).toBe(0);
  });

  test('an unchanged pull is one request', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '1' });
    await ada.push();
    await ben.pull();
    expect(await ben.pull()).toMatchObject({ requests: 1, upToDate: true, bytes: 0 });
  });

  test('who pushes second follows, and is told the new numbers', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ben.pull();
    await ada.commit('cifar', { a: 'ada' });
    await ben.commit('cifar', { a: 'ben 1' });
    await ben.commit('cifar', { a: 'ben 2' });
    await ada.push();
    const pushed = await ben.push();
    expect(pushed.renumbered).toEqual([
      { name: 'cifar', from: 'v1', to: 'v2' },
      { name: 'cifar', from: 'v2', to: 'v3' },
    ]);
    await ada.pull();
    expect(await ada.versions('cifar')).toEqual(await ben.versions('cifar'));
    for (const spec of ['cifar:v0', 'cifar:v1', 'cifar:v2', 'cifar:v3'])
      expect(await ada.contents(spec)).toEqual(await ben.contents(spec));
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
    expect(await ben.push()).toMatchObject({ upToDate: true, requests: 1 });
    await ada.check();
    await ben.check();
  });

  test('eight at once lose nothing', async () => {
    const bucket = new MemoryBucket();
    const clones = await Promise.all(Array.from({ length: 8 }, () => Clone.make(bucket)));
    await Promise.all(
      clones.map(async (clone, i) => {
        await clone.commit('shared', { who: `${i}` });
        await clone.commit(`own-${i}`, { who: `${i}`, data: noise(i, 300_000) });
      }),
    );
    await Promise.all(clones.map((clone) => clone.push()));
    for (const clone of clones) await clone.pull();
    const first = await clones[0].versions('shared');
    expect(first).toHaveLength(8);
    for (const clone of clones) {
      expect(await clone.versions('shared')).toEqual(first);
      expect(await clone.names()).toHaveLength(9);
      await clone.check();
      await clone[Symbol.asyncDispose]();
    }
  });
});
