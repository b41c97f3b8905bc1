import { describe, expect, test } from 'vitest';
import { ArtError } from '#base';
import { MemoryBucket, bytesBody, packKey } from '#sync';
import { ScriptedBucket } from './scripted-bucket.ts';
import { Clone, twoClones } from './scene.ts';
import { keysOf, noise } from './samples.ts';

const HOUR_MS = 60 * 60 * 1000;

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

  test('condemns first, and deletes when the grace is over', async () => {
    const clock = { now: Date.UTC(2026, 0, 1) };
    const bucket = new MemoryBucket({ now: () => clock.now });
    await using ada = await Clone.make(bucket);
    const hours = (count: number) => (clock.now += count * HOUR_MS);
    await ada.commit('cifar', { a: noise(1, 500_000) });
    await ada.push();
    await ada.remove('cifar', 0);
    await ada.commit('cifar', { b: 'small' });
    await ada.push();
    const standing = { minAgeMs: 24 * HOUR_MS, graceMs: 24 * HOUR_MS };
    expect(await ada.gc(standing)).toMatchObject({
      condemned: 0,
      due: null,
      reasons: ['1 pack that nothing needs is too young'],
    });
    hours(25);
    const condemned = await ada.gc(standing);
    expect(condemned).toMatchObject({
      deleted: 0,
      due: clock.now + 24 * HOUR_MS,
      waiting: condemned.condemned,
    });
    expect(condemned.condemnedBytes).toBeGreaterThan(500_000);
    hours(23);
    const due = condemned.due;
    expect(await ada.gc(standing)).toMatchObject({ deleted: 0, condemned: 0, due });
    hours(2);
    const swept = await ada.gc(standing);
    expect(swept).toMatchObject({ deleted: condemned.condemned, freed: condemned.condemnedBytes, due: null });
    expect(await keysOf(bucket, 'packs/')).toHaveLength(swept.packs);
  });

  test('only says what it would do, and writes nothing, when asked', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    await ada.commit('cifar', { a: noise(1, 500_000) });
    await ada.push();
    await ada.remove('cifar', 0);
    await ada.push();
    const scripted = new ScriptedBucket(bucket);
    ada.bucket = scripted;
    const would = await ada.gc({ dryRun: true });
    expect(scripted.puts).toEqual([]);
    expect(would).toMatchObject({ deleted: 0, waiting: 0 });
    expect(would.condemned).toBeGreaterThan(0);
    const done = await ada.gc({ graceMs: HOUR_MS });
    expect(done.condemned).toBe(would.condemned);
    const next = await ada.gc({ dryRun: true });
    expect(next.deleted).toBe(done.condemned);
    expect(await keysOf(bucket, 'packs/')).not.toEqual([]);
  });

  test('puts small packs together, verified, and then comes to rest', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    for (let i = 0; i < 5; i++) {
      await ada.commit('cifar', { [`f${i}`]: noise(i, 20_000) });
      await ada.push();
    }
    const done = await ada.gc();
    expect(done).toMatchObject({ deleted: 5, packs: 1 });
    expect(done.copied).toBeGreaterThan(100_000);
    expect(await ada.gc()).toMatchObject({ condemned: 0, deleted: 0, packs: 1 });
    await ben.pull();
    for (let i = 0; i < 5; i++)
      expect(await ben.contents(`cifar:v${i}`)).toEqual(await ada.contents(`cifar:v${i}`));
    expect(await keysOf(bucket, 'idx/')).toHaveLength(1);
  });

  test('of two packs with the same objects keeps one', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    const big = noise(9, 6_000_000);
    await ada.commit('cats', { big });
    await ben.commit('dogs', { big });
    // Both look before either has sent.
    await Promise.all([ada.push(), ben.push()]);
    const before = (await ada.gc({ dryRun: true })).kept;
    if (before < 12_000_000) return; // One saw the other's after all.
    const done = await ada.gc();
    expect(done.freed).toBeGreaterThan(5_900_000);
    await ben.pull();
    expect(await ben.contents('cats')).toEqual(await ada.contents('cats'));
    expect(await keysOf(bucket, 'packs/')).toHaveLength(done.packs);
  });

  test('needs no object here: it reads what it marks out of the bucket', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    await using other = await Clone.make(bucket);
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d/${i}`, `content ${i}`]));
    await ada.commit('cifar', { ...many, big: noise(3, 2_000_000) });
    await ada.push();
    await ada.commit('cifar', { ...many, big: noise(4, 2_000_000) });
    await ada.push();
    await ada.remove('cifar', 0);
    await ada.push();
    expect((await other.gc()).freed).toBeGreaterThan(1_900_000);
    await other.pull();
    expect(await other.contents('cifar')).toEqual(await ada.contents('cifar'));
  });

  test('removes what pushes that were killed left, and finds again an index that was lost', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: noise(1, 100_000) });
    await ada.push();
    const [lost] = await keysOf(bucket, 'idx/');
    const scripted = new ScriptedBucket(bucket);
    scripted.script = (key) => (key.startsWith('idx/') ? 'killed' : 'done');
    ben.bucket = scripted;
    await ben.commit('dogs', { a: noise(2, 100_000) });
    await expect(ben.push()).rejects.toThrow();
    await bucket.delete(lost);
    const cut = packKey('01jd6z5m0c0123456789abcdef-0a0b0c0d');
    await bucket.putIfAbsent(cut, bytesBody(noise(3, 1000)));
    const done = await ada.gc();
    expect(done.deleted).toBe(2);
    expect(ada.scene.warnings.join()).toContain(`${lost} was missing`);
    expect(await keysOf(bucket, 'idx/')).toEqual([lost]);
    await ben.pull();
    expect(await ben.contents('cifar')).toEqual(await ada.contents('cifar'));
    ben.bucket = bucket;
    await ben.push();
    await ada.pull();
    expect(await ada.contents('dogs')).toEqual(await ben.contents('dogs'));
  });

  test('says so where it may only read, and where there is nothing', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '1' });
    await ada.push();
    const readOnly = new ScriptedBucket(bucket);
    readOnly.script = () => {
      throw new ArtError('REMOTE_DENIED', 'not permitted');
    };
    ada.bucket = readOnly;
    await expect(ada.gc()).rejects.toMatchObject({
      code: 'REMOTE_DENIED',
      hint: expect.stringContaining('--dry-run') as string,
    });
    expect(await ada.gc({ dryRun: true })).toMatchObject({ packs: 1 });
    ada.bucket = ben.bucket = new MemoryBucket();
    await expect(ada.gc()).rejects.toMatchObject({ code: 'REMOTE_REPLACED' });
    await expect(ben.gc()).rejects.toMatchObject({ code: 'REMOTE_EMPTY' });
    expect(await keysOf(ada.bucket, '')).toEqual([]);
  });

  test('is refused where a store does not keep its conditions', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    await ada.commit('cifar', { a: '1' });
    await ada.push();
    ada.bucket = careless(bucket);
    await expect(ada.gc()).rejects.toMatchObject({ code: 'REMOTE_UNSHARED' });
    expect(await keysOf(bucket, 'gc/')).toEqual([]);
  });

  test('is refused by a pointer that cannot be read: nobody knows what it keeps alive', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    await ada.commit('cifar', { a: '1' });
    await ada.push();
    await bucket.putIfAbsent('refs/a/broken', bytesBody(Buffer.from('junk')));
    await expect(ada.gc()).rejects.toMatchObject({
      code: 'REMOTE_CORRUPT',
      message: expect.stringContaining('refs/a/broken') as string,
    });
    expect(await keysOf(bucket, 'packs/')).toHaveLength(1);
  });
});

/** A store that swaps whatever tag it is shown. */
function careless(bucket: MemoryBucket): ScriptedBucket {
  const inner = new ScriptedBucket(bucket);
  inner.putIfTag = async (key, body, tag) =>
    (await bucket.putIfTag(key, body, (await bucket.get(key))?.tag ?? tag)) ?? tag;
  return inner;
}
