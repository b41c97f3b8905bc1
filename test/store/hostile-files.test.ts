/** Whatever lies in the files of LevelDB, packs, journals and lists: checking them tells what is wrong, and ends. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LevelStore } from '#store';
import { checkLevelFiles } from '../../src/store/level-check.ts';
import { listPacks, walkPack } from '../../src/store/pack-files.ts';
import { crc32c } from '#base';
import { MemoryWatch, RUNS, hostile } from '../hostile.ts';
import { newStore, removeTemporaryFolders, save, version } from './care.ts';

const KIB = 1024;
let folder: string;
/** The files of a store's database and packs, by path. */
const files = new Map<string, Uint8Array>();

beforeAll(async () => {
  const art = await newStore();
  {
    await using store = new LevelStore(art);
    for (let i = 0; i < 30; i++) await save(store, `v${i}`, version([i, i + 1, 100], 900));
    const { table } = store.database;
    await store.database.use(async () =>
      (table as unknown as { compactRange(a: Uint8Array, b: Uint8Array): Promise<void> }).compactRange(
        Buffer.from([0]),
        Buffer.from([255]),
      ),
    );
    await save(store, 'last', version([50, 51], 20 * KIB));
  }
  folder = mkdtempSync(join(tmpdir(), 'art-hostile-'));
  for (const part of ['objects', 'packs']) {
    cpSync(join(art, part), join(folder, part), { recursive: true });
    for (const name of readdirSync(join(folder, part)))
      if (!/^LO(CK|G)/.test(name))
        files.set(join(folder, part, name), readFileSync(join(folder, part, name)));
  }
});
afterAll(() => {
  removeTemporaryFolders();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts other bytes in the place of one file while `work` looks at it; gives the most memory it took at once. */
async function withBytes(path: string, bytes: Uint8Array, work: () => Promise<unknown>): Promise<number> {
  using memory = new MemoryWatch();
  writeFileSync(path, bytes);
  try {
    await work();
  } finally {
    writeFileSync(path, files.get(path)!);
  }
  return memory.largest;
}

/** The checksums of LevelDB's blocks are masked. */
function tableFooterMended(bytes: Uint8Array): Uint8Array {
  return bytes.length < 48
    ? bytes
    : Buffer.concat([bytes.subarray(0, -8), Buffer.from('57fb808b247547db', 'hex')]);
}

test('a file of LevelDB with any bytes is told to be damaged, or is whole', async () => {
  const tables = [...files.keys()].filter((path) => path.includes('objects'));
  expect(tables.some((path) => path.endsWith('.ldb'))).toBe(true);
  const one = fc
    .constantFrom(...tables)
    .chain((path) => fc.tuple(fc.constant(path), hostile([files.get(path)!], tableFooterMended)));
  await fc.assert(
    fc.asyncProperty(one, async ([path, bytes]) => {
      const taken = await withBytes(path, bytes, async () => {
        for (const problem of await checkLevelFiles(join(folder, 'objects')))
          expect(problem).toContain(folder);
      });
      expect(taken).toBeLessThanOrEqual(5 * KIB * KIB);
    }),
    { numRuns: RUNS / 4 },
  );
}, 180_000);

test('a pack or journal with any bytes is walked to its end: segments in their order, none twice', async () => {
  const paths = listPacks(join(folder, 'packs')).map(({ path }) => path);
  const one = fc
    .constantFrom(...paths)
    .chain((path) => fc.tuple(fc.constant(path), hostile([files.get(path)!], lastTrailerSealed)));
  await fc.assert(
    fc.asyncProperty(one, async ([path, bytes]) => {
      const taken = await withBytes(path, bytes, async () => {
        const walk = walkPack(path);
        let end = 0;
        for (const segment of walk.segments) {
          expect(segment.start).toBeGreaterThanOrEqual(end);
          expect(segment.end).toBeGreaterThan(segment.start);
          end = segment.end;
        }
        expect(end).toBeLessThanOrEqual(walk.fileBytes);
        if (walk.segments.length > 0) expect(walk.end).toBe(end);
      });
      expect(taken).toBeLessThanOrEqual(16 * KIB * KIB);
    }),
    { numRuns: RUNS / 4 },
  );
}, 180_000);

function lastTrailerSealed(bytes: Uint8Array): Uint8Array {
  const sealed = Buffer.from(bytes);
  const start = sealed.lastIndexOf('ARTTRAIL');
  if (start < 0 || sealed.length - start < 60) return sealed;
  sealed.writeUInt32LE(sealed.length - start, sealed.length - 16);
  sealed.writeUInt32LE(crc32c(sealed.subarray(start, -12)), sealed.length - 12);
  sealed.write('ARTTREND', sealed.length - 8);
  return sealed;
}
