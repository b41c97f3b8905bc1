/** A loss of power after a first push: apart from the others, as the file system is watched. */
import type * as fs from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openBucket } from '#sync';

const disk = vi.hoisted(() => ({ opened: new Map<number, string>(), synced: new Set<string>() }));
vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  const watched = {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>) => {
      const fd = real.openSync(...args);
      disk.opened.set(fd, String(args[0]));
      return fd;
    },
    fsyncSync: (fd: number) => {
      real.fsyncSync(fd);
      disk.synced.add(disk.opened.get(fd) ?? '');
    },
  };
  return { ...watched, default: watched };
});

test('the name of a folder that a first push makes is durable', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'art-open-'));
  try {
    await using _bucket = await openBucket(join(parent, 'share'), { cwd: parent, absent: 'made' });
    expect(disk.synced).toContain(parent);
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
});
