import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareUtf8 } from '#base';
import { foldsNames } from '#worktree';
import { TwinWatch } from '../../src/worktree/folding.ts';
import { contentsOf, temporaryFolder } from './folders.ts';

function watch(...paths: string[]): void {
  const twins = new TwinWatch();
  for (const path of paths.sort(compareUtf8)) twins.pass(path);
}

test.each([
  [['a', 'A']],
  [['Foo', 'bar', 'foo']],
  [['e\u0301', '\u00e9']],
  [['d/x', 'D/y']],
  [['d/Sub/x', 'd/m', 'd/sub/y']],
  [['file/x', 'FILE']],
  [['empty/', 'EMPTY/x']],
])('twins are refused: %j', (paths) => {
  expect(() => watch(...paths)).toThrow(expect.objectContaining({ code: 'TREE_UNSAFE' }));
});

test('equal names in different folders, and one folder seen again and again, are fine', () => {
  watch('a', 'b/a', 'b/c/a', 'b/d', 'b/e/', 'c/a', 'c/b/a');
});

test('looking whether a folder folds leaves nothing behind', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'in'));
  expect(foldsNames(join(folder, 'in/not/there'))).toBe(foldsNames(folder));
  expect(contentsOf(folder)).toEqual({ in: null });
});
