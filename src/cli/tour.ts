/** Takes a new user through the main job on real data: commit, change, commit, log, checkout, verify. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const here = import.meta.dirname;
const art = join(here, 'bin', 'art.cjs');

function main(): number {
  const source = findModules(here);
  const folder = mkdtempSync(join(tmpdir(), 'art-tour-'));
  process.stdout.write(`A data set to play with: a copy of ${source}\n`);
  try {
    cpSync(source, join(folder, 'data'), { recursive: true, verbatimSymlinks: true });
    const before = fingerprint(join(folder, 'data'));
    run(folder, 'init');
    run(folder, 'commit', 'modules', 'data', '-t', 'dataset', '-m', 'as installed');
    process.stdout.write('\nNow the data changes: one file grows, one comes, one goes.\n');
    change(join(folder, 'data'));
    run(folder, 'status');
    run(folder, 'commit', '-m', 'three changes');
    run(folder, 'log', 'modules');
    run(folder, 'checkout', 'modules:v0');
    run(folder, 'verify', 'modules:v0');
    if (fingerprint(join(folder, 'data')) !== before) throw new Error('the folder is not what it was');
    process.stdout.write('\nThe folder is byte for byte what it was before the changes.\n');
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The nearest `node_modules` upward: real files of every kind, there on every machine that can run this. */
function findModules(start: string): string {
  for (let at = start; ; at = dirname(at)) {
    const modules = join(at, 'node_modules');
    if (existsSync(modules)) return modules;
    if (at === dirname(at)) return start;
  }
}

/** One hash over every path, link and byte: a second opinion that asks nothing of art. */
function fingerprint(folder: string): string {
  const all = createHash('sha256');
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const stat = lstatSync(join(folder, path));
    const content = stat.isSymbolicLink()
      ? readlinkSync(join(folder, path))
      : stat.isFile()
        ? readFileSync(join(folder, path))
        : '';
    all.update(`${path}\0${stat.isFile() && (stat.mode & 0o100) !== 0}\0`).update(content);
  }
  return all.digest('hex');
}

function change(data: string): void {
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('package.json'),
  );
  files.sort();
  appendFileSync(join(data, files[0]), '\n');
  rmSync(join(data, files[1]));
  writeFileSync(join(data, 'notes.txt'), 'what we changed and why\n');
}

function run(folder: string, ...words: string[]): void {
  process.stdout.write(
    `\n$ art ${words.map((word) => (/^[\w:./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')}\n`,
  );
  const { status, error } = spawnSync(process.execPath, [art, ...words], { cwd: folder, stdio: 'inherit' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`art ${words[0]} ended with status ${status}`);
}

process.exitCode = main();
