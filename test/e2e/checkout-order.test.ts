/** Checks out where the order of steps matters: links, empty folders and files in any order, and names of one file. */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dice } from '../dice.ts';
import { Place, art } from './art.ts';

const NAMES = ['A', 'L', 'M', 'c', 'p', 'z'];

function grow(folder: string, roll: (n: number) => number, depth: number): void {
  mkdirSync(folder);
  for (const name of NAMES) {
    const path = join(folder, name);
    const kind = roll(5);
    if (kind === 0) writeFileSync(path, `${name}${depth}`);
    else if (kind === 1) symlinkSync('nowhere', path);
    else if (kind < 4 && depth > 0) grow(path, roll, depth - 1);
  }
}

test('a folder is made once, whoever needs it first', { timeout: 60_000 }, () => {
  using place = new Place();
  const roll = dice(1);
  art(place.path, 'init');
  for (let round = 0; round < 12; round++) {
    const tree = join(place.path, `t${round}`);
    mkdirSync(tree);
    grow(join(tree, 'all'), roll, 2);
    writeFileSync(join(tree, 'all', 'B'), `${round}`);
    expect(art(place.path, 'commit', `t${round}`, tree, '--no-bind')).toMatchObject({ status: 0 });
    const made = art(place.path, 'checkout', `t${round}`, `o${round}`, '--no-bind');
    expect(made.stderr).toBe('');
    expect(made.status).toBe(0);
    execFileSync('diff', ['-r', '--no-dereference', tree, join(place.path, `o${round}`)]);
  }
});

test('several names of one file go, and are written over, together', () => {
  using place = new Place();
  const folder = join(place.path, 'd');
  const at = (name: string) => join(folder, name);
  const run = (...words: string[]) =>
    expect(art(place.path, ...words)).toMatchObject({
      status: 0,
      stderr: expect.not.stringContaining('error') as string,
    });
  const shown = () => readdirSync(folder).map((name) => `${name} ${readFileSync(at(name), 'utf8')}`);
  const linked = (text: string, ...names: string[]) => {
    for (const name of names) rmSync(at(name), { force: true });
    writeFileSync(at(names[0]), text);
    for (const name of names.slice(1)) linkSync(at(names[0]), at(name));
  };
  art(place.path, 'init');
  mkdirSync(folder);
  writeFileSync(at('z'), '0');
  run('commit', 'n', 'd');
  linked('1', 'a', 'b', 'c');
  run('commit');
  run('checkout', 'n:v0');
  expect(shown()).toEqual(['z 0']);
  run('checkout', 'n:v1');
  linked('2', 'a', 'b', 'c');
  run('checkout', 'n:v1', '--force');
  expect(shown()).toEqual(['a 1', 'b 1', 'c 1', 'z 0']);
  linked('3', 'x', 'y');
  run('checkout', 'n:v1', '--force', '--clean');
  expect(shown()).toEqual(['a 1', 'b 1', 'c 1', 'z 0']);
  run('verify', 'n:v1', 'd');
  linked('4', 'a', 'b');
  run('download', 'n:v1', 'd');
  expect(shown()).toEqual(['a 1', 'b 1', 'c 1', 'z 0']);
});
