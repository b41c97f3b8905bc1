import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { FolderBucket } from '#sync';
import { body } from '../contract/bucket.ts';
import { farFs, nearFs } from '../../src/sync/folder-fs.ts';
import type { FolderFs } from '../../src/sync/folder-fs.ts';

/** Folders whose new names a loss of power may take back. */
const unsynced = new Set<string>();

function watched(fs: FolderFs): FolderFs {
  return {
    ...fs,
    mkdir: async (path, mode) => {
      await fs.mkdir(path, mode);
      unsynced.add(dirname(path));
    },
    link: async (from, to) => {
      await fs.link(from, to);
      unsynced.add(dirname(to));
    },
    open: async (path, flags, mode) => {
      const handle = await fs.open(path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        unsynced.delete(path);
      };
      return handle;
    },
  };
}

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

describe.each([
  ['near', watched(nearFs)],
  ['far', watched(farFs)],
])('on a file system that is %s', (_kind, fs) => {
  test('what was put stays where power is lost: the folders that are new for it are synced', async () => {
    const bucket = new FolderBucket(folder(), { fs });
    await bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
    await bucket.putIfAbsent('refs/a/cifar/small', body('v1'));
    expect([...unsynced]).toEqual([]);
  });

  test.each(['packs/ab/x.pack', 'refs/a/cifar'])('also what another put into them first: %s', async (key) => {
    const root = folder();
    const other = new FolderBucket(root, { fs });
    const won: unknown[] = [];
    const beaten = new FolderBucket(root, {
      fs: {
        ...fs,
        link: async (from, to) => {
          if (won.length === 0 && existsSync(dirname(to)))
            won.push(await other.putIfAbsent(key, body('theirs')));
          await fs.link(from, to);
        },
      },
    });
    expect(await beaten.putIfAbsent(key, body('ours'))).toBeUndefined();
    expect(won).toEqual([expect.any(String)]);
    expect([...unsynced]).toEqual([]);
  });

  test.each(['packs/ab/x.pack', 'refs/a/cifar'])(
    'what could not be synced is not shown before it is: %s',
    async (key) => {
      let broken = true;
      const bucket = new FolderBucket(folder(), {
        fs: {
          ...fs,
          open: async (path, flags, mode) => {
            const handle = await fs.open(path, flags, mode);
            if (broken) handle.sync = () => Promise.reject(errno('EIO'));
            return handle;
          },
        },
      });
      const uncertain = { code: 'REMOTE_UNCERTAIN' };
      await expect(bucket.putIfAbsent(key, body('mine'))).rejects.toMatchObject(uncertain);
      await expect(bucket.get(key)).rejects.toMatchObject(uncertain);
      broken = false;
      expect(unsynced.size).toBeGreaterThan(0);
      expect((await bucket.get(key))?.size).toBe(4);
      expect([...unsynced]).toEqual([]);
    },
  );

  test('nor what was linked while nobody answered', async () => {
    let silent = true;
    const bucket = new FolderBucket(folder(), {
      fs: {
        ...fs,
        link: async (from, to) => {
          await fs.link(from, to);
          if (silent) throw errno('ETIMEDOUT');
        },
        lstat: async (path) => {
          if (silent && path.includes('+tmp/')) throw errno('ETIMEDOUT');
          return fs.lstat(path);
        },
      },
    });
    await bucket.putIfAbsent('packs/ab/x.pack', body('one')).catch(() => undefined);
    silent = false;
    expect((await bucket.get('packs/ab/x.pack'))?.size).toBe(3);
    expect([...unsynced]).toEqual([]);
  });

  test('nor what came into a folder whose earlier sync ended well later', async () => {
    const root = folder();
    const path = join(root, 'packs/ab');
    const ended: (() => void)[] = [];
    let syncs = 0;
    const bucket = new FolderBucket(root, {
      fs: {
        ...fs,
        open: async (at, flags, mode) => {
          const handle = await fs.open(at, flags, mode);
          if (at !== path) return handle;
          const sync = handle.sync.bind(handle);
          handle.sync = async () => {
            if (++syncs === 2) throw errno('EIO');
            await sync();
            if (syncs === 1) await new Promise<void>((resolve) => ended.push(resolve));
          };
          return handle;
        },
      },
    });
    const first = bucket.putIfAbsent('packs/ab/a.pack', body('a'));
    while (ended.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await expect(bucket.putIfAbsent('packs/ab/b.pack', body('b'))).rejects.toMatchObject({
      code: 'REMOTE_UNCERTAIN',
    });
    ended[0]();
    await first;
    unsynced.add(path);
    expect((await bucket.get('packs/ab/b.pack'))?.size).toBe(1);
    expect([...unsynced]).toEqual([]);
  });

  test('also where the file could not be placed, and is at the next attempt', async () => {
    let hasFailed = false;
    const bucket = new FolderBucket(folder(), {
      fs: {
        ...fs,
        link: async (from, to) => {
          if (!hasFailed && existsSync(dirname(to))) {
            hasFailed = true;
            throw errno('EIO');
          }
          await fs.link(from, to);
        },
      },
    });
    const put = () => bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
    await expect(put()).rejects.toThrow();
    expect(await put()).toEqual(expect.any(String));
    expect([...unsynced]).toEqual([]);
  });

  test('also where another made the folders, or put the object, and died before it synced them', async () => {
    const root = folder();
    for (const made of ['packs', 'packs/ab', 'idx', 'idx/cd']) await fs.mkdir(join(root, made), 0o755);
    writeFileSync(join(root, 'x'), 'theirs');
    await fs.link(join(root, 'x'), join(root, 'idx/cd/x.idx'));
    const bucket = new FolderBucket(root, { fs });
    expect(await bucket.putIfAbsent('idx/cd/x.idx', body('ours'))).toBeUndefined();
    expect([...unsynced].sort()).toEqual([join(root, 'packs')]);
    await bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
    expect([...unsynced]).toEqual([]);
  });

  test('also where a folder was removed and is made again', async () => {
    const bucket = new FolderBucket(folder(), { fs });
    for (let i = 0; i < 3; i++) {
      await bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
      expect([...unsynced]).toEqual([]);
      await bucket.delete('packs/ab/x.pack');
    }
  });
});
