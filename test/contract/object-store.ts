/** The promises of ObjectStore, run against every store there is. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { EMPTY_BYTES } from '#base';
import { CHUNK, FILE, NODE, encodeNode, encodeTreeLeaf, hash } from '#object';
import type { MapEntry, ObjectId, ObjectKind } from '#object';
import { openFrame } from '#store';
import type { ObjectStore, StoredReader } from '#store';

export interface TestObject extends ObjectId {
  readonly bytes: Uint8Array;
}

export function chunkOf(text: string): TestObject {
  const bytes = Buffer.from(text);
  return { kind: CHUNK, digest: hash(bytes), bytes };
}

export function nodeOf(value: string): TestObject {
  const bytes = encodeNode('metadata', 1, { ext: {}, value });
  return { kind: NODE, digest: hash(bytes), bytes };
}

/** `count` chunks of `size` bytes that differ; half of the bytes are text that compresses. */
export function chunks(count: number, size: number, seed = 'x'): TestObject[] {
  return Array.from({ length: count }, (_, i) =>
    chunkOf(`${seed}${i} `.repeat(Math.ceil(size / 4)).slice(0, size)),
  );
}

export async function putAll(store: ObjectStore, objects: readonly TestObject[]): Promise<void> {
  await using transaction = await store.begin();
  for (const { kind, digest, bytes } of objects) transaction.put(kind, digest, bytes);
  await transaction.publish(async () => undefined);
}

async function get(store: ObjectStore, objects: readonly ObjectId[]): Promise<string[]> {
  return (await store.reader().getMany(objects)).map((bytes) => Buffer.from(bytes).toString('base64'));
}

/** Reads by runs; each object with its bytes, out of the frame where one is given, and all the frames. */
export async function readRuns(reader: StoredReader, ids: readonly ObjectId[]) {
  const objects: TestObject[] = [];
  const frames: ObjectId[][] = [];
  const runs = await reader.runs(ids);
  for (const run of runs) {
    const { frame, contents } = await run.read((bytes) => Buffer.alloc(bytes));
    if (contents !== undefined) {
      for (const [i, id] of run.ids.entries()) objects.push({ ...id, bytes: Buffer.from(contents[i]) });
      continue;
    }
    const raw = await openFrame(frame, frame.stored);
    let at = 0;
    for (const [i, id] of frame.ids.entries())
      objects.push({ ...id, bytes: Buffer.from(raw.subarray(at, (at += frame.lengths[i]))) });
    expect(at).toBe(frame.rawBytes);
    frames.push([...frame.ids]);
  }
  return { objects, frames, open: runs.map(({ open }) => open) };
}

const base64 = (objects: readonly TestObject[]) =>
  objects.map(({ bytes }) => Buffer.from(bytes).toString('base64'));

export function objectStoreContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(name, () => {
    let opened: ObjectStore[] = [];
    const fresh = async () => {
      const store = await open();
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened) await store[Symbol.asyncDispose]();
      opened = [];
    });

    test('an object put is an object got, whatever its kind and length', async () => {
      const store = await fresh();
      const objects = [chunkOf(''), chunkOf('a'), ...chunks(20, 3000), ...chunks(3, 256 * 1024), nodeOf('n')];
      await putAll(store, objects);
      expect(await get(store, objects)).toEqual(base64(objects));
    });

    test('objects come in the order asked, as often as asked', async () => {
      const store = await fresh();
      const [a, b] = chunks(2, 5000);
      await putAll(store, [a, b]);
      expect(await get(store, [b, a, b])).toEqual(base64([b, a, b]));
    });

    test('what is read into memory of the caller stays there, whatever is read next', async () => {
      const store = await fresh();
      const noise = Array.from({ length: 40 }, () => {
        const bytes = randomBytes(9000);
        return { kind: CHUNK, digest: hash(bytes), bytes } as const;
      });
      await putAll(store, noise);
      const lent: Buffer[] = [];
      const reader = store.reader();
      const read = await reader.getMany(noise, (bytes) => {
        lent.push(Buffer.alloc(bytes));
        return lent.at(-1)!;
      });
      for (const other of chunks(3, 5000, 'x')) await putAll(store, [other]);
      await reader.getMany([...noise].reverse());
      const inside = read.filter(({ buffer }) => lent.some((memory) => memory.buffer === buffer));
      expect(inside.map((bytes) => Buffer.from(bytes).toString('base64'))).toEqual(
        base64(noise.filter((_, i) => inside.includes(read[i]))),
      );
    });

    test('what one reader gave stays until that one is asked again, whatever others read', async () => {
      const store = await fresh();
      const text = chunks(100, 250_000);
      const noise = Array.from({ length: 40 }, () => chunkOf(randomBytes(6000).toString('latin1')));
      const plain = Array.from({ length: 40 }, () => {
        const bytes = randomBytes(9000);
        return { kind: CHUNK, digest: hash(bytes), bytes } as const;
      });
      await putAll(store, [...text, ...noise, ...plain]);
      const asked = [text[0], noise[0], plain[0], text[50], plain[39]];
      const [one, other] = [store.reader(), store.reader()];
      const given = await one.getMany(asked);
      for (let round = 0; round < 2; round++)
        for (let i = 0; i < 100; i += 20) {
          const batch = [...text.slice(i, i + 20), ...plain, ...noise];
          expect(base64(batch)).toEqual(
            (await other.getMany(batch)).map((bytes) => Buffer.from(bytes).toString('base64')),
          );
        }
      expect(given.map((bytes) => Buffer.from(bytes).toString('base64'))).toEqual(base64(asked));
      expect(await get(store, asked)).toEqual(base64(asked));
    });

    test('in runs every object comes once, whatever is asked for, as often as that', async () => {
      const store = await fresh();
      const objects = [chunkOf(''), ...chunks(700, 3000), ...chunks(3, 300_000), nodeOf('n'), chunkOf('a')];
      await putAll(store, objects);
      for (const asked of [objects, [...objects].reverse(), objects.filter((_, i) => i % 3 > 0)]) {
        const got = await readRuns(store.reader(), [...asked, asked[5]]);
        expect(base64(got.objects).sort()).toEqual(base64([...asked, asked[5]]).sort());
        for (const { digest, bytes } of got.objects) expect(hash(bytes)).toEqual(digest);
        expect(got.open.slice(0, -1)).not.toContain(true);
      }
      expect(await store.reader().runs([])).toEqual([]);
      const absent = [...objects, chunkOf('gone')];
      await expect(store.reader().runs(absent)).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    });

    test('an absent object is missing, and getting it says so', async () => {
      const store = await fresh();
      const here = chunkOf('here');
      const gone = chunkOf('gone');
      await putAll(store, [here]);
      expect(await store.missing([gone, here])).toEqual(
        [gone].map(({ kind, digest }) => expect.objectContaining({ kind, digest })),
      );
      await expect(store.reader().getMany([here, gone])).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    });

    test('a chunk and a node of one digest are two objects', async () => {
      const store = await fresh();
      const node = nodeOf('both');
      await putAll(store, [node]);
      const asChunk = { kind: CHUNK as ObjectKind, digest: node.digest };
      expect(await store.missing([asChunk])).toHaveLength(1);
    });

    test('putting twice is putting once', async () => {
      const store = await fresh();
      const object = chunkOf('twice');
      await putAll(store, [object]);
      await using transaction = await store.begin();
      expect(transaction.has(object.kind, object.digest)).toBe(true);
      expect(transaction.put(object.kind, object.digest, object.bytes)).toBe(false);
      expect(transaction.stats.objects).toBe(0);
    });

    test('nothing is there before it is published, nor if it never is', async () => {
      const store = await fresh();
      const object = chunkOf('shy');
      {
        await using transaction = await store.begin();
        transaction.put(object.kind, object.digest, object.bytes);
        expect(transaction.has(object.kind, object.digest)).toBe(true);
        expect(await store.missing([object])).toHaveLength(1);
      }
      expect(await store.missing([object])).toHaveLength(1);
    });

    test('a transaction reads back its own nodes before it publishes them', async () => {
      const store = await fresh();
      const [old, young] = [nodeOf('old'), nodeOf('young')];
      await putAll(store, [old]);
      await using transaction = await store.begin();
      transaction.putNode(young.digest, young.bytes);
      const got = await transaction.getNodes([young.digest, old.digest]);
      expect(got.map((bytes) => Buffer.from(bytes).toString('base64'))).toEqual(base64([young, old]));
    });

    test('records are set and removed with the objects, in one step', async () => {
      const store = await fresh();
      const value = (text: string) => Buffer.from(text);
      await using first = await store.begin();
      await first.publish(async (locked) => {
        locked.setRecord('ref/a', value('1'));
        locked.setRecord('ref/b', value('2'));
        locked.setRecord('other', value('3'));
        expect(await locked.getRecord('ref/a')).toEqual(value('1'));
      });
      await using second = await store.begin();
      await second.publish(async (locked) => locked.setRecord('ref/a', undefined));
      expect(await store.getRecord('ref/a')).toBeUndefined();
      expect(Buffer.from((await store.getRecord('ref/b'))!).toString()).toBe('2');
      const rows = await store.listRecords('ref/', { limit: 10 });
      expect(rows.map(({ key }) => key)).toEqual(['ref/b']);
    });

    test('records are listed by prefix, in order, page by page', async () => {
      const store = await fresh();
      await using transaction = await store.begin();
      await transaction.publish(async (locked) => {
        for (const i of [5, 3, 1, 4, 2]) locked.setRecord(`op/${i}`, Buffer.from([i]));
        locked.setRecord('oq', Buffer.from('x'));
      });
      const first = await store.listRecords('op/', { limit: 2 });
      const rest = await store.listRecords('op/', { after: first[1].key, limit: 10 });
      expect([...first, ...rest].map(({ key }) => key)).toEqual(['op/1', 'op/2', 'op/3', 'op/4', 'op/5']);
    });

    test('if the decision fails, no record and no object of it appears', async () => {
      const store = await fresh();
      const object = chunkOf('undecided');
      await using transaction = await store.begin();
      transaction.put(object.kind, object.digest, object.bytes);
      const failing = transaction.publish(async (locked) => {
        locked.setRecord('ref/x', Buffer.from('1'));
        throw new RangeError('no');
      });
      await expect(failing).rejects.toThrow(RangeError);
      expect(await store.getRecord('ref/x')).toBeUndefined();
    });

    test('a decision may put more than memory should hold, and all of it is there', async () => {
      const store = await fresh();
      const long = Array.from({ length: 24 }, () => nodeOf(randomBytes(400_000).toString('base64')));
      const many = Array.from({ length: 70_000 }, (_, i) => chunkOf(`chunk ${i}`));
      const objects = [...long, ...many];
      await using transaction = await store.begin();
      const before = nodeOf('before');
      transaction.put(before.kind, before.digest, before.bytes);
      await transaction.publish(async (locked) => {
        for (const { kind, digest, bytes } of objects) locked.put(kind, digest, bytes);
        locked.setRecord('ref/a', Buffer.from('one'));
      });
      expect(await store.missing([before, ...objects])).toEqual([]);
      for (const part of [long, many.slice(0, 50), many.slice(-50)])
        expect(await get(store, part)).toEqual(base64(part));
      expect(Buffer.from((await store.getRecord('ref/a'))!).toString()).toBe('one');
    });

    test('two that decide at once decide one after the other', async () => {
      const store = await fresh();
      const add = async () => {
        await using transaction = await store.begin();
        await transaction.publish(async (locked) => {
          const before = await locked.getRecord('count');
          await new Promise((resolve) => setTimeout(resolve, 2));
          locked.setRecord('count', Buffer.from([(before?.[0] ?? 0) + 1]));
        });
      };
      await Promise.all(Array.from({ length: 8 }, add));
      expect((await store.getRecord('count'))?.[0]).toBe(8);
    });

    test('tells how much only some nodes need', async () => {
      const store = await fresh();
      const leaf = (digest: Uint8Array, i: number): MapEntry => ({
        ...{ key: Buffer.from(`f${i}`), kind: FILE, executable: false, size: 3000, digest },
        extra: EMPTY_BYTES,
      });
      const objects = Array.from({ length: 9 }, (_, i) => ({
        bytes: randomBytes(3000),
        i,
      }));
      const trees: Uint8Array[] = [];
      await using transaction = await store.begin();
      for (const { bytes } of objects) transaction.put(CHUNK, hash(bytes), bytes);
      for (const part of [objects.slice(0, 6), objects.slice(4)]) {
        const bytes = encodeTreeLeaf(part.map((one) => leaf(hash(one.bytes), one.i)));
        trees.push(hash(bytes));
        transaction.putNode(hash(bytes), bytes);
      }
      await transaction.publish(async () => undefined);
      const kept = async function* () {
        yield trees[1];
      };
      const none = async function* () {};
      const alone = await store.bytesOnlyBelow([trees[0]], kept);
      expect(alone).toBeGreaterThanOrEqual(4 * 3000);
      expect(alone).toBeLessThan(5 * 3000);
      expect(await store.bytesOnlyBelow([trees[0], trees[0]], none)).toBeGreaterThanOrEqual(6 * 3000);
      expect(await store.bytesOnlyBelow([trees[1]], kept)).toBe(0);
      expect(await store.bytesOnlyBelow([], kept)).toBe(0);
    });
  });
}
