import { readdirSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Bucket } from '#sync';
import { LARGE, delegate } from './lazy-scene.ts';
import { twoClones } from './scene.ts';
import { noise } from './samples.ts';

test('a push says beforehand what it would send and delete, and reads no content for that', async () => {
  const { ada, ben } = await twoClones();
  await using _a = ada;
  await using _b = ben;
  for (const a of ['0', '1', '2']) await ada.commit('cifar', { a });
  await ada.push();
  await ben.pull();
  await ada.remove('cifar', 1);
  await ada.commit('large', { a: noise(1, LARGE), b: noise(2, LARGE) });
  const packs = ada.scene.path('.art', 'packs');
  for (const name of readdirSync(packs)) if (name.endsWith('.pack')) rmSync(`${packs}/${name}`);
  const would = await ada.push({ dryRun: true });
  expect(would).toMatchObject({ versions: 1, deleted: [{ name: 'cifar', numbers: [1] }], requests: 1 });
  expect(would.bytes).toBeGreaterThan(2 * LARGE);
  const pushed = await ada.push({ names: ['cifar'] });
  expect(pushed).toMatchObject({ versions: 0, deleted: [{ name: 'cifar', numbers: [1] }] });
  await ben.pull();
  expect(await ben.versions('cifar')).toHaveLength(2);
});

test('of many artifacts a few are asked about at a time', async () => {
  const { bucket, ada, ben } = await twoClones();
  await using _a = ada;
  await using _b = ben;
  let [now, most] = [0, 0];
  const slow = async <T>(call: () => Promise<T>): Promise<T> => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return call().finally(() => now--);
  };
  const counted: Bucket = {
    ...delegate(bucket),
    get: (key, options) => slow(() => bucket.get(key, options)),
    putIfTag: (key, body, tag, options) => slow(() => bucket.putIfTag(key, body, tag, options)),
  };
  for (let i = 0; i < 20; i++) await ada.commit(`name-${i}`, { a: `${i}` });
  ada.bucket = counted;
  ben.bucket = counted;
  await ada.push();
  expect(most).toBe(8);
  most = 0;
  await ben.pull();
  expect(most).toBeLessThanOrEqual(8);
  expect(await ben.names()).toHaveLength(20);
});
