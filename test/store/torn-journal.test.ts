/** What a power cut can leave of a journal: trailers are there, and not what they speak of. */
import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { CHUNK, FILE, NODE, encodeTreeLeaf, hash } from '#object';
import { LevelStore, checkStore, collect, rebuildDatabase } from '#store';
import { newStore, noise, removeTemporaryFolders, roots, save, unlike, version } from './care.ts';
import type { TestVersion } from './care.ts';

afterEach(removeTemporaryFolders);

const KIB = 1024;
const first = version([1, 2], 20 * KIB);
const plain = version([3, 4, 5], 20 * KIB);
const later = version([6, 7], 20 * KIB);
const compressed = versionOf(
  Array.from({ length: 3 }, (_, i) => Buffer.from(`row ${i} of many\n`.repeat(3000))),
);

function versionOf(contents: readonly Uint8Array[]): TestVersion {
  const chunks = contents.map((bytes) => ({ kind: CHUNK, digest: hash(bytes), bytes }) as const);
  const node = encodeTreeLeaf(
    chunks.map(({ digest, bytes }, i) => ({
      key: Buffer.from(`text-${i}`),
      kind: FILE,
      executable: false,
      size: bytes.length,
      digest,
      extra: new Uint8Array(0),
    })),
  );
  return { root: { kind: NODE, digest: hash(node), bytes: node }, chunks };
}

const journalOf = (art: string) => join(art, 'packs', '00000001.journal');

function zero(path: string, offset: number, bytes: number): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.alloc(bytes), 0, bytes, offset);
  closeSync(fd);
}

/** Saves each version; LevelDB is then as it was before the first of `unseen`. Gives where their segments begin. */
async function saved(art: string, seen: readonly TestVersion[], unseen: readonly TestVersion[]) {
  const starts: number[] = [];
  let number = 0;
  const saveAll = async (versions: readonly TestVersion[]) => {
    await using store = new LevelStore(art);
    for (const of of versions) {
      starts.push(statSync(journalOf(art)).size);
      await save(store, String(number++), of);
    }
  };
  await saveAll(seen);
  cpSync(join(art, 'objects'), join(art, 'before'), { recursive: true });
  await saveAll(unseen);
  rmSync(join(art, 'objects'), { recursive: true });
  cpSync(join(art, 'before'), join(art, 'objects'), { recursive: true });
  return starts.slice(seen.length);
}

async function problemsOf(art: string): Promise<readonly string[]> {
  await using store = new LevelStore(art);
  return (await checkStore(store, { roots, deep: true })).problems;
}

describe('a last segment with a trailer and without its bytes', () => {
  test.each([
    ['plain', plain, 4 * KIB],
    ['compressed', compressed, 64],
  ] as const)('(%s) counts as never written', async (_, torn, bytes) => {
    const art = await newStore();
    const [start] = await saved(art, [first], [torn]);
    zero(journalOf(art), start, bytes);
    {
      await using store = new LevelStore(art);
      expect(await store.getRecord('ref/1')).toBeUndefined();
      expect(await unlike(store, '0', first)).toEqual([]);
      expect(await store.missing([...torn.chunks, torn.root])).toHaveLength(torn.chunks.length + 1);
    }
    expect(await problemsOf(art)).toEqual([]);
    {
      await using store = new LevelStore(art);
      await save(store, '1', torn);
      expect(await unlike(store, '1', torn)).toEqual([]);
    }
    expect(await problemsOf(art)).toEqual([]);
    rmSync(join(art, 'objects'), { recursive: true });
    expect(await rebuildDatabase(art, { roots })).toMatchObject({ problems: [], lost: [] });
    expect(await problemsOf(art)).toEqual([]);
  });

  test('is forgotten by the process that found it, which writes something else in its place', async () => {
    const art = await newStore();
    const text = (word: string) => Buffer.from(`${word} of many rows\n`.repeat(3000));
    const other = versionOf([text('second'), noise(8, 20 * KIB)]);
    const [start] = await saved(art, [first], [versionOf([text('plenty'), noise(9, 20 * KIB)])]);
    zero(journalOf(art), start, 4 * KIB);
    await using store = new LevelStore(art);
    await save(store, '1', other);
    expect(await unlike(store, '1', other)).toEqual([]);
  });

  test('is left out of a database that is built anew, which says so and keeps it for a day', async () => {
    const art = await newStore();
    const [start] = await saved(art, [first], [plain]);
    const bytes = statSync(journalOf(art)).size;
    zero(journalOf(art), start, 4 * KIB);
    rmSync(join(art, 'objects'), { recursive: true });
    const rebuilt = await rebuildDatabase(art, { roots });
    expect(rebuilt).toMatchObject({ problems: [expect.stringContaining('the last segment')], lost: [] });
    expect(statSync(join(art, 'tmp', 'torn-00000001.journal')).size).toBe(bytes);
    await using store = new LevelStore(art);
    expect(await store.getRecord('ref/1')).toBeUndefined();
    expect(await unlike(store, '0', first)).toEqual([]);
    expect((await checkStore(store, { roots, deep: true })).problems).toEqual([]);
  });

  test('is damage if the database had seen it: what is intact of it stays', async () => {
    const art = await newStore();
    await saved(art, [first, plain], []);
    zero(journalOf(art), 62 * KIB, 1 * KIB);
    const problems = await problemsOf(art);
    expect(problems).toEqual([expect.stringContaining('is damaged in')]);
    expect(await rebuildDatabase(art, { roots, deep: true })).toMatchObject({ lost: [] });
    await using store = new LevelStore(art);
    expect(await unlike(store, '1', plain)).toHaveLength(1);
    expect(await unlike(store, '0', first)).toEqual([]);
  });
});

describe('a segment that is damaged, with others after it', () => {
  test('is said at once and by fsck; a rebuild brings back the others and names what is lost', async () => {
    const art = await newStore();
    const [start] = await saved(art, [first], [plain, later]);
    zero(journalOf(art), start, 4 * KIB);
    {
      await using store = new LevelStore(art);
      await expect(store.getRecord('ref/0')).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
        message: expect.stringContaining('and more follows it'),
      });
    }
    expect(await problemsOf(art)).toEqual([expect.stringContaining('and more follows it')]);
    await rebuildDatabase(art, { roots });
    {
      await using store = new LevelStore(art);
      expect(await unlike(store, '0', first)).toEqual([]);
      expect(await unlike(store, '2', later)).toEqual([]);
      expect(await unlike(store, '1', plain)).toHaveLength(1);
      const { damaged } = await checkStore(store, { roots });
      expect(damaged).toMatchObject([{ kind: CHUNK, why: 'is not in the store' }]);
      await save(store, '1', plain);
    }
    expect(await problemsOf(art)).toEqual([]);
  });

  test('is no torn end either if a later journal was begun', async () => {
    const art = await newStore();
    const [start] = await saved(art, [first], [plain]);
    zero(journalOf(art), start, 4 * KIB);
    const other = await newStore();
    cpSync(journalOf(other), join(art, 'packs', '00000002.journal'));
    expect(await problemsOf(art)).toEqual([expect.stringContaining('and more follows it')]);
  });

  test('is not passed over where its trailer is gone', async () => {
    const art = await newStore();
    const [, start] = await saved(art, [first], [plain, later]);
    zero(journalOf(art), start - 512, 512);
    {
      await using store = new LevelStore(art);
      await expect(store.getRecord('ref/0')).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
    }
    expect(await problemsOf(art)).toEqual(
      expect.arrayContaining([expect.stringContaining('belong to no readable segment')]),
    );
    await rebuildDatabase(art, { roots });
    await using store = new LevelStore(art);
    expect(await unlike(store, '2', later)).toEqual([]);
    expect(await store.getRecord('ref/1')).toBeUndefined();
  });
});

test('an unfinished end that holds a copy of a journal is a torn end all the same', async () => {
  const art = await newStore();
  await saved(art, [first], []);
  const copy = readFileSync(journalOf(art));
  const end = statSync(journalOf(art)).size;
  appendFileSync(journalOf(art), Buffer.concat([copy.subarray(0, 512), copy, Buffer.alloc(700)]));
  expect(await problemsOf(art)).toEqual([]);
  await using store = new LevelStore(art);
  await save(store, '1', later);
  expect(await unlike(store, '1', later)).toEqual([]);
  expect(statSync(journalOf(art)).size).toBeLessThanOrEqual(2 * end);
});

test('a journal that was begun and never got its header does not stand in the way', async () => {
  const art = await newStore();
  await saved(art, [first], []);
  closeSync(openSync(join(art, 'packs', '00000002.journal'), 'wx'));
  expect(await problemsOf(art)).toEqual([]);
  expect(readdirSync(join(art, 'packs'))).toEqual(['00000001.journal']);
});

test('what a repair set aside outlives the next gc, however old it is', async () => {
  const art = await newStore();
  await saved(art, [first], []);
  zero(journalOf(art), 0, 16);
  utimesSync(journalOf(art), 1, 1);
  await rebuildDatabase(art, { roots });
  await using store = new LevelStore(art);
  await collect(store, { roots });
  expect(existsSync(join(art, 'tmp', 'damaged-00000001.journal'))).toBe(true);
});
