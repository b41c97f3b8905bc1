import { describe, expect, test } from 'vitest';
import { counting, freeHere } from '#sync';
import type { FreeHereRequest } from '#sync';
import { LARGE, SMALL, code, damagePacks, delegate, lazyScene, readOnly } from './lazy-scene.ts';
import { Clone } from './scene.ts';
import { noise } from './samples.ts';

/** Frees what `clone` need not keep; no undo holds anything. */
function free(clone: Clone, asked: Partial<FreeHereRequest> = {}) {
  const request = { remote: 'origin', bucket: clone.bucket, undoWindowDays: 0, ...asked };
  return clone.scene.in((repository) => freeHere(repository, request));
}

function fsck(clone: Clone) {
  return clone.scene.in((repository) => repository.fsck({ deep: true }));
}

describe('gc of what a remote has too', () => {
  test('frees its bytes, which come back when they are read', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const before = await ada.contents('many');
    const would = await free(ada, { dryRun: true });
    const { freed } = await free(ada);
    expect(freed).toBeGreaterThan(LARGE + SMALL * 1000);
    expect(Math.abs(would.freed - freed)).toBeLessThan(0.1 * freed);
    expect(await fsck(ada)).toMatchObject({ ok: true, damaged: [], problems: [] });
    expect((await fsck(ada)).promised).toBeGreaterThan(SMALL / 2);
    ada.bucket = counting(readOnly(bucket));
    expect(await ada.contents('many')).toEqual(before);
    await ada.check();
  });

  test('leaves what is fetched by whole as it was: a pull brings all of what is new', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await free(ada);
    await ben.pull();
    await ben.commit('many', { 'one.txt': 'one' });
    await ben.push();
    await ada.pull();
    ada.bucket = readOnly(brokenBucket());
    expect(await ada.contents('many:v1')).toHaveProperty(['one.txt']);
  });

  test('takes nothing that only versions here need, even if it lies there', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('own', { 'large.bin': noise(1, LARGE), 'own.bin': noise(99, LARGE) });
    const { freed } = await free(ada);
    expect(freed).toBeLessThan(LARGE);
    ada.bucket = brokenBucket();
    expect(Object.keys(await ada.contents('own'))).toEqual(['large.bin', 'own.bin']);
  });

  test('frees what a folder holds; its next version needs little, and relies on the rest', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ada.scene.in((repository) => repository.checkout({ spec: 'many', dir: 'held' }));
    expect((await free(ada)).freed).toBeGreaterThan(LARGE);
    ada.scene.write({ 'held/small/0000': 'changed' });
    await ada.scene.in((repository) => repository.commit({ name: 'many', paths: ['held'], bind: false }));
    const { bytes } = await ada.push();
    expect(bytes).toBeLessThan(LARGE / 10);
    await ben.pull();
    expect(await ben.contents('many')).toEqual(ada.scene.contents('held'));
    await ben.check();
  });

  test('takes nothing that is damaged there', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const before = await ada.contents('many');
    await damagePacks(bucket);
    expect((await free(ada)).freed).toBeLessThan(100_000);
    expect(await ada.contents('many')).toEqual(before);
    expect(await fsck(ada)).toMatchObject({ ok: true });
  });

  test('takes nothing that lies in condemned packs', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const dee = await Clone.make(ada.bucket);
    await using _d = dee;
    await dee.pull();
    await dee.remove('many', 0);
    await dee.push();
    await dee.gc({ graceMs: 3_600_000 });
    // Not fetched since: what it has seen is not what is there.
    expect((await free(ada)).freed).toBeLessThan(LARGE);
    await ada.fetch();
    expect((await free(ada)).freed).toBeLessThan(LARGE);
    ada.bucket = brokenBucket();
    await ada.contents('many:v0');
  });

  test('takes nothing when something is committed meanwhile', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const counted = counting(bucket);
    let commits = 0;
    const get: typeof counted.get = async (key, options) => {
      if (key.startsWith('packs/') && commits++ === 0)
        await ada.commit('beside', { 'large.bin': noise(1, LARGE) });
      return counted.get(key, options);
    };
    const request = {
      remote: 'origin',
      undoWindowDays: 0,
      explain: true,
      bucket: { ...delegate(counted), get },
    };
    const { freed, reasons } = await ada.scene.in((repository) => freeHere(repository, request));
    expect(commits).toBeGreaterThan(0);
    expect(freed).toBeLessThan(LARGE);
    expect(reasons.join()).toContain('meanwhile');
    ada.bucket = brokenBucket();
    await ada.contents('many');
    await ada.contents('beside');
  });

  test('a version over bytes that went is looked at when the remote is met', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await free(ada);
    ada.scene.write({ 'new.txt': 'new' });
    const add = [{ path: ada.scene.path('new.txt'), dest: 'new.txt' }];
    await ada.scene.in((repository) => repository.commit({ name: 'many', onto: 'many', add }));
    for await (const { key } of bucket.list('idx/')) await bucket.delete(key);
    await expect(ada.push()).rejects.toThrow(code('PROMISE_BROKEN'));
  });

  test('keeps the remote, until all that went is here again', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const remove = () => ada.scene.in((repository) => repository.removeRemote('origin'));
    const before = await ada.contents('many');
    await free(ada);
    await expect(remove()).rejects.toMatchObject({
      code: 'REMOTE_NEEDED',
      message: expect.stringMatching(/^bytes of .*many:v0.* are not here/) as string,
      hint: expect.stringContaining('art pull origin --no-lazy') as string,
    });
    await ada.pull({ lazy: false });
    await remove();
    ada.bucket = brokenBucket();
    expect(await ada.contents('many')).toEqual(before);
    expect(await fsck(ada)).toMatchObject({ ok: true, promised: 0 });
  });

  test('lets the remote go where only an undo needs it, and finds it when it is there again', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const before = await ada.contents('many');
    await free(ada);
    await ada.scene.in((repository) => repository.delete({ targets: ['many'], all: true, force: true }));
    await ada.scene.in((repository) => repository.removeRemote('origin'));
    expect(ada.scene.warnings).toEqual([expect.stringContaining('only an undo or a folder may need')]);
    expect(await fsck(ada)).toMatchObject({ ok: true });
    await ada.scene.in((repository) => repository.undo());
    await expect(ada.contents('many')).rejects.toMatchObject({ code: 'REMOTE_NOT_FOUND' });
    await ada.scene.in(async (repository) => repository.addRemote({ name: 'origin', url: '/bucket' }));
    expect(await ada.contents('many')).toEqual(before);
  });

  test('frees nothing twice', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    expect((await free(ada)).freed).toBeGreaterThan(LARGE);
    expect((await free(ada)).freed).toBe(0);
  });
});

/** Answers nothing: whoever needs it fails. */
function brokenBucket(): Clone['bucket'] {
  const broken = () => {
    throw new Error('the bucket is needed');
  };
  return {
    url: '/broken',
    get: broken,
    putIfAbsent: broken,
    putIfTag: broken,
    list: broken,
    delete: broken,
    time: broken,
    [Symbol.asyncDispose]: async () => {},
  };
}
