/** Goes through a day beside Git, with the real one. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Place, art } from './art.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;

function git(cwd: string, ...words: string[]): { readonly status: number | null; readonly stdout: string } {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'init.defaultBranch=main'];
  const { status, stdout } = spawnSync('git', [...who, ...words], { cwd, encoding: 'utf8' });
  return { status, stdout };
}

/** A Git work tree with a repository and one bound folder, everything committed in both. */
function project(): Place {
  const place = new Place();
  git(place.path, 'init', '-q');
  art(place.path, 'init');
  mkdirSync(join(place.path, 'data'));
  writeFileSync(join(place.path, '.gitignore'), '/data/\n');
  writeFileSync(join(place.path, 'data', 'rows.csv'), 'one\n');
  expect(art(place.path, 'commit', 'rows', 'data')).toMatchObject({ status: 0, stderr: '' });
  commitAll(place, 'first');
  return place;
}

function commitAll(place: Place, message: string): void {
  git(place.path, 'add', '.');
  expect(git(place.path, 'commit', '-q', '-m', message).status).toBe(0);
}

function change(place: Place, text: string): void {
  writeFileSync(join(place.path, 'data', 'rows.csv'), text);
  expect(art(place.path, 'commit').status).toBe(0);
  commitAll(place, text);
}

const rows = (place: Place) => readFileSync(join(place.path, 'data', 'rows.csv'), 'utf8');

describe.skipIf(!hasGit)('beside Git', () => {
  test('`git add .` takes two small files of art, whatever the data is', { timeout: 60_000 }, () => {
    using place = project();
    expect(art(place.path, 'checkout', 'rows', 'artifacts/copy').status).toBe(0);
    expect(art(place.path, 'download', 'rows').status).toBe(0);
    git(place.path, 'add', '.');
    expect(git(place.path, 'ls-files').stdout).toBe('.gitignore\nart.lock\nart.toml\n');
  });

  test('a folder that Git would take is told of once, with the line to add', { timeout: 60_000 }, () => {
    using place = project();
    mkdirSync(join(place.path, 'my data', '[1]'), { recursive: true });
    writeFileSync(join(place.path, 'my data', '[1]', 'x'), 'x');
    const bound = art(place.path, 'commit', 'other', 'my data/[1]');
    const line = '/my data/\\[1]/';
    expect(bound.stderr).toBe(
      `warning: Git would take the files in "my data/[1]" too: add the line ${line} to .gitignore\n`,
    );
    expect(git(place.path, 'status', '--porcelain', '-uall').stdout).toContain('my data/[1]/x');
    writeFileSync(join(place.path, '.gitignore'), `/data/\n${line}\n`);
    expect(git(place.path, 'status', '--porcelain', '-uall').stdout).not.toContain('my data');
    expect(art(place.path, 'commit', 'other', 'my data/[1]').stderr).toBe('');
  });

  test('a branch switch and `art checkout` bring the matching data', { timeout: 60_000 }, () => {
    using place = project();
    git(place.path, 'checkout', '-q', '-b', 'work');
    change(place, 'two\n');
    git(place.path, 'checkout', '-q', 'main');
    expect(rows(place)).toBe('two\n');
    expect(art(place.path, 'checkout')).toMatchObject({ status: 0, stderr: '' });
    expect(rows(place)).toBe('one\n');
    git(place.path, 'checkout', '-q', 'work');
    art(place.path, 'checkout');
    expect(rows(place)).toBe('two\n');
    expect(git(place.path, 'status', '--porcelain').stdout).toBe('');
  });

  test('a merge conflict in art.lock names its line and how to settle it', { timeout: 60_000 }, () => {
    using place = project();
    git(place.path, 'checkout', '-q', '-b', 'work');
    change(place, 'two\n');
    git(place.path, 'checkout', '-q', 'main');
    art(place.path, 'checkout');
    change(place, 'three\n');
    expect(git(place.path, 'merge', '-q', 'work').status).toBe(1);
    for (const command of ['checkout', 'commit', 'status']) {
      const told = art(place.path, command);
      expect(told.status).toBe(2);
      expect(told.stderr).toBe(
        'error: art.lock:2: a merge conflict is not resolved here [CONFIG_INVALID]\n' +
          'hint: Settle the conflict: keep one of the two lines and remove the markers, then run `art checkout`.\n',
      );
    }
    const lock = join(place.path, 'art.lock');
    const lines = readFileSync(lock, 'utf8').split('\n');
    const theirs = lines.slice(lines.indexOf('=======') + 1).filter((line) => !line.startsWith('>>>>>>>'));
    writeFileSync(lock, [lines[0], ...theirs].join('\n'));
    expect(art(place.path, 'checkout')).toMatchObject({ status: 0, stderr: '' });
    expect(rows(place)).toBe('two\n');
    commitAll(place, 'merged');
  });

  test('a merge conflict in art.toml is told the same way', { timeout: 60_000 }, () => {
    using place = project();
    const file = join(place.path, 'art.toml');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}<<<<<<< HEAD\n=======\n>>>>>>> work\n`);
    const told = art(place.path, 'checkout');
    expect(told.status).toBe(2);
    expect(told.stderr).toMatch(/^error: art\.toml:\d+: a merge conflict .*\nhint: Settle the conflict/);
  });

  test('a fresh clone says how to get a repository', { timeout: 60_000 }, () => {
    using place = project();
    using elsewhere = new Place();
    git(elsewhere.path, 'clone', '-q', place.path, 'clone');
    const clone = join(elsewhere.path, 'clone');
    const told = art(clone, 'checkout');
    expect(told.status).toBe(3);
    expect(told.stderr).toContain('hint: Run `art init && art pull && art checkout`.');
    expect(art(clone, 'init').status).toBe(0);
    const missing = art(clone, 'checkout');
    expect(missing.status).toBe(3);
    expect(missing.stderr).toMatch(/art\.lock wants "rows" at bafyr4i.* which is not here/);
    rmSync(join(place.path, 'data'), { recursive: true });
    expect(art(place.path, 'checkout', '--locked', 'rows').status).toBe(0);
    expect(rows(place)).toBe('one\n');
  });
});
