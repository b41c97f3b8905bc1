/** Compares `diff` with `diff -rq` and Git on real packages: those installed here, and what moving around makes of them. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DiffRow } from '#repo';
import { GitBeside, hasGit, shown } from './git-beside.ts';
import { Scene } from './scene.ts';

const INSTALLED = join(import.meta.dirname, '..', '..', 'node_modules');
const PACKAGES = ['cborg', 'multiformats', 'prettier', 'yargs'];

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.make();
});
afterEach(() => scene[Symbol.asyncDispose]());

/** Every file below `folder`, by its path in it, sorted. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => statSync(join(folder, name)).isFile()).sort();
}

function put(folder: string, from: string, to: string, place: typeof renameSync): void {
  mkdirSync(dirname(join(folder, to)), { recursive: true });
  place(join(folder, from), join(folder, to));
}

/** Every third file stands twice from the beginning, so that what moves has twins to be mistaken for. */
function twin(folder: string): void {
  for (const [i, path] of filesIn(folder).entries())
    if (i % 3 === 0)
      put(folder, path, `twins/${i % 2 === 0 ? path : `${i}-${basename(path)}`}`, copyFileSync);
}

/** Does what a release does: files are edited, removed, copied, moved to other folders and given other names. */
function release(folder: string): void {
  for (const [i, path] of filesIn(folder).entries()) {
    if (i % 7 === 0) rmSync(join(folder, path));
    else if (i % 5 === 0) put(folder, path, `moved/${path}`, renameSync);
    else if (i % 11 === 0) put(folder, path, `${dirname(path)}/renamed-${i}`, renameSync);
    else if (i % 13 === 0) appendFileSync(join(folder, path), '\nedited\n');
    else if (i % 17 === 0) put(folder, path, `copies/${basename(path)}`, copyFileSync);
  }
  const [first] = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  renameSync(join(folder, first.name), join(folder, `the-${first.name}`));
}

/** What `diff -rq` says: the files that differ, and those on one side only. */
function diffOf(before: string, after: string): Record<'modified' | 'left' | 'came', string[]> {
  const { stdout, status } = spawnSync('diff', ['-rq', before, after], { encoding: 'utf8' });
  expect(status).toBe(1);
  const found = { modified: [] as string[], left: [] as string[], came: [] as string[] };
  for (const line of stdout.split('\n').filter(Boolean)) {
    const [, differs] = /^Files (.*) and .* differ$/.exec(line) ?? [];
    if (differs !== undefined) {
      found.modified.push(relative(before, differs));
      continue;
    }
    const [, folder, name] = /^Only in (.*): (.*)$/.exec(line)!;
    const at = join(folder, name);
    const side = at.startsWith(`${before}/`) ? before : after;
    const paths = statSync(at).isFile() ? [at] : filesIn(at).map((path) => join(at, path));
    found[side === before ? 'left' : 'came'].push(...paths.map((path) => relative(side, path)));
  }
  return found;
}

async function rowsBetween(before: string, after?: string): Promise<DiffRow[]> {
  return scene.in(async (repository) => {
    using comparison = await repository.diff({ before, ...(after !== undefined && { after }) });
    const rows: DiffRow[] = [];
    for await (const batch of comparison.changes())
      for (const { path, change, from, sizeBefore, sizeAfter } of batch)
        // The others know nothing of empty folders.
        if (!path.endsWith('/')) rows.push({ path, change, from, sizeBefore, sizeAfter });
    return rows;
  });
}

function pathsOf(rows: readonly DiffRow[], ...changes: readonly DiffRow['change'][]): string[] {
  return rows.filter(({ change }) => changes.includes(change)).map(({ path }) => path);
}

describe.runIf(hasGit)('versions of a package', () => {
  test.each(PACKAGES)('%s', async (name) => {
    const folder = scene.path('d');
    const commit = () =>
      scene.in((repository) => repository.commit({ name: 'd', paths: [folder], bind: true }));
    cpSync(join(INSTALLED, name), folder, { recursive: true });
    twin(folder);
    const git = new GitBeside(scene.path('git'), folder);
    git.commitAll();
    await commit();
    cpSync(folder, scene.path('before'), { recursive: true });
    release(folder);
    git.commitAll();
    const inFolder = await rowsBetween('d');
    await commit();
    const rows = await rowsBetween('d:v0', 'd:v1');
    expect(inFolder).toEqual(rows);

    expect(shown(rows).sort()).toEqual(git.lastChanges().sort());
    expect(new Set(rows.map(({ change }) => change)).size).toBe(4);
    const { modified, left, came } = diffOf(scene.path('before'), folder);
    expect(pathsOf(rows, 'modified').sort()).toEqual(modified.sort());
    expect(pathsOf(rows, 'added', 'renamed').sort()).toEqual(came.sort());
    const moved = rows.filter(({ change }) => change === 'renamed').map(({ from }) => from!);
    expect([...pathsOf(rows, 'removed'), ...moved].sort()).toEqual(left.sort());
  });
});
