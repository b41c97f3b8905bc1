/** Whatever bytes stand in the stat cache or in a checkout's plan: nothing breaks, hangs or takes much memory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8 } from '#base';
import { FILE, SYMLINK, hash } from '#object';
import { DiskEntry } from '../../src/worktree/disk-entry.ts';
import { KEEP, PlanRowWriter, REMOVE, WRITE, decodePlanRow } from '../../src/worktree/plan-row.ts';
import { StatCacheReader } from '../../src/worktree/stat-cache.ts';
import { StatCacheWriter } from '../../src/worktree/stat-cache-writer.ts';
import { MemoryWatch, RUNS, expectRefusal, hostile } from '../hostile.ts';
import { temporaryFolder } from './folders.ts';

const KIB = 1024;
const OLD = 1_600_000_000_000.25;

function entry(path: string, kind: typeof FILE | typeof SYMLINK): DiskEntry {
  const stat = { size: 7, mtimeMs: OLD, ctimeMs: OLD, ino: 2 ** 40, executable: kind === FILE };
  return Object.assign(new DiskEntry(path, `/x/${path}`, kind), stat);
}

test('a stat cache with any bytes recalls what was written, or nothing', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'cache');
  const entries = Array.from({ length: 900 }, (_, i) =>
    entry(`a/folder/file-${String(i).padStart(4, '0')}`, i % 3 === 0 ? SYMLINK : FILE),
  );
  {
    using writer = new StatCacheWriter(path, folder);
    for (const found of entries)
      writer.add(found.path, found.kind, found.executable, found, hash(utf8(found.path)), utf8('to'));
    writer.finish({ epoch: 7, stamp: OLD + 90_000 });
  }
  const valid = readFileSync(path);
  fc.assert(
    fc.property(hostile([valid]), (bytes) => {
      writeFileSync(path, bytes);
      using memory = new MemoryWatch();
      using reader = StatCacheReader.open(path);
      for (const found of entries) {
        const row = reader?.recall(found);
        if (row !== undefined) expect(Buffer.compare(row.digest, hash(utf8(found.path)))).toBe(0);
      }
      expect(memory.largest).toBeLessThanOrEqual(256 * KIB);
    }),
    { numRuns: RUNS / 4 },
  );
});

test('a row of a plan with any bytes is a step or is refused', () => {
  const writer = new PlanRowWriter();
  const what = {
    kind: FILE as typeof FILE,
    executable: true,
    size: 7,
    digest: hash(utf8('x')),
    extra: new Uint8Array(0),
  };
  const found = entry('a/b', FILE);
  const valid = [
    writer.encode(WRITE, 'a/b', what, found, { destroys: true }),
    writer.encode(KEEP, 'a/é', what, found),
    writer.encode(REMOVE, 'a/c', undefined, found),
  ].map((bytes) => Buffer.from(bytes));
  expectRefusal(hostile(valid), decodePlanRow, {
    codes: ['OBJECT_INVALID'],
    bytesMax: KIB,
    holds: ({ action, digest }) => {
      expect([KEEP, WRITE, REMOVE]).toContain(action);
      expect(digest).toHaveLength(32);
    },
  });
});
