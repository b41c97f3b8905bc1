import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
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
import { CHUNK, FILE, NODE, encodeTreeLeaf, hash } from '#object';
import type { MapEntry } from '#object';
import { LevelStore, collect, createStore, openFrame } from '#store';
import { compress } from '../../src/store/compression.ts';
import { walkPack } from '../../src/store/pack-files.ts';
import { dice } from '../dice.ts';
import { chunkOf, chunks, nodeOf, objectStoreContract, putAll, readRuns } from '../contract/object-store.ts';

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

describe('runs of what lies together', () => {
  const hex = ({ digest }: { readonly digest: Uint8Array }) => Buffer.from(digest).toString('hex');

  /** The newest pack or journal, and its compressed frames, each by what is in it. */
  function framesIn(folder: string) {
    const path = join(folder, 'packs', readdirSync(join(folder, 'packs')).sort().at(-1)!);
    const frames = new Map<number, string[]>();
    for (const { rows } of walkPack(path).segments) {
      for (const row of rows) {
        if (row.frame.codec === 0 || row.frame.rawBytes < 128 * 1024) continue;
        const frame = frames.get(row.frame.offset) ?? [];
        frames.set(row.frame.offset, [...frame, hex(row)]);
      }
    }
    return { path, frames };
  }

  /** Small texts, some of them tiny or empty, with noise between them, of which much is in one pack. */
  async function stored() {
    const roll = dice(7);
    const objects = Array.from({ length: 1500 }, (_, i) => {
      if (i === 900) return chunkOf('');
      if (i % 7 === 0) {
        const bytes = randomBytes(16_000);
        return { kind: CHUNK, digest: hash(bytes), bytes } as const;
      }
      return chunkOf(`${i} `.repeat(1 + roll(i % 2 === 0 ? 100 : 3000)));
    });
    const folder = await newStore();
    const store = new LevelStore(folder);
    await putAll(store, objects);
    return { folder, store, objects, ...framesIn(folder) };
  }

  test('frames of which all is asked for come as they are stored, whatever is asked for beside', async () => {
    const { store, objects, path, frames } = await stored();
    await using _ = store;
    expect(frames.size).toBeGreaterThan(3);
    const reader = store.reader();
    const all = await readRuns(reader, objects);
    expect(all.frames.map((ids) => ids.map(hex))).toEqual([...frames.values()]);
    const roll = dice(8);
    const shuffled = objects.map((object) => [roll(1 << 30), object] as const).sort(([a], [b]) => a - b);
    const again = await readRuns(
      reader,
      shuffled.map(([, object]) => object),
    );
    expect(again.frames.map((ids) => ids.map(hex)).sort()).toEqual([...frames.values()].sort());
    const lost = new Set(
      [...frames.values()].filter((_, i) => i % 2 === 0).map((ids) => ids[roll(ids.length)]),
    );
    const most = await readRuns(
      reader,
      objects.filter((object) => !lost.has(hex(object))),
    );
    expect(most.frames.map((ids) => ids.map(hex))).toEqual(
      [...frames.values()].filter((_, i) => i % 2 !== 0),
    );
    const whole = readFileSync(path);
    for (const run of await reader.runs(objects)) {
      const { frame } = await run.read((bytes) => Buffer.alloc(bytes + 9));
      if (frame !== undefined) expect(whole.includes(Buffer.from(frame.stored))).toBe(true);
    }
  });

  test('the beginning of a frame is the last run, and open, unless it is taken apart in any case', async () => {
    const { store, objects, frames } = await stored();
    await using _ = store;
    const [first, second] = [...frames.values()];
    const upTo = (id: string) => objects.slice(0, objects.findIndex((object) => hex(object) === id) + 1);
    const reader = store.reader();
    const cut = await reader.runs([...upTo(second[4]), objects[0]]);
    expect(cut.at(-1)).toMatchObject({ open: true });
    expect(cut.at(-1)!.ids.map(hex)).toEqual(second.slice(0, 5));
    const gap = upTo(second[4]).filter((object) => hex(object) !== second[2]);
    expect((await reader.runs(gap)).map(({ open }) => open)).not.toContain(true);
    const passed = upTo(second[4]).filter((object) => hex(object) !== first.at(-1));
    expect((await readRuns(reader, passed)).frames).toEqual([]);
    expect((await reader.runs(passed)).at(-1)!.ids.map(hex)).toEqual(second.slice(0, 5));
  });

  test('of a damaged frame is read what stands elsewhere, and the rest is as damaged as by getMany', async () => {
    const { store, objects, path, frames } = await stored();
    await using _ = store;
    const [[offset, damaged]] = frames;
    const bytes = readFileSync(path);
    for (const spoil of [
      () => bytes.fill(0xff, offset + 40, offset + 60),
      () => bytes.fill(0, offset, offset + 5),
    ]) {
      spoil();
      chmodSync(path, 0o644);
      writeFileSync(path, bytes);
      const inIt = objects.filter((object) => damaged.includes(hex(object)));
      const reader = store.reader();
      const error: unknown = await reader.getMany(inIt).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'OBJECT_CORRUPT' });
      const [run] = await reader.runs(inIt);
      expect(await run.read((length) => Buffer.alloc(length)).catch((thrown: unknown) => thrown)).toEqual(
        error,
      );
      const rest = objects.filter((object) => !damaged.includes(hex(object)));
      expect((await readRuns(reader, rest)).frames).toHaveLength(frames.size - 1);
    }
  });

  test('no frame is given that is whole and has other bytes than its objects', async () => {
    const { store, objects, path, frames } = await stored();
    await using _ = store;
    const [[offset, ids]] = frames;
    const [run] = await store.reader().runs(objects.filter((object) => ids.includes(hex(object))));
    const { frame } = await run.read((length) => Buffer.alloc(length));
    const raw = Buffer.from(await openFrame(frame!, frame!.stored));
    // As long as it was: a skippable frame (RFC 8878, 3.1.2) behind it.
    const other = compress(raw.fill(0, raw.length >> 1));
    const skipped = Buffer.alloc(frame!.stored.length - other.length);
    skipped.writeUInt32LE(0x184d2a50, 0);
    skipped.writeUInt32LE(skipped.length - 8, 4);
    const bytes = readFileSync(path);
    bytes.set(Buffer.concat([other, skipped]), offset);
    chmodSync(path, 0o644);
    writeFileSync(path, bytes);
    expect(await openFrame(frame!, bytes.subarray(offset, offset + frame!.stored.length))).toHaveLength(
      raw.length,
    );
    await expect(run.read((length) => Buffer.alloc(length))).rejects.toMatchObject({
      code: 'OBJECT_CORRUPT',
    });
  });

  test('what gc has moved since is read from where it is now', async () => {
    const { folder, store, objects } = await stored();
    await using _ = store;
    const live = objects.filter(({ bytes }, i) => i < 400 && bytes.length > 0);
    const entries = live.map(({ digest, bytes }, i): MapEntry => ({
      key: Buffer.from(String(i).padStart(5, '0')),
      kind: FILE,
      executable: false,
      size: bytes.length,
      digest,
      extra: new Uint8Array(0),
    }));
    const node = encodeTreeLeaf(entries);
    await putAll(store, [{ kind: NODE, digest: hash(node), bytes: node }]);
    const before = readdirSync(join(folder, 'packs'));
    const planned = await store.reader().runs(live);
    const { packsRewritten } = await collect(store, {
      roots: async function* () {
        yield hash(node);
      },
    });
    expect(packsRewritten).toBeGreaterThan(0);
    expect(readdirSync(join(folder, 'packs')).filter((name) => before.includes(name))).toEqual([]);
    let read = 0;
    for (const run of planned) {
      const { contents } = await run.read((bytes) => Buffer.alloc(bytes));
      for (const [i, bytes] of contents!.entries()) expect(hash(bytes)).toEqual(run.ids[i].digest);
      read += run.ids.length;
    }
    expect(read).toBe(live.length);
  });

  test('tiny objects are had from the database if their frame is damaged', async () => {
    const folder = await newStore();
    await using store = new LevelStore(folder);
    const tiny = Array.from({ length: 3000 }, (_, i) => chunkOf(`${i} `.repeat(20)));
    const noise = Array.from({ length: 20 }, () => randomBytes(256 * 1024));
    await putAll(store, [
      ...tiny,
      ...noise.map((bytes) => ({ kind: CHUNK, digest: hash(bytes), bytes }) as const),
    ]);
    const { path, frames } = framesIn(folder);
    expect((await readRuns(store.reader(), tiny)).frames).toHaveLength(frames.size);
    const bytes = readFileSync(path);
    for (const offset of frames.keys()) bytes.fill(0xff, offset + 20, offset + 40);
    chmodSync(path, 0o644);
    writeFileSync(path, bytes);
    const read = await readRuns(store.reader(), tiny);
    expect(read.frames).toEqual([]);
    expect(read.objects.map(hex)).toEqual(tiny.map(hex));
    for (const { digest, bytes } of read.objects) expect(hash(bytes)).toEqual(digest);
  });
});
