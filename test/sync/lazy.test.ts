import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryBucket, RemoteView, counting } from '#sync';
import { LARGE, SMALL, bringTree, code, delegate, download, lazyScene, readOnly } from './lazy-scene.ts';
import { Clone } from './scene.ts';
import { noise, packsOf } from './samples.ts';

describe('a lazy pull', () => {
  test('takes history alone; what is read is brought, verified and kept', async () => {
    const { ada, ben, received, requests } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    const history = received();
    expect(history).toBeLessThan(700_000); // The index, and one frame of its pack with every node.
    await ben.check();
    const { promised } = await ben.scene.in((repository) => repository.fsck());
    expect(promised).toBe(1);

    await download(ben, 'part', ['small/00']);
    expect(Object.keys(ben.scene.contents('part'))).toHaveLength(100);
    expect(received() - history).toBeLessThan(1_500_000);

    const before = requests();
    await download(ben, 'all');
    expect(requests() - before).toBeLessThan(25);
    expect(ben.scene.contents('all')).toEqual(await ada.contents('many'));
    expect(received() - history).toBeLessThan(1.3 * (LARGE + SMALL * 2000) + 1_500_000);

    const kept = received();
    await download(ben, 'again');
    expect(received()).toBe(kept);
    await ben.check();
  });

  test('brings what many files of several chunks need together, not one file after the other', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`dir/${i}.bin`, noise(i + 1, 400_000)]),
    );
    const { ada, ben } = await lazyScene(files);
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    let landings = 0;
    await ben.scene.in(async (repository) => {
      const { disk } = repository.context;
      const begin = disk.begin.bind(disk);
      disk.begin = () => (landings++, begin());
      await repository.download({ spec: 'many', dir: 'all' });
    });
    expect(ben.scene.contents('all')).toEqual(await ada.contents('many'));
    // Each has several turns at the database, made durable one after the other.
    expect(landings).toBeLessThan(12);
    await ben.check();
  });

  test('brings equal content once, however many files have it', async () => {
    const same = noise(5, LARGE);
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`copy-${i}`, same]));
    const { ada, ben, received } = await lazyScene(files);
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    const before = received();
    await download(ben, 'all');
    expect(ben.scene.contents('all')).toEqual(await ada.contents('many'));
    expect(received() - before).toBeLessThan(1.5 * LARGE);
  });

  test('stays lazy until all is asked for; then the remote is not needed any more', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    await ada.commit('many', { 'one.txt': 'one' });
    await ada.push();
    await ben.pull();
    expect((await ben.scene.in((repository) => repository.fsck())).promised).toBe(2);
    await expect(ben.scene.in((repository) => repository.removeRemote('origin'))).rejects.toThrow(
      code('REMOTE_NEEDED'),
    );
    await ben.pull({ lazy: false });
    expect((await ben.scene.in((repository) => repository.fsck())).promised).toBe(0);
    ben.bucket = new MemoryBucket();
    expect(await ben.contents('many:v0')).toEqual(await ada.contents('many:v0'));
    await ben.scene.in((repository) => repository.removeRemote('origin'));
  });

  test('is read by diff as far as it must be, and takes in du what is here', async () => {
    const { ada, ben, received } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('many', { 'small/0000': 'changed' });
    await ada.push();
    await ben.pull({ lazy: true });
    const history = received();
    const taken = await ben.scene.in((repository) => repository.du('many'));
    expect(taken.rows.every(({ alone, shared }) => alone + shared < 100_000)).toBe(true);
    expect(received()).toBe(history);
    const changes: unknown[] = [];
    await ben.scene.in(async (repository) => {
      using diff = await repository.diff({ before: 'many:v0', after: 'many:v1', paths: ['small/000'] });
      for await (const batch of diff.changes()) changes.push(...batch);
    });
    expect(changes).toHaveLength(10);
    expect(received() - history).toBeLessThan(700_000);
  });

  test('gc takes nothing that is needed, and does not miss what is promised', async () => {
    const { ada, ben, received } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    await download(ben, 'part', ['small/']);
    await ben.scene.in((repository) => repository.gc({ undoWindowDays: 0 }));
    const before = received();
    await download(ben, 'part-again', ['small/']);
    expect(received()).toBe(before);
  });

  test('that is broken off goes on with what had arrived', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    const controller = new AbortController();
    let reads = 0;
    const counted = counting(bucket);
    ben.bucket = {
      ...delegate(counted),
      get: async (key, options) => {
        if (key.startsWith('packs/') && ++reads === 4) controller.abort();
        return counted.get(key, options);
      },
    };
    const stopped = ben.scene.in((repository) => repository.download({ spec: 'many', dir: 'all' }), {
      signal: controller.signal,
    });
    await expect(stopped).rejects.toThrow(code('INTERRUPTED'));
    const first = counted.traffic.bytesReceived;
    ben.bucket = counted;
    await download(ben, 'all');
    expect(ben.scene.contents('all')).toEqual(await ada.contents('many'));
    // Once more at most what was on its way, and the index.
    expect(counted.traffic.bytesReceived).toBeLessThan(LARGE + SMALL * 2000 + first);
    expect(first).toBeGreaterThan(0);
  });
});

describe('a bucket that can only be read', () => {
  test('is cloned, fetched and pulled from, whole and lazily', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    const dee = await Clone.make(readOnly(bucket));
    await using _d = dee;
    ben.bucket = readOnly(bucket);
    await ben.pull({ lazy: true });
    await dee.pull();
    await ada.commit('many', { 'one.txt': 'one' });
    await ada.push();
    expect(await dee.fetch()).toMatchObject({ versions: 1 });
    await dee.pull();
    await ben.pull();
    for (const clone of [dee, ben]) {
      expect(await clone.versions('many')).toEqual(await ada.versions('many'));
      expect(await clone.contents('many:v0')).toEqual(await ada.contents('many:v0'));
      await clone.check();
    }
    await ben.commit('many', { 'two.txt': 'two' });
    await expect(ben.push()).rejects.toThrow('not permitted');
    expect(await ben.versions('many')).toHaveLength(3);
  });
});

describe('a version over promised objects', () => {
  test('needs no bytes but those it adds, here and when it is pushed', async () => {
    const { ada, ben, received } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    const history = received();
    ben.scene.write({ 'new.txt': 'new' });
    const add = [{ path: ben.scene.path('new.txt'), dest: 'new.txt' }];
    await ben.scene.in((repository) => repository.commit({ name: 'many', onto: 'many', add }));
    await ben.check();
    const pushed = await ben.push();
    expect(pushed.versions).toBe(1);
    expect(pushed.bytes).toBeLessThan(200_000);
    expect(received() - history).toBeLessThan(700_000);
    await ada.pull();
    expect(Object.keys(await ada.contents('many:v1'))).toHaveLength(SMALL + 2);
    await ada.check();
  });

  test('is not published if the remote has lost what it needs', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    await bringTree(ben);
    ben.scene.write({ 'new.txt': 'new' });
    const add = [{ path: ben.scene.path('new.txt'), dest: 'new.txt' }];
    await ben.scene.in((repository) => repository.commit({ name: 'many', onto: 'many', add }));
    for (const key of await packsOf(bucket)) await bucket.delete(key);
    for await (const { key } of bucket.list('idx/')) await bucket.delete(key);
    await expect(ben.push()).rejects.toThrow(/many:v0.*small\/0000/);
    expect(await packsOf(bucket)).toEqual([]);
  });
});

describe('a remote that is only read', () => {
  test('gives one file out of many packs for a handful of requests, and needs no repository', async () => {
    const { bucket, ada } = await lazyScene();
    await using _a = ada;
    for (let i = 0; i < 12; i++) {
      await ada.commit(`other-${i}`, { 'a.bin': noise(1000 + i, 5000) });
      await ada.push();
    }
    const reading = counting(readOnly(bucket));
    const scratch = mkdtempSync(join(tmpdir(), 'art-view-'));
    try {
      const view = await RemoteView.open(reading, settingFor(scratch), scratch);
      const pieces: Buffer[] = [];
      for await (const piece of view.cat('many', 'small/0123')) pieces.push(Buffer.from(piece));
      expect(Buffer.concat(pieces).equals(noise(125, 2000))).toBe(true);
      expect(reading.traffic.requests).toBeLessThanOrEqual(8);
      expect(reading.traffic.bytesReceived).toBeLessThan(1_500_000);
      const result = await view.download({ spec: 'many', dir: join(scratch, 'out'), paths: ['small/01'] });
      expect(result.written).toBe(SMALL - 100);
      await expect(view.download({ spec: 'mnay', dir: 'x' })).rejects.toThrow(code('ARTIFACT_NOT_FOUND'));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
});

function settingFor(folder: string) {
  const artifactsFolder = 'artifacts';
  return { author: '', host: '', command: '', run: null, now: () => 0, folder, artifactsFolder };
}
