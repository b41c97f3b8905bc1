import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError, utf8 } from '#base';
import { PathFilter, checkTreePath, foldKey } from '#worktree';
import { textOfKey } from '../../src/worktree/paths.ts';

const HOSTILE = [
  '',
  '/',
  '/etc/passwd',
  '.',
  '..',
  '../a',
  'a/..',
  'a/../b',
  'a/./b',
  'a//b',
  'a//',
  'a/\0b',
  '.art',
  'a/.ART/b',
  '.git/hooks/pre-commit',
  'a/.Git',
  '.g\u200cit/config',
  '\u200c.git/config',
  '.art-tmp-1',
  'a/.ART-tmp-x/b',
  'n'.repeat(256),
  `a/${'\u{1f600}'.repeat(64)}`,
];

test.each(HOSTILE)('the path %j of a tree is refused', (path) => {
  expect(() => checkTreePath(path)).toThrow(expect.objectContaining({ code: 'TREE_UNSAFE' }));
});

test.each(['C:', 'a/nul', 'git~1/hooks', 'a/com1.txt', 'b\\c', 'a/b.', 'a/b '])(
  'Windows also refuses %j',
  (path) => {
    checkTreePath(path);
    expect(() => checkTreePath(path, { windows: true })).toThrow(
      expect.objectContaining({ code: 'TREE_UNSAFE' }),
    );
  },
);

test.each([
  'a',
  'a/b',
  'empty/',
  ' ',
  'a\nb',
  '...',
  '.artx',
  '.gitignore',
  '.artignore',
  'C:\\x',
  '\u{10ffff}',
])('the path %j passes', (path) => checkTreePath(path));

test('a folder of Git passes only when it is allowed', () => {
  checkTreePath('.git/config', { git: true });
  expect(() => checkTreePath('.git/../..', { git: true })).toThrow();
});

test('no path that passes leads out of its folder', () => {
  const part = fc.constantFrom('a', '.', '..', '', '/', '.git', 'b');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const path = parts.join('/');
      try {
        checkTreePath(path);
      } catch (error) {
        expect(isArtError(error, 'TREE_UNSAFE')).toBe(true);
        return;
      }
      expect(new URL(`file:///root/${path}`).pathname).toBe(`/root/${path}`);
    }),
  );
});

test('a key that is not UTF-8 is refused, one with U+FFFD in it is not', () => {
  expect(textOfKey(utf8('a\ufffd'))).toBe('a\ufffd');
  expect(() => textOfKey(Buffer.from([0x61, 0xff]))).toThrow(
    expect.objectContaining({ code: 'TREE_UNSAFE' }),
  );
});

test('names that a folding file system takes for one fold to one', () => {
  expect(foldKey('\u00c9TUDE')).toBe(foldKey('e\u0301tude'));
  expect(foldKey('stra\u00dfe')).toBe(foldKey('STRASSE'));
  expect(foldKey('a')).not.toBe(foldKey('b'));
});

test('a filter with a slash is that folder, one without is a prefix', () => {
  const filter = new PathFilter(['train/', 'train/deep/', 'val']);
  expect(filter.prefixes).toEqual(['train/', 'val']);
  expect(['train/x', 'val.csv', 'train', 'trainer/x'].map((path) => filter.matches(path))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(['train/', 'train/a/', 'validation/', 'test/'].map((folder) => filter.reaches(folder))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(new PathFilter(['a/b/c']).reaches('a/')).toBe(true);
  expect(new PathFilter().matches('anything')).toBe(true);
});
