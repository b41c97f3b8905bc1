import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LevelStore, checkStore, collect } from '#store';
import { whoAmI } from '../../src/store/holder.ts';
import type { TestObject } from '../contract/object-store.ts';
import { forget, imageOf, newStore, removeTemporaryFolders, roots, save, unlike, version } from './care.ts';

afterEach(removeTemporaryFolders);

const KIB = 1024;
const span = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const packBytes = (art: string) =>
  readdirSync(join(art, 'packs')).reduce((sum, name) => sum + statSync(join(art, 'packs', name)).size, 0);

describe('collect', () => {
  test('what a root names stays, what none names goes, and its space is free', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const [live, dead] = [version(span(0, 30), 200 * KIB), version(span(100, 140), 200 * KIB)];
    await save(store, 'live', live);
    await save(store, 'dead', dead);
    await forget(store, 'dead');
    const before = packBytes(art);
    const forecast = await collect(store, { roots, dryRun: true });
    expect(packBytes(art)).toBe(before);
    const collected = await collect(store, { roots });
    expect(forecast.objectsRemoved).toBe(collected.objectsRemoved);
    expect(collected).toMatchObject({ objectsRemoved: 41, objectsKept: 31, packsRemoved: 1, reasons: [] });
    expect(before - packBytes(art)).toBe(collected.freedBytes);
    expect(collected.freedBytes).toBeGreaterThan(40 * 200 * KIB);
    expect(await store.missing([...dead.chunks, dead.root])).toHaveLength(41);
    expect(await unlike(store, 'live', live)).toEqual([]);
    expect(await checkStore(store, { roots, deep: true })).toMatchObject({ problems: [], damaged: [] });
    expect(await collect(store, { roots })).toMatchObject({
      objectsRemoved: 0,
      freedBytes: 0,
      packsRewritten: 0,
    });
  });

  test('a pack that is mostly dead is rewritten, and a journal too', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const both = version(span(0, 40), 200 * KIB);
    await save(store, 'both', both);
    await save(store, 'journaled', version(span(50, 65), 200 * KIB));
    const live = version([...span(0, 5), 50], 200 * KIB);
    await save(store, 'live', live);
    await forget(store, 'both');
    await forget(store, 'journaled');
    const collected = await collect(store, { roots });
    expect(collected).toMatchObject({ packsRewritten: 2, reasons: [] });
    expect(packBytes(art)).toBeLessThan(7 * 200 * KIB);
    expect(await unlike(store, 'live', live)).toEqual([]);
    expect(await checkStore(store, { roots, deep: true })).toMatchObject({ problems: [] });
    await save(store, 'later', both);
    expect(await unlike(store, 'later', both)).toEqual([]);
  });

  test('who relied on something that went is told so at publishing', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const dead = version([1, 2, 3], 2 * KIB);
    await save(store, 'dead', dead);
    await forget(store, 'dead');
    await using transaction = await store.begin();
    expect(transaction.has(dead.root.kind, dead.root.digest)).toBe(true);
    await collect(store, { roots });
    const publishing = transaction.publish(async (locked) => locked.setRecord('ref/again', dead.root.digest));
    await expect(publishing).rejects.toMatchObject({ code: 'REUSED_GONE' });
    await save(store, 'again', dead);
    expect(await unlike(store, 'again', dead)).toEqual([]);
  });

  test('who was told so goes on with all that was put, and with what is gone put again', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const [dead, fresh] = [version([1, 2, 3], 2 * KIB), version(span(10, 14), 2 * KIB)];
    await save(store, 'dead', dead);
    await forget(store, 'dead');
    await using transaction = await store.begin();
    for (const { kind, digest, bytes } of fresh.chunks) transaction.put(kind, digest, bytes);
    expect(transaction.has(dead.root.kind, dead.root.digest)).toBe(true);
    await collect(store, { roots });
    const name = async (locked: { setRecord(key: string, value: Uint8Array): void }) => {
      locked.setRecord('ref/dead', dead.root.digest);
      locked.setRecord('ref/fresh', fresh.root.digest);
    };
    await expect(transaction.publish(name)).rejects.toMatchObject({ code: 'REUSED_GONE' });
    expect(transaction.epoch).toBe(await store.epoch());
    const isNew = (objects: readonly TestObject[]) =>
      objects.filter(({ kind, digest, bytes }) => transaction.put(kind, digest, bytes)).length;
    expect(isNew([...fresh.chunks, fresh.root])).toBe(1);
    expect(isNew([...dead.chunks, dead.root])).toBe(4);
    await transaction.publish(name);
    expect(await unlike(store, 'fresh', fresh)).toEqual([]);
    expect(await unlike(store, 'dead', dead)).toEqual([]);
  });

  test('what is relied on without a look after gc was noticed is looked up at publishing', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const dead = version([1], 2 * KIB);
    await save(store, 'dead', dead);
    await forget(store, 'dead');
    await using transaction = await store.begin();
    await collect(store, { roots });
    const many = span(0, 10).flatMap((i) => version(span(1000 * i, 1000 * i + 950), KIB).chunks);
    // Enough that some of it is published in the middle, which notices that gc ran.
    for (const { kind, digest, bytes } of many) transaction.put(kind, digest, bytes);
    await transaction.breathe();
    transaction.rely(dead.root.kind, dead.root.digest);
    const publishing = transaction.publish(async (locked) => locked.setRecord('ref/again', dead.root.digest));
    await expect(publishing).rejects.toMatchObject({ code: 'REUSED_GONE' });
  });

  test('what is published while it runs stays whole, whenever that is', async () => {
    const art = await newStore();
    for (let moment = 0; moment < 12; moment++) {
      await using store = new LevelStore(art);
      const [a, b] = [version([moment, 500], 2 * KIB), version([moment + 50, 500], 2 * KIB)];
      await save(store, 'a', a);
      await save(store, 'b', b);
      await forget(store, 'a');
      await forget(store, 'b');
      let calls = 0;
      let revived: Promise<void> | undefined;
      const onProgress = () => {
        if (calls++ === moment)
          revived = save(store, 'a', a).catch((error: unknown) =>
            expect(error).toMatchObject({ code: 'REUSED_GONE' }),
          );
      };
      await collect(store, { roots, onProgress });
      await (revived ?? save(store, 'a', a));
      expect((await checkStore(store, { roots, deep: true })).problems).toEqual([]);
    }
  });

  test('what a live session has published before its end is spared', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const half = version(span(0, 800), 256 * KIB - 1);
    await using transaction = await store.begin();
    for (const { kind, digest, bytes } of half.chunks) {
      transaction.put(kind, digest, bytes);
      await transaction.breathe();
    }
    expect(readdirSync(join(art, 'packs')).length).toBeGreaterThan(1);
    expect(await collect(store, { roots })).toMatchObject({ objectsRemoved: 0 });
    await transaction.publish(async (locked) => {
      locked.putNode(half.root.digest, half.root.bytes);
      locked.setRecord('ref/half', half.root.digest);
    });
    expect(await store.missing([...half.chunks, half.root])).toEqual([]);
  });

  test('what a session out of sight writes stays for a week, which gc says', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    const far = { ...whoAmI('0123456789abcdef'), host: 'far', pid: 12, packs: [] };
    const record = join(art, 'tmp', 'session-0123456789abcdef.json');
    const unfinished = join(art, 'tmp', '0123456789abcdef-0.pack');
    for (const path of [record, unfinished]) writeFileSync(path, JSON.stringify(far));
    const daysAgo = (days: number) => new Date(Date.now() - days * 24 * 60 * 60 * 1000);
    utimesSync(record, daysAgo(6), daysAgo(6));
    expect(await collect(store, { roots })).toMatchObject({
      strayFiles: 0,
      reasons: ['what process 12 on far is writing stays until it ends or writes nothing for 7 days'],
    });
    expect(existsSync(unfinished)).toBe(true);
    utimesSync(record, daysAgo(8), daysAgo(8));
    expect(await collect(store, { roots })).toMatchObject({ strayFiles: 1, reasons: [] });
    expect(readdirSync(join(art, 'tmp'))).toEqual([]);
  });

  test('a session that was given up publishes nothing more', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    await using transaction = await store.begin();
    for (const { kind, digest, bytes } of version(span(0, 600), 256 * KIB - 1).chunks) {
      transaction.put(kind, digest, bytes);
      await transaction.breathe();
    }
    for (const name of readdirSync(join(art, 'tmp')))
      if (name.startsWith('session-')) rmSync(join(art, 'tmp', name));
    await expect(
      transaction.publish(async (locked) => locked.setRecord('ref/a', Buffer.from('1'))),
    ).rejects.toMatchObject({ code: 'IO_FAILED', message: expect.stringContaining('taken for dead') });
    expect(await store.getRecord('ref/a')).toBeUndefined();
  });

  test('killed at any step it leaves every root whole, and can be run again', async () => {
    const art = await newStore();
    const live = version([...span(0, 4), 50], 200 * KIB);
    const images = new Map<string, string>();
    {
      await using store = new LevelStore(art);
      await save(store, 'both', version(span(0, 40), 200 * KIB));
      await save(store, 'journaled', version(span(50, 65), 200 * KIB));
      await save(store, 'packed', version(span(70, 95), 200 * KIB));
      await save(store, 'live', live);
      for (const name of ['both', 'journaled', 'packed']) await forget(store, name);
      let count = 0;
      const onProgress = ({ step }: { readonly step: string }) => {
        if (step !== 'mark' && step !== 'sweep') images.set(`${count++} ${step}`, imageOf(art));
      };
      await collect(store, { roots, onProgress });
    }
    expect(new Set([...images.keys()].map((key) => key.split(' ')[1]))).toEqual(
      new Set(['removed', 'unlinked', 'journal', 'copied', 'named', 'moved']),
    );
    for (const image of images.values()) {
      await using store = new LevelStore(image);
      expect(await unlike(store, 'live', live)).toEqual([]);
      expect((await checkStore(store, { roots, deep: true })).problems).toEqual([]);
      await collect(store, { roots });
      expect(await unlike(store, 'live', live)).toEqual([]);
      expect(packBytes(image)).toBeLessThan(6 * 200 * KIB);
    }
  });

  test('nothing goes while something that a root names is missing', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    await save(store, 'dead', version([1], KIB));
    await forget(store, 'dead');
    await using transaction = await store.begin();
    await transaction.publish(async (locked) =>
      locked.setRecord('ref/broken', version([2], KIB).root.digest),
    );
    await expect(collect(store, { roots })).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    expect(await store.missing(version([1], KIB).chunks)).toEqual([]);
  });

  test('stray files go once they are a day old', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    for (const name of ['young', 'old']) writeFileSync(join(art, 'tmp', name), 'x');
    utimesSync(join(art, 'tmp', 'old'), 1, 1);
    expect(await collect(store, { roots })).toMatchObject({ strayFiles: 1 });
    expect(existsSync(join(art, 'tmp', 'young'))).toBe(true);
    expect(existsSync(join(art, 'tmp', 'old'))).toBe(false);
  });
});
