import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArtError } from '#base';
import { MemoryBucket, bytesBody, readAll } from '#sync';
import { FaultyBucket } from './faulty-bucket.ts';
import type { Method } from './faulty-bucket.ts';
import { Clone, twoClones } from './scene.ts';
import { ScriptedBucket } from './scripted-bucket.ts';
import type { Outcome } from './scripted-bucket.ts';
import { keysOf, noise } from './samples.ts';

/** Puts other bytes in the place of an object. */
async function damage(bucket: MemoryBucket, key: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const got = await bucket.get(key);
  const bytes = Buffer.from((await readAll(got!.body, Infinity))!);
  await bucket.delete(key);
  await bucket.putIfAbsent(key, bytesBody(change(bytes)));
}

const flip = (bytes: Buffer) => {
  bytes[bytes.length >> 1] ^= 1;
  return bytes;
};

describe('a put that nobody hears of', () => {
  test('is found out, and nothing is pushed twice', async () => {
    const outcomes = fc.array(
      fc.constantFrom<Outcome>('done', 'done-unheard', 'undone-unheard', 'done', 'done'),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(outcomes, async (list) => {
        const { bucket, ada, ben } = await twoClones();
        await using _a = ada;
        await using _b = ben;
        const scripted = new ScriptedBucket(bucket);
        const left = [...list];
        await ada.commit('cifar', { a: '0' });
        await ada.push();
        scripted.script = () => left.shift() ?? 'done';
        ada.bucket = scripted;
        await ada.commit('cifar', { a: '1' });
        await ada.push();
        await ada.commit('cifar', { a: '2' });
        await ada.push();
        await ben.pull();
        expect(await ben.versions('cifar')).toEqual(await ada.versions('cifar'));
        expect(await ben.versions('cifar')).toHaveLength(3);
      }),
      { numRuns: Number(process.env['ART_SYNC_RUNS'] ?? 6) },
    );
  }, 60_000);
});

describe('a push that was killed', () => {
  test('sends nothing again that had arrived', async () => {
    const bucket = new MemoryBucket();
    const scripted = new ScriptedBucket(bucket);
    await using ada = await Clone.make(scripted);
    await ada.commit('big', { 'a.bin': noise(1, 24_000_000), 'b.bin': noise(2, 24_000_000) });
    const sent = () => scripted.puts.filter((key) => key.startsWith('packs/')).length;
    scripted.script = (key) => (key.startsWith('refs/a/') && sent() > 1 ? 'killed' : 'done');
    await expect(ada.push()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const packs = await keysOf(bucket, 'packs/');
    expect(packs.length).toBeGreaterThan(1);
    scripted.script = () => 'done';
    const again = await ada.push();
    expect(again.objects).toBe(0);
    expect(again.bytes).toBeLessThan(100_000);
    expect(await keysOf(bucket, 'packs/')).toEqual(packs);
  }, 30_000);

  test('between a pack and its index is finished by the next, whatever its pid was', async () => {
    const bucket = new MemoryBucket();
    const scripted = new ScriptedBucket(bucket);
    await using ada = await Clone.make(scripted);
    await ada.commit('big', { 'a.bin': noise(1, 1_000_000) });
    scripted.script = (key) => (key.startsWith('idx/') ? 'killed' : 'done');
    await expect(ada.push()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const packs = await keysOf(bucket, 'packs/');
    scripted.script = () => 'done';
    expect((await ada.push()).bytes).toBeLessThan(100_000);
    expect(await keysOf(bucket, 'packs/')).toEqual(packs);
    expect(readdirSync(ada.scene.path('.art/tmp/push-origin'))).toEqual([]);
  });

  test('and left half a pack has no index put beside that: the next sends it anew', async () => {
    const bucket = new MemoryBucket();
    const scripted = new ScriptedBucket(bucket);
    await using ada = await Clone.make(scripted);
    await ada.commit('big', { 'a.bin': noise(1, 1_000_000) });
    scripted.script = (key) => (key.startsWith('idx/') ? 'killed' : 'done');
    await expect(ada.push()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    const [half] = await keysOf(bucket, 'packs/');
    const whole = await readAll((await bucket.get(half))!.body, 4_000_000);
    await bucket.delete(half);
    await bucket.putIfAbsent(half, bytesBody(whole!.subarray(0, 500_000)));
    scripted.script = () => 'done';
    expect((await ada.push()).bytes).toBeGreaterThan(1_000_000);
    expect(await keysOf(bucket, 'packs/')).toHaveLength(2);
    expect(await keysOf(bucket, 'idx/')).toHaveLength(1);
    await using ben = await Clone.make(bucket);
    await ben.pull();
    await ben.check();
  });

  test('before a pack is there leaves a note, until it cannot be on its way any more', async () => {
    const scripted = new ScriptedBucket(new MemoryBucket());
    await using ada = await Clone.make(scripted);
    await ada.commit('big', { 'a.bin': noise(1, 1_000_000) });
    scripted.script = (key) => (key.startsWith('packs/') ? 'killed' : 'done');
    await expect(ada.push()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    scripted.script = () => 'done';
    await ada.push();
    expect(readdirSync(ada.scene.path('.art/tmp/push-origin'))).toHaveLength(1);
    ada.scene.pass(25 * 60 * 60 * 1000);
    await ada.commit('big', { 'a.bin': 'new' });
    await ada.push();
    expect(readdirSync(ada.scene.path('.art/tmp/push-origin'))).toEqual([]);
  });

  test('leaves nothing that anybody sees', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    const scripted = new ScriptedBucket(bucket);
    ada.bucket = scripted;
    await ada.commit('cifar', { a: '1' });
    scripted.script = (key) => (key.startsWith('idx/') ? 'killed' : 'done');
    await expect(ada.push()).rejects.toThrow();
    expect(await ben.pull()).toMatchObject({ versions: 0, upToDate: true });
    expect(await ben.names()).toEqual([]);
    scripted.script = () => 'done';
    await ada.push();
    await ben.pull();
    expect(await ben.contents('cifar')).toEqual(await ada.contents('cifar'));
  });
});

describe('a store that ignores conditions', () => {
  test('is found out before the first push, and nothing stays in it', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    ada.bucket = new FaultyBucket(bucket, 1, { forgetConditions: true });
    await ada.commit('cifar', { a: '1' });
    await expect(ada.push()).rejects.toMatchObject({
      code: 'REMOTE_UNSHARED',
      message: expect.stringContaining('would lose what several push at once: create once'),
    });
    expect(await keysOf(bucket, '')).toEqual([]);
    expect(await ada.versions('cifar')).toHaveLength(1);
    ada.bucket = bucket;
    expect(await ada.push()).toMatchObject({ versions: 1 });
  });
});

describe('a first push', () => {
  test('is not kept away by another one, whatever that has done so far', async () => {
    const steps: readonly (readonly [Method, RegExp])[] = [
      ['putIfAbsent', /^probe\/.+\/race$/],
      ['putIfAbsent', /^refs\/@probe-.+\/swap$/],
      ['putIfAbsent', /^format$/],
      ['list', /^$/],
    ];
    for (const [method, key] of steps) {
      const { bucket, ada, ben } = await twoClones();
      await using _a = ada;
      await using _b = ben;
      await ada.commit('one', { a: '1' });
      await ben.commit('two', { a: '2' });
      const held = new FaultyBucket(bucket, 1);
      let once = true;
      held.before = async (called, at) => {
        if (!once || called !== method || !key.test(at)) return;
        once = false;
        await ben.push();
      };
      ada.bucket = held;
      await ada.push();
      expect(once).toBe(false);
      await ben.pull();
      expect(await ben.names()).toEqual(['one', 'two']);
      expect((await keysOf(bucket, '')).filter((at) => at.includes('probe'))).toEqual([]);
    }
  });

  test('is not kept away by what a killed check has left, but by files with such names', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    await ada.commit('one', { a: '1' });
    await bucket.putIfAbsent('probe/photo.jpg', bytesBody(Buffer.from('x')));
    await expect(ada.push()).rejects.toMatchObject({ code: 'REMOTE_NOT_ART' });
    await bucket.delete('probe/photo.jpg');
    for (const key of ['probe/0123456789abcdef/race', 'refs/@probe-0123456789abcdef/swap'])
      await bucket.putIfAbsent(key, bytesBody(Buffer.from('x')));
    expect(await ada.push()).toMatchObject({ versions: 1 });
  });

  test('does not take lost replies for conditions that are ignored', async () => {
    const { bucket, ada } = await twoClones();
    await using _a = ada;
    await ada.commit('one', { a: '1' });
    let left = 3;
    const where = (method: Method) => method === 'putIfAbsent' && left-- > 0;
    ada.bucket = new FaultyBucket(bucket, 1, { loseReply: 1, where });
    expect(await ada.push()).toMatchObject({ versions: 1 });
    const silence = { loseReply: 1, where: (_: Method, key: string) => key.includes('probe') };
    await using ben = await Clone.make(new FaultyBucket(new MemoryBucket(), 1, silence));
    await ben.commit('one', { a: '1' });
    await expect(ben.push()).rejects.toMatchObject({ code: 'REMOTE_UNCERTAIN' });
  });
});

describe('damage in the bucket', () => {
  async function pushed(): Promise<{ bucket: MemoryBucket; ada: Clone; ben: Clone }> {
    const clones = await twoClones();
    await clones.ada.commit('cifar', { a: noise(3, 200_000), b: 'text' });
    await clones.ada.push();
    return clones;
  }

  test.each([
    ['flipped', flip],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['cut at its end', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['empty', () => Buffer.alloc(0)],
  ])('of an index is healed out of its pack: %s', async (_, change) => {
    const { bucket, ada, ben } = await pushed();
    await using _a = ada;
    await using _b = ben;
    for (const key of await keysOf(bucket, 'idx/')) await damage(bucket, key, change);
    await ben.pull();
    expect(await ben.contents('cifar')).toEqual(await ada.contents('cifar'));
    expect(ben.scene.warnings.join()).toContain('is damaged; its pack was read instead');
  });

  test.each([
    ['flipped', flip],
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 5000)],
    ['empty', () => Buffer.alloc(0)],
  ])('of a pack is named and never spread: %s', async (_, change) => {
    const { bucket, ada, ben } = await pushed();
    await using _a = ada;
    await using _b = ben;
    const [pack] = await keysOf(bucket, 'packs/');
    await damage(bucket, pack, change);
    const error = await ben.pull().then(
      () => undefined,
      (reason: unknown) => reason as ArtError,
    );
    expect(error).toMatchObject({ code: 'REMOTE_CORRUPT', exit: 4 });
    expect(error!.message).toContain(pack);
    expect(await ben.names()).toEqual([]);
    await ben.check();
  });

  test('of a pointer is told by the name of its artifact', async () => {
    const { bucket, ada, ben } = await pushed();
    await using _a = ada;
    await using _b = ben;
    await damage(bucket, 'refs/a/cifar', flip);
    await expect(ben.pull()).rejects.toMatchObject({
      code: 'REMOTE_CORRUPT',
      message: expect.stringContaining('"cifar"') as string,
    });
  });

  test('a bucket of a newer art, and a place that is none, are refused and left alone', async () => {
    const { bucket, ada, ben } = await pushed();
    await using _a = ada;
    await using _b = ben;
    await damage(bucket, 'format', (bytes) =>
      Buffer.from(
        bytes.toString().replace('"minReader":1', '"minReader":2').replace('"minWriter":1', '"minWriter":2'),
      ),
    );
    await expect(ben.pull()).rejects.toMatchObject({ code: 'REMOTE_TOO_NEW' });
    const other = new MemoryBucket();
    await other.putIfAbsent('holiday.jpg', bytesBody(Buffer.from('x')));
    ada.bucket = other;
    await ada.commit('more', { a: '1' });
    await expect(ada.push()).rejects.toMatchObject({ code: 'REMOTE_NOT_ART' });
    expect(await keysOf(other, '')).toEqual(['holiday.jpg']);
    ben.bucket = new MemoryBucket();
    await expect(ben.pull()).rejects.toMatchObject({ code: 'REMOTE_EMPTY' });
  });

  test('a history that was put back is found out', async () => {
    const { bucket, ada, ben } = await pushed();
    await using _a = ada;
    await using _b = ben;
    const before = (await readAll((await bucket.get('refs/a/cifar'))!.body, 2000))!;
    await ada.commit('cifar', { a: 'newer' });
    await ada.push();
    await ben.pull();
    const { tag } = (await bucket.get('refs/a/cifar'))!;
    await bucket.putIfTag('refs/a/cifar', bytesBody(before), tag);
    await expect(ben.pull()).rejects.toMatchObject({ code: 'REMOTE_REWRITTEN' });
    expect(await ben.versions('cifar')).toHaveLength(2);
  });
});

describe('condemned packs', () => {
  test('are not built on: what they hold is sent again', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    const { condemnedKey, encodeCondemned } = await import('#sync');
    await ada.commit('one', { a: noise(5, 100_000) });
    await ada.push();
    const packs = (await keysOf(bucket, 'packs/')).map((key) => key.slice(9, -5));
    await bucket.putIfAbsent(condemnedKey(1), bytesBody(encodeCondemned(packs)));
    await ada.commit('two', { a: noise(5, 100_000) });
    const { bytes } = await ada.push();
    expect(bytes).toBeGreaterThan(100_000);
    for (const key of await keysOf(bucket, 'packs/'))
      if (packs.some((id) => key.includes(id))) await bucket.delete(key);
    await ben.pull({ names: ['two'] });
    expect(await ben.contents('two')).toEqual(await ada.contents('two'));
  });
});
