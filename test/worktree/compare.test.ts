import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sleep } from '#base';
import { compareFolder, folderEquals, type CompareOptions } from '#worktree';
import { Bench, put } from './folders.ts';

async function changes(
  bench: Bench,
  tree: Uint8Array | undefined,
  more: Partial<CompareOptions> = {},
): Promise<string[]> {
  const found: string[] = [];
  const { dir, tmpDir, store } = bench;
  for await (const batch of compareFolder({ dir, tree, source: store, tmpDir, ...more })) {
    for (const { path, change } of batch) found.push(`${change} ${path}`);
  }
  return found;
}

const CONTENTS = { a: '1', 'b/c': '2', 'b/d': '3', tool: { run: 'x' }, link: { link: 'a' }, empty: null };

test('a folder that holds its tree differs in nothing', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf({ ...CONTENTS, big: randomBytes(0) });
  put(bench.dir, { ...CONTENTS, big: '' });
  expect(await changes(bench, tree)).toEqual([]);
  expect(await folderEquals({ dir: bench.dir, tree, source: bench.store, tmpDir: bench.tmpDir })).toBe(true);
});

test('each kind of change is told, in the order of paths', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf(CONTENTS);
  put(bench.dir, { ...CONTENTS, a: '9', 'b/new': '', link: { link: 'b' } });
  rmSync(join(bench.dir, 'b/c'));
  chmodSync(join(bench.dir, 'tool'), 0o644);
  rmSync(join(bench.dir, 'empty'), { recursive: true });
  expect(await changes(bench, tree)).toEqual([
    'modified a',
    'removed b/c',
    'added b/new',
    'removed empty/',
    'modified link',
    'modified tool',
  ]);
  expect(await changes(bench, tree, { paths: ['b/'] })).toEqual(['removed b/c', 'added b/new']);
});

test('an empty folder that got a file is not gone', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf(CONTENTS);
  put(bench.dir, { ...CONTENTS, 'empty/now': '1' });
  expect(await changes(bench, tree)).toEqual(['added empty/now']);
});

test('a folder that was emptied is not new', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf(CONTENTS);
  put(bench.dir, CONTENTS);
  rmSync(join(bench.dir, 'b/c'));
  rmSync(join(bench.dir, 'b/d'));
  mkdirSync(join(bench.dir, 'b-'));
  expect(await changes(bench, tree)).toEqual(['added b-/', 'removed b/c', 'removed b/d']);
});

test('a file that became a folder or a link is told as such', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf({ a: '1', b: '2', 'c/d': '3' });
  mkdirSync(bench.dir);
  put(bench.dir, { 'a/x': '1', b: { link: 'a' }, c: '3' });
  expect(await changes(bench, tree)).toEqual([
    'removed a',
    'added a/x',
    'modified b',
    'added c',
    'removed c/d',
  ]);
});

test('a folder that does not exist is empty, and so is no tree', async () => {
  const bench = new Bench();
  expect(await changes(bench, await bench.treeOf({ a: '1' }))).toEqual(['removed a']);
  put(bench.dir, { a: '1' });
  expect(await changes(bench, undefined)).toEqual(['added a']);
});

test('a large file of the same size is read', async () => {
  const bench = new Bench();
  const bytes = randomBytes(400_000);
  const tree = await bench.treeOf({ big: bytes });
  put(bench.dir, { big: bytes });
  expect(await changes(bench, tree)).toEqual([]);
  bytes[399_999] ^= 1;
  put(bench.dir, { big: bytes });
  expect(await changes(bench, tree)).toEqual(['modified big']);
});

test('with a stat cache unchanged files are believed, without one they are read', async () => {
  const bench = new Bench();
  const statCache = join(bench.base, 'cache');
  put(bench.dir, { a: '1' });
  await sleep(40);
  await bench.snapshot(bench.dir, { statCache });
  const other = await bench.treeOf({ a: '2' });
  expect(await changes(bench, other, { statCache })).toEqual(['modified a']);
  const reads = { ...bench.store, getNodes: bench.store.getNodes.bind(bench.store) };
  expect(await changes(bench, other, { statCache, source: reads })).toEqual(['modified a']);
});

test('what became ignored counts as removed, unless it is to be compared', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf({ 'a.log': '1', 'logs/b': '2', keep: '3' });
  put(bench.dir, { 'a.log': '1', 'logs/b': '2', keep: '3', '.artignore': '*.log\nlogs/\n', 'new.log': '' });
  expect(await changes(bench, tree)).toEqual(['added .artignore', 'removed a.log', 'removed logs/b']);
  expect(await changes(bench, tree, { ignored: 'compared' })).toEqual(['added .artignore']);
  writeFileSync(join(bench.dir, 'logs/b'), '9');
  expect(await changes(bench, tree, { ignored: 'compared' })).toEqual([
    'added .artignore',
    'modified logs/b',
  ]);
});

test('links on the way to a file are not followed', async () => {
  const bench = new Bench();
  const tree = await bench.treeOf({ 'd/f': '1' });
  put(bench.base, { 'outside/f': '1' });
  mkdirSync(bench.dir);
  symlinkSync('../outside', join(bench.dir, 'd'));
  expect(await changes(bench, tree)).toEqual(['added d', 'removed d/f']);
});
