import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sleep, utf8 } from '#base';
import { CHUNK, FILE, FOLDER, NODE, SYMLINK, decodeFileNode, hash, type MapEntry } from '#object';
import { entries } from '#tree';
import { sourcesByName } from '#worktree';
import { Bench, put, temporaryFolder } from './folders.ts';

async function entriesOf(bench: Bench, root: Uint8Array): Promise<Map<string, MapEntry>> {
  const found = new Map<string, MapEntry>();
  for await (const batch of entries(bench.store, root)) {
    for (const entry of batch) found.set(Buffer.from(entry.key).toString(), entry);
  }
  return found;
}

test('a snapshot holds content, exec bit, links and empty folders, and nothing else', async () => {
  const bench = new Bench();
  put(bench.dir, {
    'a/x': 'hello',
    tool: { run: '#!/bin/sh' },
    'to a': { link: 'a' },
    gone: { link: '../nowhere' },
    empty: null,
    none: '',
  });
  const { root, files, bytes, recalled } = await bench.snapshot(bench.dir);
  const found = await entriesOf(bench, root.digest);
  expect([...found.keys()]).toEqual(['a/x', 'empty/', 'gone', 'none', 'to a', 'tool']);
  expect(found.get('a/x')).toMatchObject({ kind: FILE, size: 5, executable: false });
  expect(Buffer.from(found.get('a/x')!.digest)).toEqual(Buffer.from(hash(utf8('hello'))));
  expect(found.get('tool')).toMatchObject({ kind: FILE, executable: true });
  expect(found.get('to a')).toMatchObject({ kind: SYMLINK, size: 1 });
  expect(Buffer.from(found.get('gone')!.extra).toString()).toBe('../nowhere');
  expect(found.get('empty/')).toMatchObject({ kind: FOLDER, size: 0 });
  expect({ files, bytes, recalled }).toEqual({ files: 5, bytes: 5 + 9 + 1 + 10, recalled: 0 });
});

test('an empty folder is an empty tree', async () => {
  const bench = new Bench();
  mkdirSync(bench.dir);
  expect((await bench.snapshot(bench.dir)).root).toMatchObject({ count: 0, bytes: 0 });
});

test('times and other mode bits change nothing', async () => {
  const bench = new Bench();
  put(bench.dir, { a: 'x' });
  const before = await bench.snapshot(bench.dir);
  utimesSync(join(bench.dir, 'a'), 5, 5);
  chmodSync(join(bench.dir, 'a'), 0o600);
  expect((await bench.snapshot(bench.dir)).root).toEqual(before.root);
});

test.each([256 * 1024, 256 * 1024 + 1, 9 * 1024 * 1024 + 3])(
  'a file of %i bytes is named by its content alone',
  async (size) => {
    const bench = new Bench();
    const bytes = randomBytes(size);
    put(bench.dir, { big: bytes });
    const { root } = await bench.snapshot(bench.dir);
    const { digest } = (await entriesOf(bench, root.digest)).get('big')!;
    if (size <= 256 * 1024) {
      expect(Buffer.from(digest)).toEqual(Buffer.from(hash(bytes)));
      expect(await bench.store.missing([{ kind: CHUNK, digest }])).toEqual([]);
    } else {
      const [node] = await bench.store.getNodes([digest]);
      expect(Buffer.from(decodeFileNode(node).root!.content)).toEqual(Buffer.from(hash(bytes)));
      expect(await bench.store.missing([{ kind: NODE, digest }])).toEqual([]);
    }
    const elsewhere = temporaryFolder();
    put(elsewhere, { big: bytes });
    expect((await bench.snapshot(elsewhere)).root).toEqual(root);
  },
);

test('unchanged files are recalled, changed ones are read, and the tree is the same as without a cache', async () => {
  const bench = new Bench();
  const statCache = join(bench.base, 'cache');
  put(bench.dir, { a: '1', 'b/c': '2', 'b/link': { link: 'c' }, d: randomBytes(300_000), 'e/f': '3' });
  await sleep(40);
  const first = await bench.snapshot(bench.dir, { statCache });
  expect(first.recalled).toBe(0);
  const second = await bench.snapshot(bench.dir, { statCache });
  expect(second.recalled).toBe(5);
  expect(second.root).toEqual(first.root);
  put(bench.dir, { 'b/c': 'x', 'b/new': 'y' });
  rmSync(join(bench.dir, 'e'), { recursive: true });
  const third = await bench.snapshot(bench.dir, { statCache });
  expect(third.recalled).toBe(3);
  expect(third.root).toEqual((await bench.snapshot(bench.dir)).root);
});

test('a change within the clock tick of the snapshot is seen, with the same size and time', async () => {
  const bench = new Bench();
  const statCache = join(bench.base, 'cache');
  const file = join(bench.dir, 'a');
  for (let round = 0; round < 20; round++) {
    put(bench.dir, { a: `1${round % 10}` });
    const { root } = await bench.snapshot(bench.dir, { statCache });
    writeFileSync(file, `2${round % 10}`);
    utimesSync(file, 1.7e9 + 0.5, 1.7e9 + 0.5);
    expect((await bench.snapshot(bench.dir, { statCache })).root.digest).not.toEqual(root.digest);
  }
});

test('a recalled file that the store no longer has is read again', async () => {
  const bench = new Bench();
  const other = new Bench();
  const statCache = join(bench.base, 'cache');
  put(bench.dir, { a: '1' });
  await sleep(40);
  await bench.snapshot(bench.dir, { statCache });
  await using tx = await other.store.begin();
  const later = { ...tx, epoch: 1 };
  const result = await other.snapshot(bench.dir, { statCache, tx: later });
  expect(result.recalled).toBe(0);
  expect(tx.has(CHUNK, hash(utf8('1')))).toBe(true);
});

test('several paths go under their names, in any order, and may not overlap', async () => {
  const bench = new Bench();
  put(bench.dir, { 'x/f': '1', 'x.txt': '2', 'y/g': '3', 'x/empty': null });
  const at = (name: string) => join(bench.dir, name);
  const { root } = await bench.snapshot('', { sources: sourcesByName([at('y'), at('x.txt'), at('x/')]) });
  expect([...(await entriesOf(bench, root.digest)).keys()]).toEqual(['x.txt', 'x/empty/', 'x/f', 'y/g']);
  const overlapping = [
    { path: at('x'), dest: 'd' },
    { path: at('y'), dest: 'd/e' },
  ];
  await expect(bench.snapshot('', { sources: overlapping })).rejects.toMatchObject({ code: 'USAGE' });
  const sources = [{ path: at('x'), dest: '../d' }];
  await expect(bench.snapshot('', { sources })).rejects.toMatchObject({ code: 'TREE_UNSAFE' });
});

test('a link that is named is followed; a path that is not there is not found', async () => {
  const bench = new Bench();
  put(bench.dir, { 'real/f': '1' });
  symlinkSync('real', join(bench.dir, 'link'));
  const real = await bench.snapshot(join(bench.dir, 'real'));
  expect((await bench.snapshot(join(bench.dir, 'link'))).root).toEqual(real.root);
  await expect(bench.snapshot(join(bench.dir, 'none'))).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' });
});

test('a large file that grows all the time is refused by name; one that changed once is read again', async () => {
  const bench = new Bench();
  put(bench.dir, { growing: randomBytes(9_000_000) });
  const file = join(bench.dir, 'growing');
  await using tx = await bench.store.begin();
  let changes = 0;
  const changing = (times: number) => ({
    ...tx,
    put: (...put: Parameters<typeof tx.put>) => {
      if (changes < times) appendFileSync(file, 'x', { flag: 'a' });
      changes++;
      return tx.put(...put);
    },
  });
  await expect(bench.snapshot(bench.dir, { tx: changing(Infinity) })).rejects.toMatchObject({
    code: 'FILE_CHANGED',
    message: expect.stringContaining('growing'),
  });
  changes = 0;
  const { root } = await bench.snapshot(bench.dir, { tx: changing(1) });
  const elsewhere = temporaryFolder();
  put(elsewhere, { growing: readFileSync(file) });
  expect(root).toEqual((await bench.snapshot(elsewhere)).root);
});

test('it stops when told to, and tells how far it is', async () => {
  const bench = new Bench();
  put(bench.dir, { a: '12', b: '345' });
  const signal = AbortSignal.abort();
  await expect(bench.snapshot(bench.dir, { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  const told: unknown[] = [];
  await bench.snapshot(bench.dir, { onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toEqual({ files: 2, bytes: 5 });
});

test('equal folders give equal trees whatever order they were made in', async () => {
  const path = fc
    .stringMatching(/^[ab.]{1,3}(\/[ab\u{1f600}\ufb01]{1,2}){0,2}$/u)
    .filter((text) => !/(^|\/)\.{1,2}(\/|$)/.test(text));
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), async (paths) => {
      const fits = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
      const bench = new Bench();
      const [a, b] = [temporaryFolder(), temporaryFolder()];
      put(a, Object.fromEntries(fits.map((one) => [one, `content of ${one}`])));
      put(b, Object.fromEntries([...fits].reverse().map((one) => [one, `content of ${one}`])));
      expect((await bench.snapshot(a)).root).toEqual((await bench.snapshot(b)).root);
    }),
    { numRuns: 20 },
  );
});
