/** What a write that fails leaves: nothing that later ones build on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { LevelStore, checkStore, collect } from '#store';
import { newStore, removeTemporaryFolders, roots, save, unlike, version } from './care.ts';
import { createJournal } from '../../src/store/journal.ts';
import { whoAmI } from '../../src/store/holder.ts';

afterEach(removeTemporaryFolders);

const KIB = 1024;
const span = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const [packed, other, small] = [
  version(span(0, 20), 250 * KIB),
  version(span(20, 40), 250 * KIB),
  version(span(50, 53), 2 * KIB),
];

/** Makes the write numbered `nth` (0 is the next) of the open database fail, as on a full disk. */
async function failWrite(store: LevelStore, nth: number): Promise<void> {
  await store.database.use(() => {
    const { table } = store.database;
    const batch = table.batch.bind(table);
    let left = nth;
    (table as { batch: unknown }).batch = () => {
      const made = batch();
      const write = made.write.bind(made);
      (made as { write: unknown }).write = async (options: { readonly sync: boolean }) => {
        if (left-- > 0) return write(options);
        throw Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' });
      };
      return made;
    };
  });
}

const problemsOf = async (store: LevelStore) => (await checkStore(store, { roots, deep: true })).problems;

describe('after a write to the database failed', () => {
  test.each([0, 1])('(number %i) no pack takes the place of one that was named', async (nth) => {
    const art = await newStore();
    await using store = new LevelStore(art);
    await failWrite(store, nth);
    await expect(save(store, 'a', packed)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await save(store, 'b', other);
    expect(await unlike(store, 'b', other)).toEqual([]);
    await save(store, 'a', packed);
    expect(await unlike(store, 'a', packed)).toEqual([]);
    expect(await problemsOf(store)).toEqual([]);
    expect(readdirSync(join(art, 'packs'))).toEqual(['00000001.journal', '00000002.pack', '00000003.pack']);
  });

  test('what the journal has already is there, and the next comes behind it', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    await failWrite(store, 0);
    await expect(save(store, 'a', small)).rejects.toMatchObject({ code: 'DISK_FULL' });
    await save(store, 'b', small);
    expect(await unlike(store, 'a', small)).toEqual([]);
    expect(await unlike(store, 'b', small)).toEqual([]);
    expect(await problemsOf(store)).toEqual([]);
  });

  test('a journal that gc began is gone on with', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    await save(store, 'dead', version(span(60, 70), 200 * KIB));
    await save(store, 'a', small);
    {
      await using transaction = await store.begin();
      await transaction.publish(async (locked) => locked.setRecord('ref/dead', undefined));
    }
    let failing: Promise<void> | undefined;
    const onProgress = ({ step }: { readonly step: string }) => {
      if (step === 'sweep') failing ??= failWrite(store, 0);
    };
    await expect(collect(store, { roots, onProgress })).rejects.toMatchObject({ code: 'DISK_FULL' });
    await save(store, 'b', packed);
    expect(readdirSync(join(art, 'packs'))).toEqual([
      '00000001.journal',
      '00000002.journal',
      '00000003.pack',
    ]);
    await collect(store, { roots });
    expect(await unlike(store, 'a', small)).toEqual([]);
    expect(await unlike(store, 'b', packed)).toEqual([]);
    expect(await problemsOf(store)).toEqual([]);
  });

  test('whoever has it pinned is told so, and others find it whole', async () => {
    const art = await newStore();
    await using store = new LevelStore(art);
    await failWrite(store, 0);
    {
      await using transaction = await store.begin();
      await expect(
        store.cache.put([{ key: Buffer.from('k'), value: Buffer.from('v') }]),
      ).rejects.toMatchObject({
        code: 'DISK_FULL',
      });
      expect(() => transaction.has(small.root.kind, small.root.digest)).toThrow('could not be written');
      await expect(store.getRecord('ref/a')).rejects.toMatchObject({ code: 'DISK_FULL' });
    }
    await save(store, 'a', small);
    expect(await unlike(store, 'a', small)).toEqual([]);
  });
});

test('a pack or journal that the database does not know of is never replaced', async () => {
  const art = await newStore();
  const strange = join(art, 'packs', '00000002.pack');
  {
    await using store = new LevelStore(art);
    await store.database.use(() => writeFileSync(strange, 'somebody else wrote this'));
    await expect(save(store, 'a', packed)).rejects.toMatchObject({
      code: 'IO_FAILED',
      message: expect.stringContaining(strange),
    });
    expect(readFileSync(strange, 'utf8')).toBe('somebody else wrote this');
    await save(store, 'a', packed);
    expect(await unlike(store, 'a', packed)).toEqual([]);
  }
  const journal = join(art, 'packs', '00000001.journal');
  cpSync(journal, join(art, 'packs', '00000009.journal'));
  expect(() => createJournal(join(art, 'packs', '00000009.journal'))).toThrow('does not know of');
  expect(statSync(join(art, 'packs', '00000009.journal')).size).toBe(statSync(journal).size);
});

test('a journal that is too long is left for a new one, also if that was begun already', async () => {
  const art = await newStore();
  await using store = new LevelStore(art);
  const { meta } = await store.database.use(() => store.database);
  // As if 64 MiB had been written: the file has a hole there.
  truncateSync(join(art, 'packs', '00000001.journal'), 65 * KIB * KIB);
  await store.database.use(() =>
    store.database.write([store.database.setMeta({ ...meta, journalEnd: 65 * KIB * KIB })]),
  );
  createJournal(join(art, 'packs', '00000002.journal'));
  await save(store, 'a', small);
  expect(store.database.meta).toMatchObject({ journal: 2, nextPack: 3 });
  expect(await unlike(store, 'a', small)).toEqual([]);
});

describe('a database that others have', () => {
  test('an operation that stepped aside and is not let in again fails as LOCKED, and others go on', async () => {
    const art = await newStore();
    await using store = new LevelStore(art, { waitMsMax: 50 });
    const owner = join(art, 'lock', 'owner');
    const aside = async () => {
      await using transaction = await store.begin();
      // Somebody who cannot be seen from here takes the lock meanwhile.
      await transaction.aside(async () =>
        writeFileSync(owner, JSON.stringify({ ...whoAmI('x'), host: 'far' })),
      );
    };
    await expect(aside()).rejects.toMatchObject({ code: 'LOCKED' });
    await expect(store.getRecord('ref/a')).rejects.toMatchObject({ code: 'LOCKED' });
    store.database.lock.break();
    await save(store, 'a', small);
    expect(await unlike(store, 'a', small)).toEqual([]);
  });

  test('without the lock it is LOCKED, not damaged', async () => {
    const art = await newStore();
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { Level } from 'level'; await new Level(${JSON.stringify(join(art, 'objects'))}).open();
         console.log('open'); setInterval(() => {}, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      await once(child.stdout, 'data');
      await using store = new LevelStore(art);
      await expect(store.getRecord('ref/a')).rejects.toMatchObject({ code: 'LOCKED' });
    } finally {
      child.kill();
    }
  });
});
