/** What is done here and there while a push or a pull is on its way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderBucket, MemoryBucket, bytesBody, readAll } from '#sync';
import type { Bucket } from '#sync';
import { FaultyBucket } from './faulty-bucket.ts';
import type { Method } from './faulty-bucket.ts';
import { Clone, twoClones } from './scene.ts';
import { keysOf, noise } from './samples.ts';

/** Does something once, before the first such call of this clone. */
function once(clone: Clone, when: (method: Method, key: string) => boolean, what: () => Promise<unknown>) {
  const bucket = new FaultyBucket(clone.bucket, 1);
  const done = { done: false };
  bucket.before = async (method, key) => {
    if (done.done || !when(method, key)) return;
    done.done = true;
    await what();
  };
  clone.bucket = bucket;
  return done;
}

const isSwapOf = (name: string) => (method: Method, key: string) =>
  method === 'putIfTag' && key === `refs/a/${name}`;
const isPackRead = (method: Method, key: string) => method === 'get' && key.startsWith('packs/');

async function damagePointer(bucket: MemoryBucket, name: string): Promise<void> {
  const key = `refs/a/${name}`;
  const got = (await bucket.get(key))!;
  const bytes = Buffer.from((await readAll(got.body, 2000))!);
  bytes[20] ^= 1;
  await bucket.putIfTag(key, bytesBody(bytes), got.tag);
}

describe('what is done here during our own push', () => {
  test('is in no conflict with what is being pushed', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('x', { a: '0' });
    await ada.alias('x:v0', 'best');
    await ada.push();
    await ada.commit('x', { a: '1' });
    await ada.alias('x:v1', 'best');
    const meanwhile = once(ada, isSwapOf('x'), async () => {
      await ada.commit('x', { a: '2' });
      await ada.alias('x:v2', 'best');
    });
    expect(await ada.push()).toMatchObject({ versions: 1, renumbered: [] });
    expect(meanwhile.done).toBe(true);
    expect(await ada.push()).toMatchObject({ versions: 1 });
    await ben.pull();
    expect(await ben.versions('x')).toEqual(await ada.versions('x'));
    expect((await ben.versions('x'))[0]).toMatch(/^v2 .* best/);
  });

  test('follows what the push has numbered anew', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('x', { a: '0' });
    await ada.push();
    await ben.pull();
    for (const i of [1, 2]) await ben.commit('x', { a: `ben ${i}` });
    await ben.push();
    await ada.commit('x', { a: 'ada 1' });
    await ada.alias('x:v1', 'best');
    once(ada, isSwapOf('x'), async () => {
      await ada.commit('x', { a: 'ada 2' });
      await ada.alias('x:v2', 'best', 'newest');
      await ada.alias('x:v1', 'first');
    });
    expect((await ada.push()).renumbered).toEqual([
      { name: 'x', from: 'v1', to: 'v3' },
      { name: 'x', from: 'v2', to: 'v4' },
    ]);
    const [newest, first] = await ada.versions('x');
    expect(newest).toMatch(/^v4 .*best.*newest/);
    expect(first).toMatch(/^v3 .*first/);
    await ada.push();
    await ben.pull();
    expect(await ben.versions('x')).toEqual(await ada.versions('x'));
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
    await ada.check();
  });

  test('is told where it is in conflict with others, and everything else is remembered', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    for (const name of ['x', 'y']) {
      await ada.commit(name, { a: '0' });
      await ada.alias(`${name}:v0`, 'best');
    }
    await ada.push();
    await ben.pull();
    await ben.commit('x', { a: 'ben' });
    await ben.alias('x:v1', 'best');
    await ben.push();
    for (const name of ['x', 'y']) await ada.commit(name, { a: 'ada' });
    once(ada, isSwapOf('x'), () => ada.alias('x:v1', 'best'));
    await expect(ada.push()).rejects.toMatchObject({ code: 'ALIAS_CONFLICT' });
    expect(await ada.push({ names: ['y'] })).toMatchObject({ upToDate: true, requests: 1 });
    await expect(ada.push()).rejects.toMatchObject({ code: 'ALIAS_CONFLICT' });
    await ada.alias('x:v1', 'best');
    await ada.push();
    await ben.pull();
    expect(await ben.versions('x')).toEqual(await ada.versions('x'));
    await ada.check();
  });

  test('a name that is given up meanwhile stays so', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('x', { a: '0' });
    await ada.push();
    await ada.commit('x', { a: '1' });
    once(ada, isSwapOf('x'), () => ada.scene.in((repository) => repository.rename({ name: 'x', to: 'z' })));
    await ada.push();
    expect(await ada.names()).toEqual(['z']);
    await ada.push();
    await ben.pull();
    expect(await ben.names()).toEqual(['z']);
  });

  test('gc takes nothing of what was fetched and merged for the push', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('x', { a: '0' });
    await ada.push();
    await ben.pull();
    await ben.commit('x', { a: noise(2, 200_000) });
    await ben.push();
    await ada.commit('x', { a: noise(3, 200_000) });
    const gc = () => ada.scene.in((repository) => repository.gc({ undoWindowDays: 0 }));
    const gone = once(ada, (method, key) => method === 'putIfAbsent' && key.startsWith('packs/'), gc);
    const late = once(ada, isSwapOf('x'), gc);
    await ada.push();
    expect([gone.done, late.done]).toEqual([true, true]);
    await ada.check();
    await ben.pull();
    expect(await ben.versions('x')).toEqual(await ada.versions('x'));
    expect(await ada.contents('x:v1')).toEqual(await ben.contents('x:v1'));
    await gc();
    await ada.check();
  });
});

describe('one artifact that something is wrong with', () => {
  test('of a damaged pointer keeps no other from being pushed and pulled', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    for (const name of ['bad', 'good']) await ada.commit(name, { a: '0' });
    await ada.push();
    await ben.pull();
    for (const name of ['bad', 'good']) await ada.commit(name, { a: '1' });
    await damagePointer(bucket, 'bad');
    const told = { code: 'REMOTE_CORRUPT', message: expect.stringContaining('"bad"') as string };
    await expect(ada.push()).rejects.toMatchObject(told);
    for (const attempt of [() => ben.fetch(), () => ben.pull()])
      await expect(attempt()).rejects.toMatchObject(told);
    expect(await ben.versions('good')).toEqual(await ada.versions('good'));
    expect(await ben.versions('good')).toHaveLength(2);
    expect(await ben.versions('bad')).toHaveLength(1);
  });

  test('of a conflict keeps no other from being pushed and pulled', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    for (const name of ['one', 'two', 'good']) {
      await ada.commit(name, { a: '0' });
      await ada.alias(`${name}:v0`, 'best');
    }
    await ada.push();
    await ben.pull();
    for (const [clone, who] of [
      [ada, 'ada'],
      [ben, 'ben'],
    ] as const)
      for (const name of ['one', 'two', 'good']) {
        await clone.commit(name, { a: who });
        if (name !== 'good' || who === 'ada') await clone.alias(`${name}:v1`, 'best');
      }
    await ada.push();
    const told = {
      code: 'ALIAS_CONFLICT',
      message: expect.stringMatching(/^2 artifacts did not go through: .*"one".*; .*"two"/) as string,
    };
    await expect(ben.pull()).rejects.toMatchObject(told);
    expect(await ben.versions('good')).toHaveLength(3);
    await expect(ben.push()).rejects.toMatchObject(told);
    await ada.pull({ names: ['good'] });
    expect(await ada.versions('good')).toEqual(await ben.versions('good'));
  });

  test('of a damaged pack keeps no other from being pulled', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('bad', { a: noise(1, 100_000) });
    await ada.push();
    const [pack] = await keysOf(bucket, 'packs/');
    await ada.commit('good', { a: noise(2, 100_000) });
    await ada.push();
    await bucket.delete(pack);
    await expect(ben.pull()).rejects.toMatchObject({ code: 'REMOTE_CORRUPT' });
    expect(await ben.names()).toEqual(['good']);
    expect(await ben.contents('good')).toEqual(await ada.contents('good'));
  });
});

describe('a pull beside a deletion and gc', () => {
  /** ben pulls what ada has replaced, and gc has swept, when he gets to read it. */
  async function swept(bucket: Bucket, hold: (ben: Clone, sweep: () => Promise<void>) => void) {
    await using ada = await Clone.make(bucket);
    await using ben = await Clone.make(bucket);
    await ada.commit('x', { a: noise(1, 3_000_000) });
    await ada.commit('y', { a: 'y' });
    await ada.push();
    hold(ben, async () => {
      await ada.commit('x', { a: 'small' });
      await ada.remove('x', 0);
      await ada.push();
      for (let i = 0; i < 3; i++) await ada.gc();
    });
    await ben.pull();
    expect(await ben.versions('x')).toEqual(await ada.versions('x'));
    expect(await ben.names()).toEqual(['x', 'y']);
    await ben.check();
  }

  test('looks at the pointer again, and goes on', async () => {
    await swept(new MemoryBucket(), (ben, sweep) => void once(ben, isPackRead, sweep));
  });

  test('also where a folder lost a pack between opening and reading it', async () => {
    const share = mkdtempSync(join(tmpdir(), 'art-share-'));
    const inner = new FolderBucket(share);
    try {
      await swept(inner, (ben, sweep) => {
        let waiting = true;
        const get: Bucket['get'] = async (key, options) => {
          const got = await inner.get(key, options);
          if (waiting && got !== undefined && key.startsWith('packs/')) {
            waiting = false;
            await sweep();
          }
          return got;
        };
        const held: Bucket = new FaultyBucket(inner, 1);
        held.get = get;
        ben.bucket = held;
      });
    } finally {
      rmSync(share, { recursive: true, force: true });
    }
  });
});
