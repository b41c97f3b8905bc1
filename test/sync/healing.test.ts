import { describe, expect, test } from 'vitest';
import { bytesBody, checkPacks, readAll } from '#sync';
import type { Bucket, MemoryBucket } from '#sync';
import { Clone, twoClones } from './scene.ts';
import { noise, packsOf } from './samples.ts';

async function damage(bucket: MemoryBucket, key: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = Buffer.from((await readAll((await bucket.get(key))!.body, Infinity))!);
  await bucket.delete(key);
  await bucket.putIfAbsent(key, bytesBody(change(bytes)));
}

/** A new clone gets all that `whole` has. */
async function isWhole(bucket: Bucket, whole: Clone, names: readonly string[]): Promise<void> {
  await using fresh = await Clone.make(bucket);
  await fresh.pull({ names });
  for (const name of names) expect(await fresh.contents(name)).toEqual(await whole.contents(name));
  await fresh.check();
}

describe('a pack that is damaged or gone', () => {
  test.each([
    ['gone', async (bucket: MemoryBucket, key: string) => void (await bucket.delete(key))],
    [
      'cut short',
      (bucket: MemoryBucket, key: string) => damage(bucket, key, (bytes) => bytes.subarray(0, 5000)),
    ],
  ])('is not built on once a push has looked, and the next one heals the rest: %s', async (_, spoil) => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    for (const name of ['x', 'y']) await ada.commit(name, { a: noise(name.charCodeAt(0), 200_000) });
    await ada.push();
    for (const pack of await packsOf(bucket)) await spoil(bucket, pack);
    await ada.commit('z', { a: noise('x'.charCodeAt(0), 200_000) });
    expect((await ada.push()).bytes).toBeGreaterThan(200_000);
    await isWhole(bucket, ada, ['z']);
    const healing = await ada.push();
    expect(healing).toMatchObject({ upToDate: false, versions: 0 });
    expect(healing.bytes).toBeGreaterThan(200_000);
    expect(healing.bytes).toBeLessThan(300_000);
    await isWhole(bucket, ada, ['x', 'y', 'z']);
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
    for (let i = 0; i < 3; i++) await ada.gc();
    await isWhole(bucket, ada, ['x', 'y', 'z']);
  });

  test('is found by the check of a remote, so that a push that has nothing new heals it', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    const check = () =>
      ada.scene.in((repository) => checkPacks(repository, { remote: 'origin', bucket: ada.bucket }));
    expect(await check()).toBeUndefined();
    await ada.commit('x', { a: noise(1, 200_000) });
    await ada.push();
    expect(await check()).toMatchObject({ ok: true, detail: 'each is there, as long as its index says' });
    const [pack] = await packsOf(bucket);
    await bucket.delete(pack);
    const detail = '1 pack is damaged or gone: the next push sends anew what they held and is here';
    expect(await check()).toMatchObject({ ok: false, needed: 'advice', detail });
    await ada.push();
    await isWhole(bucket, ada, ['x']);
    expect(await check()).toMatchObject({ ok: true });
  });

  test.each(['needs what is lost', 'needs nothing'])(
    'is healed by a clone with promised objects of what it has, though its own version %s',
    async (what) => {
      const { bucket, ada, ben } = await twoClones();
      await using _a = ada;
      await using _b = ben;
      const files = { 'in/a': noise(1, 300_000), 'in/b': noise(2, 5000), out: noise(3, 400_000) };
      await ada.commit('x', files);
      await ada.push();
      await ben.pull({ lazy: true });
      const download = (clone: Clone, paths: readonly string[]) =>
        clone.scene.in((repository) => repository.download({ spec: 'x:v0', dir: 'part', paths }));
      await download(ben, ['in/']);
      for (const pack of await packsOf(bucket)) await bucket.delete(pack);
      await ben.scene.in((repository) => checkPacks(repository, { remote: 'origin', bucket }));
      if (what === 'needs nothing') await ben.commit('y', { y: 'y' });
      else {
        ben.scene.write({ new: 'new' });
        const add = [{ path: ben.scene.path('new'), dest: 'new' }];
        await ben.scene.in((repository) => repository.commit({ name: 'x', onto: 'x', add }));
      }
      const pushed = ben.push();
      if (what === 'needs nothing') expect((await pushed).bytes).toBeGreaterThan(305_000);
      else await expect(pushed).rejects.toMatchObject({ code: 'PROMISE_BROKEN' });

      await using cy = await Clone.make(bucket);
      await cy.pull({ lazy: true });
      await download(cy, ['in/']);
      expect(cy.scene.contents('part')).toEqual(ben.scene.contents('part'));
      await expect(download(cy, ['out'])).rejects.toMatchObject({ code: 'PROMISE_BROKEN' });
      if (what === 'needs nothing') expect(await ben.push()).toMatchObject({ upToDate: true, requests: 1 });

      // Whoever has the rest sends that and no more.
      await ada.scene.in((repository) => checkPacks(repository, { remote: 'origin', bucket }));
      const { bytes } = await ada.push();
      expect(bytes).toBeGreaterThan(400_000);
      expect(bytes).toBeLessThan(500_000);
      await isWhole(bucket, ada, ['x']);
      await ben.push();
      await isWhole(bucket, ben, what === 'needs nothing' ? ['x', 'y'] : ['x']);
    },
  );

  test('is healed by a clone with promised objects that has nothing new', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('x', { a: noise(1, 300_000) });
    await ada.push();
    await ben.pull({ lazy: true });
    await ben.contents('x');
    for (const pack of await packsOf(bucket)) await bucket.delete(pack);
    await ben.scene.in((repository) => checkPacks(repository, { remote: 'origin', bucket }));
    expect(await ben.push({ dryRun: true })).toMatchObject({ upToDate: true });
    expect(await packsOf(bucket)).toEqual([]);
    expect(await ben.push()).toMatchObject({ upToDate: false, versions: 0 });
    expect(await ben.push()).toMatchObject({ upToDate: true, requests: 1 });
    await isWhole(bucket, ben, ['x']);
  });

  test('is healed where a pull has met the damage, of what is here', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ben.commit('y', { a: noise(1, 200_000), b: noise(2, 200_000) });
    await ben.push();
    const [pack] = await packsOf(bucket);
    await ada.commit('x', { a: noise(1, 200_000), b: noise(2, 200_000) });
    expect((await ada.push()).bytes).toBeLessThan(20_000);
    await damage(bucket, pack, (bytes) => {
      for (let at = 100; at < bytes.length; at += 20_000) bytes[at] ^= 1;
      return bytes;
    });
    await using cy = await Clone.make(bucket);
    await expect(cy.pull()).rejects.toMatchObject({ code: 'REMOTE_CORRUPT' });
    await ada.commit('w', { a: 'w' });
    await expect(ada.pull()).rejects.toMatchObject({ code: 'REMOTE_CORRUPT' });
    await ada.push();
    await isWhole(bucket, ada, ['w', 'x']);
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
  });
});
