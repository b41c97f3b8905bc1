import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Level } from 'level';
import { afterEach, describe, expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import { LevelStore, createStore } from '#store';
import { chunkOf, chunks, nodeOf, objectStoreContract, putAll } from '../contract/object-store.ts';

const folders: string[] = [];
async function newStore(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'art-store-'));
  folders.push(folder);
  await createStore(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

objectStoreContract('LevelStore', async () => new LevelStore(await newStore()));

const setRecord = async (store: LevelStore, key: string, value: string) => {
  await using transaction = await store.begin();
  await transaction.publish(async (locked) => locked.setRecord(key, Buffer.from(value)));
};

describe('LevelStore on disk', () => {
  test('what was published is there for whoever opens it next', async () => {
    const folder = await newStore();
    const objects = [...chunks(300, 40_000), nodeOf('root')];
    {
      await using store = new LevelStore(folder);
      await putAll(store, objects);
      await setRecord(store, 'ref/a', 'one');
    }
    await using store = new LevelStore(folder);
    expect(await store.missing(objects)).toEqual([]);
    const got = await store.reader().getMany(objects.slice(0, 100));
    got.forEach((bytes, i) => expect(Buffer.compare(bytes, objects[i].bytes)).toBe(0));
    expect(Buffer.from((await store.getRecord('ref/a'))!).toString()).toBe('one');
  });

  test('small transactions share the journal, large ones get packs', async () => {
    const folder = await newStore();
    await using store = new LevelStore(folder);
    await putAll(store, [chunkOf('small')]);
    expect(readdirSync(join(folder, 'packs'))).toEqual(['00000001.journal']);
    const large = Array.from({ length: 40 }, () => randomBytes(256 * 1024)).map(
      (bytes) => ({ kind: CHUNK, digest: hash(bytes), bytes }) as const,
    );
    await putAll(store, large);
    expect(readdirSync(join(folder, 'packs')).sort()).toEqual(['00000001.journal', '00000002.pack']);
    const got = await store.reader().getMany(large.slice(0, 20));
    got.forEach((bytes, i) => expect(Buffer.compare(bytes, large[i].bytes)).toBe(0));
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  test('a journal that is longer than the database knows is replayed', async () => {
    const folder = await newStore();
    {
      await using store = new LevelStore(folder);
      await setRecord(store, 'ref/a', 'one');
    }
    // The database as it was before the next transaction, the journal as it is after it: a crash between the two.
    const { cpSync } = await import('node:fs');
    cpSync(join(folder, 'objects'), join(folder, 'objects.before'), { recursive: true });
    const object = nodeOf('late');
    {
      await using store = new LevelStore(folder);
      await putAll(store, [object]);
      await setRecord(store, 'ref/a', 'two');
    }
    rmSync(join(folder, 'objects'), { recursive: true });
    cpSync(join(folder, 'objects.before'), join(folder, 'objects'), { recursive: true });
    await using store = new LevelStore(folder);
    expect(Buffer.from((await store.getRecord('ref/a'))!).toString()).toBe('two');
    expect(await store.missing([object])).toEqual([]);
  });

  test('a torn end of the journal is ignored, and cut off by the next transaction', async () => {
    const folder = await newStore();
    const journal = join(folder, 'packs', '00000001.journal');
    {
      await using store = new LevelStore(folder);
      await setRecord(store, 'ref/a', 'one');
    }
    const whole = statSync(journal).size;
    appendFileSync(journal, randomBytes(3000));
    {
      await using store = new LevelStore(folder);
      expect(Buffer.from((await store.getRecord('ref/a'))!).toString()).toBe('one');
      await setRecord(store, 'ref/a', 'two');
    }
    expect(statSync(journal).size).toBeGreaterThan(whole);
    await using store = new LevelStore(folder);
    expect(Buffer.from((await store.getRecord('ref/a'))!).toString()).toBe('two');
  });

  test('a journal shorter than it was, a database that is gone: damage, said at once', async () => {
    const folder = await newStore();
    {
      await using store = new LevelStore(folder);
      await setRecord(store, 'ref/a', 'one');
    }
    truncateSync(join(folder, 'packs', '00000001.journal'), 100);
    {
      await using store = new LevelStore(folder);
      await expect(store.getRecord('ref/a')).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    }
    rmSync(join(folder, 'objects'), { recursive: true });
    await using store = new LevelStore(folder);
    await expect(store.getRecord('ref/a')).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    expect(existsSync(join(folder, 'objects'))).toBe(false);
  });

  test("long transactions in one process do not take each other's packs", { timeout: 60_000 }, async () => {
    const folder = await newStore();
    await using store = new LevelStore(folder);
    const saved = await Promise.all(
      [0, 1, 2].map(async () => {
        await using transaction = await store.begin();
        const kept: { kind: typeof CHUNK; digest: Uint8Array }[] = [];
        for (let i = 0; i < 560; i++) {
          const bytes = randomBytes(256 * 1024);
          const digest = hash(bytes);
          transaction.put(CHUNK, digest, bytes);
          if (i % 40 === 0) kept.push({ kind: CHUNK, digest });
          await transaction.breathe();
        }
        await transaction.publish(async () => undefined);
        return kept;
      }),
    );
    expect(readdirSync(join(folder, 'packs')).filter((name) => name.endsWith('.pack'))).toHaveLength(6);
    for (const ids of saved) await store.reader().getMany(ids);
  });

  test('one that was begun and never finished is made anew; one that held something stays', async () => {
    const folder = await newStore();
    const whole = readdirSync(join(folder, 'objects'));
    expect(whole).toContain('CURRENT');
    // As it is before the database knows its journal.
    rmSync(join(folder, 'objects'), { recursive: true });
    await new Level(join(folder, 'objects')).close();
    writeFileSync(join(folder, 'packs', '00000001.journal'), '');
    await createStore(folder);
    {
      await using store = new LevelStore(folder);
      await setRecord(store, 'ref/a', 'one');
    }
    await createStore(folder);
    await using store = new LevelStore(folder);
    expect(Buffer.from((await store.getRecord('ref/a'))!).toString()).toBe('one');
  });

  test('two stores on one folder take turns', async () => {
    const folder = await newStore();
    await using a = new LevelStore(folder);
    await using b = new LevelStore(folder);
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        await setRecord(i % 2 ? a : b, `ref/${i}`, String(i));
      }),
    );
    expect(await a.listRecords('ref/', { limit: 100 })).toHaveLength(10);
  });

  test('used after it was disposed of it fails, and opens nothing', async () => {
    const folder = await newStore();
    const store = new LevelStore(folder);
    await setRecord(store, 'ref/a', '1');
    await store[Symbol.asyncDispose]();
    await expect(store.getRecord('ref/a')).rejects.toThrow('used after it was disposed of');
    await expect(store.begin()).rejects.toThrow('used after it was disposed of');
    await store[Symbol.asyncDispose]();
    expect(readdirSync(join(folder, 'lock'))).toEqual([]);
  });
});
