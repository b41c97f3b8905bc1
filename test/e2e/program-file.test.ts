/** Checks that art starts from whatever bytecode it finds beside it, and keeps its own where there is none. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { ART, Place } from './art.ts';

const ROOT = join(dirname(ART), '..', '..');
let place: Place;
let bin: string;

beforeEach(() => {
  place = new Place();
  bin = join(place.path, 'installed', 'dist', 'bin');
  mkdirSync(bin, { recursive: true });
  for (const name of ['art.cjs', 'program.cjs']) cpSync(join(dirname(ART), name), join(bin, name));
  cpSync(join(ROOT, 'package.json'), join(place.path, 'installed', 'package.json'));
  symlinkSync(join(ROOT, 'node_modules'), join(place.path, 'installed', 'node_modules'));
  return () => place[Symbol.dispose]();
});

const kept = () => readdirSync(bin).filter((name) => name.startsWith('program.') && name !== 'program.cjs');

function help(...flags: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, join(bin, 'art.cjs'), '--help'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

test('the build has kept bytecode for the Node that it ran on', () => {
  const names = readdirSync(dirname(ART)).filter((name) => name.endsWith('.code'));
  const made = `program.${process.versions.v8}-${process.platform}-${process.arch}`;
  expect(names.sort()).toEqual(['brief', 'status', 'whole'].map((kind) => `${made}.${kind}.code`));
});

test('where none is kept, the first command keeps it, and the next ones start from it', () => {
  const said = help();
  const [name, ...more] = kept();
  expect(more).toEqual([]);
  const before = readFileSync(join(bin, name));
  expect(help()).toBe(said);
  expect(kept()).toEqual([name]);
  expect(readFileSync(join(bin, name)).equals(before)).toBe(true);
});

test('what only looks starts from bytecode of its own, and leaves that of the rest', () => {
  help();
  const [whole] = kept();
  const before = readFileSync(join(bin, whole));
  for (let round = 0; round < 2; round++) {
    const run = spawnSync(process.execPath, [join(bin, 'art.cjs'), 'log'], {
      cwd: place.path,
      encoding: 'utf8',
    });
    expect(run.stderr).toMatch(/^error: neither/);
    expect(kept()).toEqual([whole.replace('whole', 'brief'), whole].sort());
  }
  expect(readFileSync(join(bin, whole)).equals(before)).toBe(true);
});

test.each([
  ['torn', (code: Buffer) => code.subarray(0, code.length - 100_000)],
  ['flipped', (code: Buffer) => (code.fill(0xff, 5000, 9000), code)],
  ['empty', () => Buffer.alloc(0)],
])('bytecode that is %s is passed over and replaced', (_, spoil) => {
  const said = help();
  const path = join(bin, kept()[0]);
  const whole = readFileSync(path).length;
  const spoilt = spoil(readFileSync(path));
  writeFileSync(path, spoilt);
  expect(help()).toBe(said);
  expect(readFileSync(path).equals(spoilt)).toBe(false);
  expect(readFileSync(path).length).toBeGreaterThan(whole / 2);
});

test('bytecode of another build of the same length is passed over', () => {
  help();
  const path = join(bin, 'program.cjs');
  const text = readFileSync(path, 'latin1');
  writeFileSync(path, text.replaceAll('Keep a folder or files', 'KEEP A FOLDER OR FILES'));
  expect(help()).toContain('KEEP A FOLDER OR FILES');
});

test('under flags that the bytecode was not made under, art runs without it and leaves it', () => {
  const said = help();
  const path = join(bin, kept()[0]);
  const before = readFileSync(path);
  expect(help('--no-opt')).toBe(said);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('where it cannot be kept, art starts all the same and leaves nothing behind', () => {
  const said = help();
  const path = join(bin, kept()[0]);
  rmSync(path);
  mkdirSync(join(path, 'in the way'), { recursive: true });
  expect(help()).toBe(said);
  expect(kept()).toEqual([basename(path)]);
});

test('what is loaded only when it is needed can be loaded', () => {
  const text = readFileSync(join(dirname(ART), 'program.cjs'), 'latin1');
  expect(text.match(/[^\w.$]import\(/g)).toBeNull(); // Such a script has nobody who would import for it.
});

test.each([
  ['missing', (path: string) => rmSync(path), /ENOENT/],
  // What V8 says of it depends on what lies where it ends.
  ['torn', (path: string) => truncateSync(path, 400_000), /whole: (?!.*ENOENT)\S/],
])('a program that is %s is told in two lines', (_, spoil, why) => {
  spoil(join(bin, 'program.cjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(bin, 'art.cjs'), 'log'], {
    encoding: 'utf8',
  });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^error: art is not installed whole: .* \[FAILED\]\nhint: Install it again\.\n$/);
  expect(stderr).toMatch(why);
  expect(kept()).toEqual([]);
});

test('the packages that we depend on are enough: those that they depend on need not be seen from here', () => {
  const installed = join(place.path, 'installed');
  const packages = join(installed, 'node_modules');
  rmSync(packages);
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(packages, name));
  }
  makeRepository(installed, 'repository');
});

function makeRepository(installed: string, name: string): void {
  const cwd = join(place.path, name);
  mkdirSync(cwd);
  const argv = [join(installed, 'dist', 'bin', 'art.cjs'), 'init'];
  const { status, stderr } = spawnSync(process.execPath, argv, { cwd, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}
