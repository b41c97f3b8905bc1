import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { FolderBucket, bytesBody, checkBucket, verdictOf } from '#sync';
import { body, textAt } from '../contract/bucket.ts';
import { farFs, nearFs } from '../../src/sync/folder-fs.ts';
import type { Body } from '#sync';
import type { FolderFs } from '../../src/sync/folder-fs.ts';
import { keysOf } from './samples.ts';

let folders: string[] = [];
const folder = () => {
  const made = mkdtempSync(join(tmpdir(), 'art-folder-'));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const made of folders) rmSync(made, { recursive: true, force: true });
  folders = [];
});

const errno = (code: string) => Object.assign(new Error(code), { code });
/** All files below `root`, the stage of temporary files apart. */
const files = (root: string) =>
  (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => statSync(join(root, name)).isFile())
    .sort();

describe.each([
  ['near', nearFs],
  ['far', farFs],
])('a folder bucket, on a file system that is %s', (_kind, fs) => {
  test('keeps objects as plain files and pointers as numbered ones, newest 64', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('packs/ab/x.pack', body('pack'));
    let tag = await bucket.putIfAbsent('refs/a/cifar', body('v1'));
    for (let i = 2; i <= 100; i++) tag = await bucket.putIfTag('refs/a/cifar', body(`v${i}`), tag!);
    expect(tag).toMatch(/^100-[0-9a-f]{16}$/);
    expect(readFileSync(join(root, 'packs/ab/x.pack'), 'utf8')).toBe('pack');
    const numbers = readdirSync(join(root, 'refs/a/cifar'))
      .map(Number)
      .sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 64 }, (_, i) => 37 + i));
    expect(await keysOf(bucket, '')).toEqual(['packs/ab/x.pack', 'refs/a/cifar']);
  });

  test('a pointer and those below its name, and the state of gc, are each listed once', async () => {
    const bucket = new FolderBucket(folder(), { fs });
    const keys = [
      'gc/state',
      'gc/condemned/1',
      'refs/a/x',
      'refs/a/x/y',
      'refs/a/x-y',
      'refs/a/7',
      'refs/b/7/7',
    ];
    const tags = new Map<string, string>();
    for (const key of keys) tags.set(key, (await bucket.putIfAbsent(key, body('1')))!);
    for (const key of ['gc/state', 'refs/a/x']) await bucket.putIfTag(key, body('2'), tags.get(key)!);
    expect(await keysOf(bucket, '')).toEqual([...keys].sort());
    expect(await keysOf(bucket, 'refs/a/x')).toEqual(['refs/a/x', 'refs/a/x-y', 'refs/a/x/y']);
  });

  test('a pointer of a folder that was made anew has another tag, however many values it had', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    const tags: string[] = [];
    for (const who of ['ada', 'ben']) {
      rmSync(join(root, 'refs'), { recursive: true, force: true });
      const first = await bucket.putIfAbsent('refs/a/x', body(`${who} 1`));
      tags.push((await bucket.putIfTag('refs/a/x', body(`${who} 2`), first!))!);
    }
    const [before, now] = tags;
    for await (const { tag } of bucket.list('refs/')) expect(tag).toBe(now);
    expect((await bucket.get('refs/a/x'))?.tag).toBe(now);
    expect(await bucket.putIfTag('refs/a/x', body('ada 3'), before)).toBeUndefined();
    expect(await bucket.delete('refs/a/x', { tag: before })).toBe(false);
    expect(await textAt(bucket, 'refs/a/x')).toBe('ben 2');
    expect(await bucket.delete('refs/a/x', { tag: now })).toBe(true);
  });

  test('a writer that slept through 64 swaps is told that it cannot know, and changes nothing', async () => {
    const root = folder();
    let wake: () => Promise<void> = async () => undefined;
    const sleeper = new FolderBucket(root, {
      fs: {
        ...fs,
        link: async (from, to) => {
          if (to.endsWith('/2')) await wake();
          await fs.link(from, to);
        },
      },
    });
    const awake = new FolderBucket(root, { fs });
    const first = (await awake.putIfAbsent('refs/a/x', body('1')))!;
    let tag: string | undefined = first;
    wake = async () => {
      for (let i = 2; i <= 81; i++) tag = await awake.putIfTag('refs/a/x', body(`${i}`), tag!);
    };
    await expect(sleeper.putIfTag('refs/a/x', body('late'), first)).rejects.toMatchObject({
      code: 'REMOTE_UNCERTAIN',
    });
    expect(await textAt(awake, 'refs/a/x')).toBe('81');
    expect(await awake.putIfTag('refs/a/x', body('82'), tag)).toMatch(/^82-/);
    expect(readdirSync(join(root, 'refs/a/x'))).not.toContain('2');
  });

  test('a link whose reply the share lost counts as won; one that failed counts as not known or lost', async () => {
    const root = folder();
    const lost = new FolderBucket(root, {
      fs: {
        ...fs,
        link: async (from, to) => {
          await fs.link(from, to);
          throw errno('EEXIST'); // What the server says to the second asking.
        },
      },
    });
    const tag = await lost.putIfAbsent('refs/a/x', body('mine'));
    expect(tag).toMatch(/^1-/);
    expect(await lost.putIfAbsent('packs/a', body('mine'))).toBeDefined();
    const silent = new FolderBucket(root, {
      fs: { ...fs, link: async () => Promise.reject(errno('ETIMEDOUT')) },
    });
    await expect(silent.putIfTag('refs/a/x', body('2'), tag!)).rejects.toMatchObject({
      code: 'REMOTE_UNCERTAIN',
    });
    const beaten = new FolderBucket(root, {
      fs: {
        ...fs,
        link: async (from, to) => {
          linkSync(join(root, 'packs/a'), to);
          await fs.link(from, to);
        },
      },
    });
    expect(await beaten.putIfTag('refs/a/x', body('2'), tag!)).toBeUndefined();
  });

  test('without hard links it serves one writer, and the check says so', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, {
      fs: { ...fs, link: async () => Promise.reject(errno('EPERM')) },
    });
    expect(await bucket.putIfAbsent('packs/a', body('1'))).toBeDefined();
    expect(await bucket.putIfAbsent('packs/a', body('2'))).toBeUndefined();
    const tag = await bucket.putIfAbsent('refs/a/x', body('1'));
    expect(tag).toMatch(/^1-/);
    expect(await bucket.putIfTag('refs/a/x', body('2'), tag!)).toMatch(/^2-/);
    const results = await checkBucket(bucket, { depth: 'quick', now: Date.now });
    expect(verdictOf(results)).toBe('single');
    expect(results.find(({ check }) => check === 'hard links')).toMatchObject({ ok: false });
  });

  test('temporary files are never listed; old ones are removed, young ones spared', async () => {
    const root = folder();
    mkdirSync(join(root, '+tmp'));
    for (const name of ['old', 'young']) writeFileSync(join(root, '+tmp', name), 'x');
    const longAgo = Date.now() / 1000 - 2 * 24 * 3600;
    utimesSync(join(root, '+tmp/old'), longAgo, longAgo);
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('packs/a', body('1'));
    expect(readdirSync(join(root, '+tmp'))).toEqual(['young']);
    expect(await keysOf(bucket, '')).toEqual(['packs/a']);
  });

  test('follows no link out of the folder, neither reading nor writing nor listing', async () => {
    const root = folder();
    const outside = folder();
    writeFileSync(join(outside, 'secret'), 'secret');
    mkdirSync(join(root, 'packs'));
    mkdirSync(join(root, 'refs/a/x'), { recursive: true });
    symlinkSync(join(outside, 'secret'), join(root, 'packs/file'));
    symlinkSync(outside, join(root, 'packs/dir'));
    symlinkSync(outside, join(root, 'refs/a/out'));
    symlinkSync(join(outside, 'secret'), join(root, 'refs/a/x/1'));
    const bucket = new FolderBucket(root, { fs });
    const refused = { code: 'REMOTE_FAILED' };
    await expect(bucket.get('packs/file')).rejects.toMatchObject(refused);
    await expect(bucket.get('packs/dir/secret')).rejects.toMatchObject(refused);
    await expect(bucket.putIfAbsent('packs/dir/new', body('x'))).rejects.toMatchObject(refused);
    await expect(bucket.putIfAbsent('refs/a/out', body('x'))).rejects.toMatchObject(refused);
    await expect(bucket.delete('packs/dir/secret')).rejects.toMatchObject(refused);
    const corrupt = { code: 'REMOTE_CORRUPT' };
    await expect(bucket.get('refs/a/x')).rejects.toMatchObject(corrupt);
    await expect(bucket.putIfAbsent('refs/a/x', body('x'))).rejects.toMatchObject(corrupt);
    for (const asked of ['packs/', 'refs/'])
      await expect(keysOf(bucket, asked)).rejects.toMatchObject(corrupt);
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  test.each([
    ['refs', (path: string) => symlinkSync('elsewhere', path)],
    ['refs/a', (path: string) => symlinkSync('elsewhere', path)],
    ['refs/a/x', (path: string) => symlinkSync('elsewhere', path)],
    ['refs/a/x', (path: string) => writeFileSync(path, 'odd')],
    ['refs/a/x/2', (path: string) => symlinkSync('1', path)],
    ['refs/a/x/2', (path: string) => mkdirSync(path)],
    ['gc', (path: string) => symlinkSync('elsewhere', path)],
    ['gc/condemned', (path: string) => writeFileSync(path, 'odd')],
    ['packs', (path: string) => symlinkSync('elsewhere', path)],
    ['packs', (path: string) => writeFileSync(path, 'odd')],
    ['packs/ab', (path: string) => symlinkSync('elsewhere', path)],
    ['idx/ab', (path: string) => symlinkSync('elsewhere', path)],
  ])('lists nothing while something else stands in its place: %s', async (key, put) => {
    const root = folder();
    const path = join(root, key);
    mkdirSync(dirname(path), { recursive: true });
    put(path);
    const bucket = new FolderBucket(root, { fs });
    const asked = { gc: 'gc/condemned/', refs: 'refs/', packs: 'packs/', idx: 'idx/' }[key.split('/')[0]]!;
    await expect(keysOf(bucket, asked)).rejects.toMatchObject({ code: 'REMOTE_CORRUPT' });
  });

  test.each(['.DS_Store', 'desktop.ini', 'Thumbs.db'])('passes by what systems leave: %s', async (name) => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('refs/a/x', body('1'));
    for (const at of ['', 'refs', 'refs/a', 'refs/a/x']) writeFileSync(join(root, at, name), '');
    expect(await keysOf(bucket, '')).toEqual(expect.arrayContaining(['refs/a/x']) as string[]);
    expect(await keysOf(bucket, 'refs/')).toEqual(['refs/a/x']);
  });

  test('a listing that breaks off, as where kinds are asked for one by one, is made again', async () => {
    const root = folder();
    let breaks = 3;
    const breaking: FolderFs = {
      ...fs,
      entries: async (path) => {
        const entries = await fs.entries(path);
        return (async function* () {
          for await (const entry of entries) {
            if (entry.name !== '2' && path.includes('refs') && breaks-- > 0) throw errno('ENOENT');
            yield entry;
          }
        })();
      },
    };
    const bucket = new FolderBucket(root, { fs: breaking });
    const tags = new Map<string, string>();
    for (const key of ['refs/a/x', 'refs/a/y', 'refs/b/x'])
      tags.set(key, (await new FolderBucket(root, { fs }).putIfAbsent(key, body('1')))!);
    expect(await keysOf(bucket, 'refs/')).toEqual([...tags.keys()]);
    breaks = 2;
    expect((await bucket.get('refs/a/x'))?.tag).toBe(tags.get('refs/a/x'));
    expect(breaks).toBeLessThan(0);
    breaks = Infinity;
    await expect(keysOf(bucket, 'refs/')).rejects.toMatchObject({ code: 'REMOTE_FAILED' });
  });

  test('passes by what it did not put there', async () => {
    const root = folder();
    mkdirSync(join(root, 'refs/a/x'), { recursive: true });
    for (const name of [
      'packs x',
      'refs/a/x/01',
      'refs/a/x/0',
      'refs/a/x/9999999999999999999',
      'refs/a/x/1~',
    ]) {
      writeFileSync(join(root, name), 'odd');
    }
    writeFileSync(join(root, 'ünï'), 'odd');
    const bucket = new FolderBucket(root, { fs });
    expect(await keysOf(bucket, '')).toEqual([]);
    expect(await bucket.putIfAbsent('refs/a/x', body('1'))).toMatch(/^1-/);
    expect(await keysOf(bucket, '')).toEqual(['refs/a/x']);
  });

  test('a huge file where a pointer should be is told by its size, and not read', async () => {
    const root = folder();
    mkdirSync(join(root, 'refs/a/x'), { recursive: true });
    writeFileSync(join(root, 'refs/a/x/1'), '');
    truncateSync(join(root, 'refs/a/x/1'), 8 * 2 ** 30);
    const got = await new FolderBucket(root, { fs }).get('refs/a/x');
    expect(got?.size).toBe(8 * 2 ** 30);
  });

  test('a file that becomes shorter while it is read is an error, not a short answer', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('packs/a', bytesBody(Buffer.alloc(5_000_000)));
    const got = await bucket.get('packs/a');
    truncateSync(join(root, 'packs/a'), 1_500_000);
    await expect(
      (async () => {
        for await (const _ of got!.body);
      })(),
    ).rejects.toMatchObject({ code: 'REMOTE_FAILED' });
  });

  test('whoever may write in the folder may write what others made in it', async () => {
    const root = folder();
    chmodSync(root, 0o2775);
    const mask = process.umask(0o077);
    try {
      await new FolderBucket(root, { fs }).putIfAbsent('packs/ab/x', body('1'));
    } finally {
      process.umask(mask);
    }
    expect(statSync(join(root, 'packs/ab')).mode & 0o7777).toBe(0o2775);
    expect(statSync(join(root, 'packs/ab/x')).mode & 0o7777).toBe(0o664);
  });

  test('a folder that is not there is named, by reading and by writing', async () => {
    const bucket = new FolderBucket(join(folder(), 'nowhere'), { fs });
    const missing = { code: 'BUCKET_NOT_FOUND', message: expect.stringContaining('nowhere') };
    await expect(bucket.get('format')).rejects.toMatchObject(missing);
    await expect(keysOf(bucket, '')).rejects.toMatchObject(missing);
    await expect(bucket.putIfAbsent('format', body('1'))).rejects.toMatchObject(missing);
    const root = folder();
    writeFileSync(join(root, 'file'), '');
    await expect(new FolderBucket(join(root, 'file'), { fs }).get('a')).rejects.toMatchObject({
      code: 'BUCKET_NOT_FOUND',
    });
  });

  test('a folder that vanishes is told, not taken for an empty one', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('format', body('1'));
    rmSync(root, { recursive: true });
    await expect(bucket.get('format')).rejects.toMatchObject({ code: 'BUCKET_NOT_FOUND' });
    await expect(keysOf(bucket, '')).rejects.toMatchObject({ code: 'BUCKET_NOT_FOUND' });
  });

  test('deleting removes what it leaves empty, and only that', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    for (const key of ['packs/ab/x', 'packs/ab/y', 'refs/a/x']) await bucket.putIfAbsent(key, body('1'));
    expect(await bucket.delete('packs/ab/x')).toBe(true);
    expect(await bucket.delete('refs/a/x')).toBe(true);
    expect(files(root)).toEqual(['packs/ab/y']);
    expect(readdirSync(root).sort()).toEqual(['+tmp', 'packs']);
  });

  test('a folder that vanishes while it is written to is not made anew', async () => {
    const root = folder();
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('format', body('f'));
    const vanishing: Body = {
      size: 4,
      async *open() {
        yield Buffer.from('pack');
        renameSync(root, `${root}.out`);
      },
    };
    const put = bucket.putIfAbsent('packs/ab/x.pack', vanishing);
    await expect(put.finally(() => renameSync(`${root}.out`, root))).rejects.toMatchObject({
      code: 'BUCKET_NOT_FOUND',
    });
    expect(await keysOf(new FolderBucket(root, { fs }), '')).toEqual(['format']);
  });

  test('makes no folder through a link either', async () => {
    for (const [linked, key] of [
      ['packs', 'packs/ab/x.pack'],
      ['refs', 'refs/a/x'],
      ['refs/a', 'refs/a/x'],
    ]) {
      const [root, outside] = [folder(), folder()];
      mkdirSync(join(root, linked, '..'), { recursive: true });
      symlinkSync(outside, join(root, linked));
      const put = new FolderBucket(root, { fs }).putIfAbsent(key, body('x'));
      await expect(put).rejects.toMatchObject({ code: 'REMOTE_FAILED' });
      expect(readdirSync(outside)).toEqual([]);
    }
  });

  test('a folder it makes is as open as the root, whatever the one above it is', async () => {
    const root = folder();
    chmodSync(root, 0o2775);
    mkdirSync(join(root, 'packs'));
    chmodSync(join(root, 'packs'), 0o775);
    const bucket = new FolderBucket(root, { fs });
    await bucket.putIfAbsent('packs/ab/x', body('1'));
    expect(statSync(join(root, 'packs/ab')).mode & 0o7777).toBe(0o2775);
    chmodSync(root, 0o2770);
    await bucket.putIfAbsent('packs/cd/x', body('1'));
    expect(statSync(join(root, 'packs/cd')).mode & 0o7777).toBe(0o2770);
  });

  test('without hard links nothing is written over where it cannot be told what is there', async () => {
    const root = folder();
    const link = () => Promise.reject(errno('EPERM'));
    const ours = new FolderBucket(root, { fs: { ...fs, link } });
    const first = await ours.putIfAbsent('refs/a/x', body('1'));
    // Has listed before ours was there, and cannot look again.
    const blind: FolderFs = {
      ...fs,
      entries: async (path) => {
        const entries = await fs.entries(path);
        return (async function* () {
          for await (const entry of entries) if (entry.name !== '2') yield entry;
        })();
      },
      lstat: (path) => (path.endsWith('x/2') ? Promise.reject(errno('EIO')) : fs.lstat(path)),
    };
    const theirs = new FolderBucket(root, { fs: { ...blind, link } });
    expect(await ours.putIfTag('refs/a/x', body('ours'), first!)).toEqual(expect.any(String));
    await expect(theirs.putIfTag('refs/a/x', body('theirs'), first!)).rejects.toThrow();
    expect(readFileSync(join(root, 'refs/a/x/2'), 'utf8')).toBe('ours');
  });

  test('a long list lets others have their turn, and can be broken off', async () => {
    const root = folder();
    mkdirSync(join(root, 'packs/ab'), { recursive: true });
    for (let i = 0; i < 3000; i++) writeFileSync(join(root, `packs/ab/${i}.pack`), '');
    const breaking = new AbortController();
    setTimeout(() => breaking.abort(), 1);
    const listing = (async () => {
      for (let i = 0; i < 1000; i++)
        for await (const listed of new FolderBucket(root, { fs }).list('packs/', { signal: breaking.signal }))
          void listed;
    })();
    await expect(listing).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
