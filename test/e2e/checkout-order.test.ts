/** Checks out random trees into a folder that is not there yet: links, empty folders and files in any order. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
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
