import { readFileSync, writeFileSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareUtf8, utf8 } from '#base';
import { FILE, SYMLINK, hash } from '#object';
import { DiskEntry } from '../../src/worktree/disk-entry.ts';
import { StatCacheReader } from '../../src/worktree/stat-cache.ts';
import { StatCacheWriter } from '../../src/worktree/stat-cache-writer.ts';
import { isRacy } from '../../src/worktree/stat-row.ts';
import { temporaryFolder } from './folders.ts';

const STAMP = 1_700_000_000_000.25;
const OLD = STAMP - 5000.125;

function entry(path: string, i: number): DiskEntry {
  const found = new DiskEntry(path, `/x/${path}`, i % 5 === 0 ? SYMLINK : FILE);
  return Object.assign(found, {
    size: i * 1e6,
    mtimeMs: OLD - i,
    ctimeMs: OLD,
    ino: 2 ** 40 + i,
    executable: i % 5 === 1,
  });
}

function written(path: string, entries: readonly DiskEntry[]): void {
  using writer = new StatCacheWriter(path, temporaryFolder());
  for (const found of entries) {
    writer.add(
      found.path,
      found.kind,
      found.executable,
      found,
      hash(utf8(found.path)),
      utf8(found.kind === SYMLINK ? `to ${found.path}` : ''),
    );
  }
  writer.finish({ epoch: 7, stamp: STAMP });
}

test('rows written are recalled in step, whatever else is asked between', () => {
  const paths = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(paths, (names) => {
      const path = join(temporaryFolder(), 'cache');
      const all = names.sort(compareUtf8).map(entry);
      written(
        path,
        all.filter((_, i) => i % 2 === 0),
      );
      using reader = StatCacheReader.open(path)!;
      expect(reader.epoch).toBe(7);
      all.forEach((found, i) => {
        const row = reader.recall(found);
        if (i % 2 === 1) expect(row).toBeUndefined();
        else {
          expect(row?.digest).toEqual(Buffer.from(hash(utf8(found.path))));
          expect(Buffer.from(row!.target).toString()).toBe(found.kind === SYMLINK ? `to ${found.path}` : '');
        }
      });
    }),
    { numRuns: 40 },
  );
});

test('thousands of rows span blocks', () => {
  const path = join(temporaryFolder(), 'cache');
  const all = Array.from({ length: 5000 }, (_, i) => entry(`train/${String(i).padStart(6, '0')}.jpg`, i));
  written(path, all);
  using reader = StatCacheReader.open(path)!;
  expect(all.filter((found) => reader.recall(found) !== undefined)).toHaveLength(5000);
});

test.each(['size', 'mtimeMs', 'ctimeMs', 'ino', 'executable', 'kind'] as const)(
  'a file whose %s changed is not recalled',
  (field) => {
    const path = join(temporaryFolder(), 'cache');
    const found = entry('a', 2);
    written(path, [found]);
    Object.assign(found, {
      [field]: field === 'executable' ? true : field === 'kind' ? SYMLINK : found[field] + 1,
    });
    using reader = StatCacheReader.open(path)!;
    expect(reader.recall(found)).toBeUndefined();
  },
);

test('a file touched within a tick of the stamp does not count; without a fraction, within two seconds', () => {
  const at = (mtimeMs: number, ctimeMs = mtimeMs) => isRacy({ size: 1, ino: 1, mtimeMs, ctimeMs }, STAMP);
  expect(at(STAMP - 10)).toBe(true);
  expect(at(OLD, STAMP - 10)).toBe(true);
  expect(at(STAMP + 5000)).toBe(true);
  expect(at(STAMP - 100)).toBe(false);
  expect(at(1_699_999_999_000)).toBe(true);
  expect(at(1_699_999_990_000)).toBe(false);
});

test('damage anywhere never gives a wrong row, and never an error', () => {
  const path = join(temporaryFolder(), 'cache');
  const all = Array.from({ length: 50 }, (_, i) => entry(`f${String(i).padStart(3, '0')}`, i));
  written(path, all);
  const good = readFileSync(path);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, flip, cut) => {
      const bad = Buffer.from(cut ? good.subarray(0, at) : good);
      if (!cut) bad[at] ^= flip;
      writeFileSync(path, bad);
      using reader = StatCacheReader.open(path);
      for (const found of all) {
        const row = reader?.recall(found);
        if (row) expect(Buffer.from(row.digest)).toEqual(Buffer.from(hash(utf8(found.path))));
      }
    }),
    { numRuns: 200 },
  );
});

test('a writer dropped midway leaves the old cache and no other file', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'cache');
  written(path, [entry('a', 2)]);
  const before = readFileSync(path);
  {
    using writer = new StatCacheWriter(path, folder);
    writer.add('b', FILE, false, entry('b', 3), hash(utf8('b')));
  }
  expect(readFileSync(path)).toEqual(before);
  expect(readdirSync(folder)).toEqual(['cache']);
  expect(existsSync(path)).toBe(true);
});
