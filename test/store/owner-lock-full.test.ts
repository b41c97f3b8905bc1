/** A lock on a disk that is full: apart from the others, as the file system is a play one. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { OwnerLock } from '#store';
import { temporaryFolder, removeTemporaryFolders } from './care.ts';

const disk = vi.hoisted(() => ({ full: false, linksMissing: false }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const failure = (code: string) => Object.assign(new Error(code), { code });
  const whole = {
    ...fs,
    writeFileSync: (...[path, text]: Parameters<typeof fs.writeFileSync>) => {
      fs.writeFileSync(path, disk.full ? '' : text);
      if (disk.full) throw failure('ENOSPC');
    },
    writeSync: (fd: number, text: string) => {
      if (disk.full) throw failure('ENOSPC');
      return fs.writeSync(fd, text);
    },
    linkSync: (from: string, to: string) => {
      if (disk.linksMissing && fs.existsSync(from)) throw failure('EPERM');
      fs.linkSync(from, to);
    },
  };
  return { ...whole, default: whole };
});

afterEach(() => {
  disk.full = disk.linksMissing = false;
  removeTemporaryFolders();
});

test.each([true, false])('a lock that could not be written is nobody’s (hard links: %s)', async (links) => {
  const folder = temporaryFolder();
  disk.linksMissing = !links;
  const lock = new OwnerLock(folder, undefined, 200);
  if (!links) {
    await lock.acquire();
    lock.release();
  }
  disk.full = true;
  await expect(lock.acquire()).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(existsSync(join(folder, 'owner'))).toBe(false);
  disk.full = false;
  await lock.acquire();
  expect(lock.holder()).toMatchObject({ pid: process.pid });
  await expect(new OwnerLock(folder, undefined, 50).acquire()).rejects.toMatchObject({ code: 'LOCKED' });
  lock.release();
  expect(existsSync(join(folder, 'owner'))).toBe(false);
  lock.close();
  for (const name of readdirSync(folder)) if (name.startsWith('process-')) rmSync(join(folder, name));
  expect(readdirSync(folder)).toEqual([]);
});
