import { mkdtempSync, rmSync } from 'node:fs';
import type * as fs from 'node:fs/promises';
import { link } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { FolderBucket } from '#sync';
import { body } from '../contract/bucket.ts';

/** Folders whose new names a loss of power may take back. */
const unsynced = new Set<string>();

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  return {
    ...real,
    mkdir: async (path: string) => {
      await real.mkdir(path);
      unsynced.add(dirname(path));
    },
    link: async (from: string, to: string) => {
      await real.link(from, to);
      unsynced.add(dirname(to));
    },
    open: async (path: string, flags: number, mode?: number) => {
      const handle = await real.open(path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        unsynced.delete(path);
      };
      return handle;
    },
  };
});

const folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'art-folder-'));
  folders.push(made);
  return made;
};
afterEach(() => {
  unsynced.clear();
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

const errno = (code: string) => Object.assign(new Error(code), { code });

test('what was put stays where power is lost: the folders that are new for it are synced', async () => {
  const bucket = new FolderBucket(folder());
  await bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
  await bucket.putIfAbsent('refs/a/cifar/small', body('v1'));
  expect([...unsynced]).toEqual([]);
});

test.each(['packs/ab/x.pack', 'refs/a/cifar'])('also what another put into them first: %s', async (key) => {
  const root = folder();
  const other = new FolderBucket(root);
  const won: unknown[] = [];
  let tries = 0;
  const beaten = new FolderBucket(root, {
    link: async (from, to) => {
      if (tries++ > 0) won.push(await other.putIfAbsent(key, body('theirs')));
      await link(from, to);
    },
  });
  expect(await beaten.putIfAbsent(key, body('ours'))).toBeUndefined();
  expect(won).toEqual([expect.any(String)]);
  expect([...unsynced]).toEqual([]);
});

test('also where the file could not be placed, and is at the next attempt', async () => {
  let tries = 0;
  const bucket = new FolderBucket(folder(), {
    link: async (from, to) => {
      if (tries++ === 1) throw errno('EIO');
      await link(from, to);
    },
  });
  const put = () => bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
  await expect(put()).rejects.toThrow();
  expect(await put()).toEqual(expect.any(String));
  expect([...unsynced]).toEqual([]);
});
