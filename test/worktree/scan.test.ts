import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes, utf8 } from '#base';
import { scan, type ScanOptions } from '../../src/worktree/scan.ts';
import { PathFilter } from '#worktree';
import { put, temporaryFolder, type Contents } from './folders.ts';

function pathsIn(folder: string, more: Partial<ScanOptions> = {}): string[] {
  const batches = scan({ folder, tmpDir: temporaryFolder(), irregular: 'refuse', ...more });
  return [...batches].flat().map(({ path, ignored }) => (ignored ? `(${path})` : path));
}

function scanned(contents: Contents, more: Partial<ScanOptions> = {}): string[] {
  const folder = temporaryFolder();
  put(folder, contents);
  return pathsIn(folder, more);
}

test('entries come in the order of their keys as UTF-8 bytes', () => {
  const names = [
    'a',
    'a.txt',
    'a-/x',
    'ab',
    'b/x',
    'b.txt',
    'b0',
    '\ufb01',
    '\u{1f600}',
    'e\u0301',
    ' ',
    'line\nbreak',
    '\u00e9/z',
    '\ufffd',
  ];
  const found = scanned(Object.fromEntries(names.map((name) => [name, ''])));
  expect(found).toEqual(names.sort((a, b) => compareBytes(utf8(a), utf8(b))));
});

test('folders too large for memory come in the same order, each name once', () => {
  const name = fc
    .stringMatching(/^[a-c.\-\u00e9\ufb01\u{1f600}]{1,4}$/u)
    .filter((text) => text !== '.' && text !== '..');
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { maxLength: 30 }),
      fc.integer({ min: 1, max: 7 }),
      (names, namesMax) => {
        const folder = temporaryFolder();
        put(folder, Object.fromEntries(names.map((text, i) => [i % 3 === 0 ? `${text}/in` : text, 'x'])));
        expect(pathsIn(folder, { namesMax })).toEqual(pathsIn(folder));
      },
    ),
    { numRuns: 25 },
  );
});

test('a folder counts as empty when it has no name in it, whatever the names are', () => {
  const contents = {
    '.artignore': '*.log',
    empty: null,
    'deep/empty': null,
    'ignored/x.log': 'x',
    'git/.git/x': 'x',
    'ours/.art-tmp-1': 'x',
  };
  expect(scanned(contents)).toEqual(['.artignore', 'deep/empty/', 'empty/', 'ours/']);
});

test('links are entries and never followed', () => {
  expect(scanned({ 'd/f': 'x', 'to-d': { link: 'd' }, dangling: { link: 'nowhere' } })).toEqual([
    'd/f',
    'dangling',
    'to-d',
  ]);
});

test('never part of a version: our folder, Git, unfinished files, and the two files of the root', () => {
  const contents = {
    '.art/x': '',
    '.git/x': '',
    'a/.git': '',
    '.art-tmp-1': '',
    'art.toml': '',
    'art.lock': '',
    'a/art.toml': '',
  };
  const folder = temporaryFolder();
  put(folder, contents);
  expect(pathsIn(folder)).toEqual(['a/art.toml', 'art.lock', 'art.toml']);
  expect(pathsIn(folder, { stopAt: folder })).toEqual(['a/art.toml']);
});

test('a repository of its own is left out, and told of; whoever names it means it', () => {
  const contents = {
    'a/f': '',
    'own/.art/format': '1',
    'own/f': '',
    'own/deep/f': '',
    'other/.art/f': '',
    'other/f': '',
  };
  const folder = temporaryFolder();
  put(folder, contents);
  const told: string[] = [];
  const onRepository = (path: string) => told.push(path);
  expect(pathsIn(folder, { onRepository })).toEqual(['a/f', 'other/f']);
  expect(told).toEqual(['own/']);
  expect(pathsIn(folder, { ignored: 'report' })).toEqual(['a/f', '(other/.art/)', 'other/f', '(own/)']);
  expect(pathsIn(join(folder, 'own'), { onRepository })).toEqual(['deep/f', 'f']);
  // Our own, met from outside.
  expect(pathsIn(folder, { onRepository, stopAt: join(folder, 'own') })).toEqual([
    'a/f',
    'other/f',
    'own/deep/f',
    'own/f',
  ]);
  expect(told).toEqual(['own/']);
});

test('what is left out can be asked for', () => {
  const contents = { '.artignore': 'x*\n!xyz\n', x1: '', xyz: '', 'xdir/deep': '', '.git/x': '' };
  expect(scanned(contents, { ignored: 'report' })).toEqual([
    '.artignore',
    '(.git/)',
    '(x1)',
    '(xdir/)',
    'xyz',
  ]);
});

test('.git is kept when .artignore asks for it', () => {
  expect(scanned({ '.artignore': '!.git/', '.git/config': '' })).toEqual(['.artignore', '.git/config']);
});

test('the nearest .artignore wins, from the scanned folder up to where they stop', () => {
  const root = temporaryFolder();
  put(root, {
    '.artignore': '*.tmp\n/data/sub/anchored\n',
    'data/.artignore': '!keep.tmp\n*.bak\n',
    'data/sub/a.tmp': '',
    'data/sub/keep.tmp': '',
    'data/sub/anchored': '',
    'data/sub/b.bak': '',
    'data/sub/.artignore': '!b.bak\n',
    'data/sub/c.bak': '',
  });
  const folder = join(root, 'data/sub');
  expect(pathsIn(folder, { stopAt: root })).toEqual(['.artignore', 'b.bak', 'keep.tmp']);
  expect(pathsIn(folder, { stopAt: join(root, 'data') })).toEqual([
    '.artignore',
    'a.tmp',
    'anchored',
    'b.bak',
    'keep.tmp',
  ]);
  expect(pathsIn(folder)).toEqual(['.artignore', 'a.tmp', 'anchored', 'b.bak', 'c.bak', 'keep.tmp']);
  expect(pathsIn(join(root, 'data'), { stopAt: root, dest: 'd/' })).toContain('d/sub/keep.tmp');
});

test('a folder that is named is scanned although a file above ignores it', () => {
  const root = temporaryFolder();
  put(root, { '.artignore': 'data/\n', 'data/x': '' });
  expect(pathsIn(join(root, 'data'), { stopAt: root })).toEqual(['x']);
});

test('a filter keeps to its paths and to files in the place of their folders', () => {
  const contents = { 'a/x': '', 'a/y': '', ab: '', b: '', 'c/d/e': '' };
  expect(scanned(contents, { filter: new PathFilter(['a/']) })).toEqual(['a/x', 'a/y']);
  expect(scanned(contents, { filter: new PathFilter(['a', 'c/d/']) })).toEqual(['a/x', 'a/y', 'ab', 'c/d/e']);
  expect(scanned(contents, { filter: new PathFilter(['b/z']) })).toEqual(['b']);
});

test.skipIf(process.platform === 'win32')('a named pipe is refused by name, and never opened', () => {
  const folder = temporaryFolder();
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  expect(() => pathsIn(folder)).toThrow(
    expect.objectContaining({ code: 'FILE_UNSUPPORTED', message: expect.stringContaining('named pipe') }),
  );
  expect(pathsIn(folder, { irregular: 'report' })).toEqual(['pipe']);
});

test.skipIf(process.platform !== 'linux')('a name that is not UTF-8 is refused with its bytes shown', () => {
  const folder = temporaryFolder();
  put(folder, { 'real\ufffd': '' });
  expect(pathsIn(folder)).toEqual(['real\ufffd']);
  writeFileSync(Buffer.concat([utf8(`${folder}/bad`), Buffer.from([0xff])]), '');
  expect(() => pathsIn(folder)).toThrow(
    expect.objectContaining({ code: 'PATH_INVALID_UTF8', message: expect.stringContaining('bad\\xff') }),
  );
  const invalid: string[] = [];
  expect(pathsIn(folder, { irregular: 'report', onInvalid: (path) => invalid.push(path) })).toEqual([
    'real\ufffd',
  ]);
  expect(invalid).toEqual(['bad\\xff']);
});

test.skipIf(process.getuid?.() === 0)('a folder that cannot be read is named', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'closed'));
  chmodSync(join(folder, 'closed'), 0);
  expect(() => pathsIn(folder)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  chmodSync(join(folder, 'closed'), 0o700);
});
