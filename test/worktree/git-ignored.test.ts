import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gitWouldTake } from '#worktree';
import { temporaryFolder } from './folders.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;

const CASES: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['nothing ignores it', {}, 'data/cifar'],
  ['its own line', { '.gitignore': '/data/cifar/\n' }, 'data/cifar'],
  ['a folder above it', { '.gitignore': 'data/\n' }, 'data/cifar'],
  ['a name anywhere', { '.gitignore': 'cifar\n' }, 'data/deep/cifar'],
  ['a file further down', { 'data/.gitignore': 'cifar/\n' }, 'data/cifar'],
  ['taken back further down', { '.gitignore': 'cifar/\n', 'data/.gitignore': '!cifar/\n' }, 'data/cifar'],
  [
    'taken back too late: the folder above is out',
    { '.gitignore': 'data/\n', 'data/.gitignore': '!cifar/\n' },
    'data/cifar',
  ],
  ['another case', { '.gitignore': 'CIFAR/\n' }, 'data/cifar'],
  ['everything', { 'artifacts/.gitignore': '*\n' }, 'artifacts/cifar'],
  ['escaped', { '.gitignore': '/a\\[1\\] b/\n' }, 'a[1] b'],
];

describe('whether Git would take a folder', () => {
  test.skipIf(!hasGit).each(CASES)('%s: as Git itself says', (_, files, folder) => {
    const root = temporaryFolder();
    spawnSync('git', ['init', '-q'], { cwd: root });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, folder, 'file'), '');
    const { status } = spawnSync('git', ['check-ignore', '-q', `${folder}/file`], { cwd: root });
    expect(gitWouldTake(root, join(root, folder))).toBe(status === 1);
  });

  test('outside of Git it would not', () => {
    const root = temporaryFolder();
    expect(gitWouldTake(root, join(root, 'data'))).toBe(false);
  });
});
