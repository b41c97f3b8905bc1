import {
  cpSync,
  existsSync,
  openSync,
  closeSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, afterAll, describe, expect, test } from 'vitest';
import { LevelStore, checkStore, collect, rebuildDatabase } from '#store';
import type { Checked } from '#store';
import { forget, imageOf, newStore, removeTemporaryFolders, roots, save, unlike, version } from './care.ts';
import type { TestVersion } from './care.ts';

/** What `level` has on Node and does not declare. */
interface Compactable {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
}

const KIB = 1024;
const span = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

// A pack, a journal, tiny and large chunks, a removed record, and a database with tables as well as a log.
const versions = new Map<string, TestVersion>([
  ['packed', version(span(0, 20), 250 * KIB)],
  ['small', version(span(30, 40), 500)],
  ['middle', version(span(0, 8), 20 * KIB)],
]);

async function storeOf(art: string): Promise<string> {
  await using store = new LevelStore(art);
  for (const [name, of] of versions) await save(store, name, of);
  await save(store, 'gone', versions.get('small')!);
  await forget(store, 'gone');
  await store.database.use(() =>
    (store.database.table as unknown as Compactable).compactRange(Buffer.from([0]), Buffer.from([255])),
  );
  await store.rest();
  await save(store, 'last', versions.get('middle')!);
  versions.set('last', versions.get('middle')!);
  return art;
}

async function check(art: string, options: { readonly deep?: boolean } = {}): Promise<Checked> {
  await using store = new LevelStore(art);
  return await checkStore(store, { roots, ...options });
}

async function expectWhole(art: string, names: Iterable<string> = versions.keys()): Promise<void> {
  await using store = new LevelStore(art);
  for (const name of names) expect(await unlike(store, name, versions.get(name)!)).toEqual([]);
  expect(await store.getRecord('ref/gone')).toBeUndefined();
  expect((await checkStore(store, { roots, deep: true })).problems).toEqual([]);
}

function flip(path: string, offset: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, offset);
  byte[0] ^= 0x41;
  writeSync(fd, byte, 0, 1, offset);
  closeSync(fd);
}

let whole: string;
beforeAll(async () => {
  whole = await storeOf(await newStore());
});
afterAll(removeTemporaryFolders);
const images: string[] = [];
const image = () => {
  const art = imageOf(whole);
  images.push(art);
  return art;
};
afterEach(() => {
  for (const art of images.splice(0)) rmSync(art, { recursive: true, force: true });
});

const filesOf = (art: string, folder: string) =>
  readdirSync(join(art, folder)).filter((name) => !/^(LOCK|LOG|LOG.old)$/.test(name));
const fileOf = (art: string, end: string) =>
  join(
    art,
    'packs',
    readdirSync(join(art, 'packs')).find((name) => name.endsWith(end))!,
  );

describe('rebuildDatabase', () => {
  test('a whole store checks clean, deep or not', async () => {
    expect(await check(image())).toMatchObject({ problems: [], damaged: [], healable: true });
    expect(await check(image(), { deep: true })).toMatchObject({ problems: [], damaged: [] });
  });

  test('brings everything back from packs alone', async () => {
    const art = image();
    rmSync(join(art, 'objects'), { recursive: true });
    expect(await check(art)).toMatchObject({ healable: true, problems: [expect.stringContaining('gone')] });
    const rebuilt = await rebuildDatabase(art, { roots });
    expect(rebuilt).toMatchObject({ problems: [], lost: [], rescued: 0, records: versions.size });
    await expectWhole(art);
  });

  test('each file of the database may be gone', async () => {
    for (const name of filesOf(whole, 'objects')) {
      const art = image();
      rmSync(join(art, 'objects', name));
      const { problems, healable } = await check(art);
      const lostLog = name.endsWith('.log') && problems.length === 0; // The journal has it all.
      if (!lostLog) expect(problems, name).not.toEqual([]);
      expect(healable, name).toBe(true);
      await rebuildDatabase(art, { roots });
      await expectWhole(art);
    }
  });

  test('any byte of the database may be flipped: it is found unless it means nothing, and mended', async () => {
    const found = new Map<string, number>();
    for (const name of filesOf(whole, 'objects')) {
      const bytes = statSync(join(whole, 'objects', name)).size;
      const offsets = new Set([
        0,
        5,
        bytes - 1,
        bytes - 48,
        ...span(1, 5).map((i) => Math.floor((bytes * i) / 5)),
      ]);
      for (const offset of offsets) {
        if (offset < 0 || offset >= bytes) continue;
        const art = image();
        flip(join(art, 'objects', name), offset);
        const { problems } = await check(art);
        found.set(name, (found.get(name) ?? 0) + (problems.length > 0 ? 1 : 0));
        if (problems.length > 0) {
          await rebuildDatabase(art, { roots });
          await expectWhole(art);
        } else await expectWhole(art);
        rmSync(art, { recursive: true });
      }
    }
    for (const [name, count] of found) expect(count, name).toBeGreaterThan(0);
  }, 120_000);

  test('an interrupted swap is finished or done again', async () => {
    for (const state of ['old moved away', 'new one in place', 'new one begun']) {
      const art = image();
      const aside = join(art, 'tmp', 'objects-0123456789abcdef');
      if (state === 'old moved away') {
        cpSync(join(art, 'objects'), `${aside}.ready`, { recursive: true });
        renameSync(join(art, 'objects'), `${aside}.old`);
      } else
        cpSync(join(art, 'objects'), state === 'new one in place' ? `${aside}.old` : `${aside}.new`, {
          recursive: true,
        });
      await rebuildDatabase(art, { roots });
      expect(readdirSync(join(art, 'tmp'))).toEqual([]);
      await expectWhole(art);
    }
  });

  test('what gc has removed does not come back as nodes with holes', async () => {
    const art = image();
    const dead = version(span(60, 63), 3 * KIB);
    {
      await using store = new LevelStore(art);
      await save(store, 'dead', dead);
      await forget(store, 'dead');
      expect((await collect(store, { roots })).objectsRemoved).toBe(4);
    }
    rmSync(join(art, 'objects'), { recursive: true });
    expect(await rebuildDatabase(art, { roots })).toMatchObject({ droppedNodes: 1 });
    await expectWhole(art);
    await using store = new LevelStore(art);
    expect(await store.missing([dead.root])).toHaveLength(1);
  });

  test('who began before a rebuild looks up again what it relied on', async () => {
    const art = image();
    await using store = new LevelStore(art);
    const epoch = await store.epoch();
    await store.rest();
    rmSync(join(art, 'objects'), { recursive: true });
    await rebuildDatabase(art, { roots });
    expect(await store.epoch()).toBeGreaterThan(epoch);
  });
});

describe('a sound database mends journals', () => {
  const mended = async (art: string) => {
    const { problems, healable } = await check(art, { deep: true });
    expect(problems).not.toEqual([]);
    expect(healable).toBe(true);
    const rebuilt = await rebuildDatabase(art, { roots, deep: true });
    expect(rebuilt.lost).toEqual([]);
    await expectWhole(art, ['packed', 'small']);
    rmSync(join(art, 'objects'), { recursive: true });
    await rebuildDatabase(art, { roots });
    await expectWhole(art, ['packed', 'small']);
  };
  // Chunks over 1 KiB that only the journal had are lost with it: the versions without such are whole.
  const dropMiddle = async (art: string) => {
    await using store = new LevelStore(art);
    await forget(store, 'middle');
    await forget(store, 'last');
    await collect(store, { roots });
  };

  test('that are gone', async () => {
    const art = image();
    await dropMiddle(art);
    rmSync(fileOf(art, '.journal'));
    await mended(art);
  });

  test('that were cut short', async () => {
    const art = image();
    await dropMiddle(art);
    truncateSync(fileOf(art, '.journal'), 2000);
    await mended(art);
  });

  test('that are damaged in header, middle or end', async () => {
    const bytes = statSync(fileOf(whole, '.journal')).size;
    for (const offset of [3, 40, Math.floor(bytes / 2), bytes - 5, bytes - 300]) {
      const art = image();
      await dropMiddle(art);
      flip(fileOf(art, '.journal'), offset);
      const { problems } = await check(art, { deep: true });
      if (problems.length > 0) await mended(art);
      else await expectWhole(art, ['packed', 'small']);
    }
  });
});

describe('a database whose rows are wrong, though its files are sound', () => {
  const tampered = async (tamper: (store: LevelStore) => Promise<void>) => {
    const art = image();
    {
      await using store = new LevelStore(art);
      await store.database.use(() => tamper(store));
    }
    expect(await check(art)).toMatchObject({
      healable: true,
      problems: expect.arrayContaining([expect.any(String)]),
    });
    await rebuildDatabase(art, { roots });
    await expectWhole(art);
  };
  const keyOf = ({ kind, digest }: { readonly kind: number; readonly digest: Uint8Array }) =>
    Buffer.concat([Buffer.from([kind]), digest]);
  const { root, chunks } = versions.get('packed')!;

  test('lacks a node', () => tampered((store) => store.database.table.del(keyOf(root))));
  test('lacks a chunk', () => tampered((store) => store.database.table.del(keyOf(chunks[3]))));
  test('takes one chunk for another', () =>
    tampered(async ({ database: { table } }) =>
      table.put(keyOf(chunks[3]), (await table.get(keyOf(chunks[4])))!),
    ));
  test('has a row that means nothing', () =>
    tampered(({ database: { table } }) => table.put(keyOf(chunks[3]), Buffer.from([9, 9]))));
  test('lacks a record', () => tampered(({ database: { table } }) => table.del(Buffer.from('rref/small'))));
  test('has a damaged record', () =>
    tampered(({ database: { table } }) => table.put(Buffer.from('rref/small'), Buffer.from('12345678'))));
});

describe('damage to packs', () => {
  const lostOf = async (art: string) => {
    await using store = new LevelStore(art);
    return await unlike(store, 'packed', versions.get('packed')!);
  };

  test('in the bytes of an object is found by a deep check and named', async () => {
    const art = image();
    flip(fileOf(art, '.pack'), 300 * KIB);
    expect((await check(art)).problems).toEqual([]);
    const { damaged, healable } = await check(art, { deep: true });
    expect(damaged).toHaveLength(1);
    expect(healable).toBe(false);
    await rebuildDatabase(art, { roots, deep: true });
    expect(await lostOf(art)).toHaveLength(1);
    const after = await check(art, { deep: true });
    expect(after.problems).toHaveLength(1);
    expect(after.damaged).toMatchObject([{ kind: damaged[0].kind, why: 'is not in the store' }]);
    await using store = new LevelStore(art);
    await save(store, 'packed', versions.get('packed')!);
    expect(await lostOf(art)).toEqual([]);
  });

  test('is mended from another copy', async () => {
    const art = image();
    const pack = fileOf(art, '.pack');
    cpSync(pack, join(art, 'packs', '00000900.pack'));
    flip(pack, 300 * KIB);
    flip(join(art, 'packs', '00000900.pack'), 900 * KIB);
    expect(await check(art, { deep: true })).toMatchObject({ healable: true, damaged: [{ kind: 0 }] });
    await rebuildDatabase(art, { roots, deep: true });
    await expectWhole(art);
  });

  test('in header or trailer loses no object', async () => {
    const bytes = statSync(fileOf(whole, '.pack')).size;
    for (const offset of [2, 30]) {
      const art = image();
      flip(fileOf(art, '.pack'), offset);
      expect(await check(art)).toMatchObject({ healable: true, damaged: [] });
      await rebuildDatabase(art, { roots });
      await expectWhole(art);
    }
    const art = image();
    flip(fileOf(art, '.pack'), bytes - 100);
    expect((await check(art)).problems).not.toEqual([]);
  });

  test('that is cut short or gone is found', async () => {
    const cut = image();
    truncateSync(fileOf(cut, '.pack'), 1000 * KIB);
    expect((await check(cut)).problems).not.toEqual([]);
    const gone = image();
    rmSync(fileOf(gone, '.pack'));
    const { damaged, healable } = await check(gone);
    expect(damaged).toHaveLength(20);
    expect(healable).toBe(false);
    await rebuildDatabase(gone, { roots, deep: true });
    await expectWhole(gone, ['small', 'middle']).catch(() => {});
    expect((await check(gone)).damaged).toHaveLength(20);
  });

  test('a torn end of the last journal is no damage', async () => {
    const art = image();
    const journal = fileOf(art, '.journal');
    writeFileSync(journal, Buffer.concat([readFileSync(journal), Buffer.alloc(777, 5)]));
    expect((await check(art, { deep: true })).problems).toEqual([]);
    rmSync(join(art, 'objects'), { recursive: true });
    expect((await rebuildDatabase(art, { roots })).problems).toEqual([]);
    await expectWhole(art);
  });
});

test('a rebuild that is stopped leaves everything as it was', async () => {
  const art = image();
  const signal = AbortSignal.abort();
  await expect(rebuildDatabase(art, { roots, signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(readdirSync(join(art, 'tmp'))).toEqual([]);
  await expectWhole(art);
});

test('a rebuilt store is where it was: nothing else lies about', async () => {
  const art = image();
  await rebuildDatabase(art, { roots });
  expect(readdirSync(join(art, 'tmp'))).toEqual([]);
  expect(readdirSync(join(art, 'lock'))).toEqual([]);
  expect(existsSync(join(art, 'objects', 'CURRENT'))).toBe(true);
});
