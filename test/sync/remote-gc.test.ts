import { describe, expect, test } from 'vitest';
import type { MemoryBucket } from '#sync';
import { twoClones } from './scene.ts';

const noise = (seed: number, bytes: number) => {
  const out = Buffer.alloc(bytes);
  let x = seed + 1;
  for (let i = 0; i < bytes; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    out[i] = x >>> 24;
  }
  return out;
};

async function keysOf(bucket: MemoryBucket, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list(prefix)) keys.push(key);
  return keys;
}

describe('gc of a remote', () => {
  test('frees what a deletion left, and nothing else', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: noise(1, 500_000), same: 'x' });
    await ada.push();
    await ada.commit('cifar', { a: noise(2, 5_000_000), same: 'x' });
    await ada.push();
    await ada.remove('cifar', 0);
    await ada.push();
    const done = await ada.gc();
    expect(done).toMatchObject({ remote: 'origin', due: null, waiting: 0, reasons: [] });
    expect(done.deleted).toBeGreaterThan(0);
    expect(done.freed).toBeGreaterThan(500_000);
    expect(await keysOf(bucket, 'packs/')).toHaveLength(done.packs);
    await ben.pull();
    expect(await ben.contents('cifar:v1')).toEqual(await ada.contents('cifar:v1'));
    await ben.check();
    expect(await ada.gc()).toMatchObject({ deleted: 0, condemned: 0, freed: 0 });
  });
});
