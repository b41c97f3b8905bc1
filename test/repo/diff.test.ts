import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Renames } from '../../src/repo/renames.ts';
import type { ContentChange, DiffRequest, DiffRow } from '#repo';
import { Scene } from './scene.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.make();
});
afterEach(() => scene[Symbol.asyncDispose]());

function commit(): Promise<unknown> {
  return scene.in((repository) => repository.commit({ name: 'd', paths: [scene.path('d')], bind: true }));
}

async function rowsOf(request: DiffRequest): Promise<DiffRow[]> {
  return scene.in(async (repository) => {
    using comparison = await repository.diff(request);
    const rows: DiffRow[] = [];
    for await (const batch of comparison.changes())
      for (const { path, change, from, sizeBefore, sizeAfter } of batch)
        rows.push({ path, change, from, sizeBefore, sizeAfter });
    return rows;
  });
}

/** How the content of each modified path differs. */
async function contents(request: DiffRequest): Promise<Record<string, ContentChange>> {
  return scene.in(async (repository) => {
    using comparison = await repository.diff(request);
    const found: Record<string, ContentChange> = {};
    for await (const batch of comparison.changes())
      for (const change of batch) found[change.path] = await comparison.content(change);
    return found;
  });
}

const shown = (rows: readonly DiffRow[]) =>
  rows.map(({ change, from, path }) => `${change} ${from === null ? '' : `${from} -> `}${path}`);

describe('two versions, and a version and its folder', () => {
  test('differ by what was added, removed, modified and renamed, in the order of paths', async () => {
    scene.write({ 'd/a': 'one', 'd/b': 'two', 'd/c/x': 'three', 'd/same': 'same', 'd/gone': 'gone' });
    mkdirSync(scene.path('d/empty'));
    await commit();
    scene.write({ 'd/a': 'ONE!', 'd/b': null, 'd/gone': null, 'd/new': 'new', 'd/empty/now': 'full' });
    scene.write({ 'd/c/moved': 'two' });
    chmodSync(scene.path('d/c/x'), 0o755);
    const inFolder = await rowsOf({ before: 'd' });
    expect(shown(inFolder)).toEqual([
      'modified a',
      'renamed b -> c/moved',
      'modified c/x',
      'added empty/now',
      'removed gone',
      'added new',
    ]);
    expect(inFolder[0]).toMatchObject({ sizeBefore: 3, sizeAfter: 4 });
    expect(inFolder[4]).toEqual({
      path: 'gone',
      change: 'removed',
      from: null,
      sizeBefore: 4,
      sizeAfter: null,
    });
    await commit();
    expect(await rowsOf({ before: 'd:v0', after: 'd:v1' })).toEqual(inFolder);
    expect(shown(await rowsOf({ before: 'd~1', after: 'd', paths: ['c/', 'n'] }))).toEqual([
      'added c/moved',
      'modified c/x',
      'added new',
    ]);
    expect(await rowsOf({ before: 'd' })).toEqual([]);
  });

  test('pair equal contents one to one, in the order of paths', async () => {
    scene.write({ 'd/a1': 'x', 'd/a2': 'x', 'd/a3': 'x' });
    await commit();
    scene.write({ 'd/a1': null, 'd/a2': null, 'd/a3': null, 'd/b1': 'x', 'd/A0': 'x' });
    const expected = ['renamed a1 -> A0', 'removed a3', 'renamed a2 -> b1'];
    expect(shown(await rowsOf({ before: 'd' }))).toEqual(expected);
    await commit();
    expect(shown(await rowsOf({ before: 'd:v0', after: 'd' }))).toEqual(expected);
  });

  test('name the folder art last put it into, if none is bound', async () => {
    scene.write({ 'd/a': 'one' });
    await scene.in((repository) => repository.commit({ name: 'd', paths: [scene.path('d')], bind: false }));
    await scene.in((repository) => repository.checkout({ spec: 'd', dir: scene.path('out') }));
    rmSync(scene.path('d'), { recursive: true });
    scene.write({ 'out/b': 'two' });
    expect(shown(await rowsOf({ before: 'd' }))).toEqual(['added b']);
    rmSync(scene.path('out'), { recursive: true });
    await expect(rowsOf({ before: 'd' })).rejects.toMatchObject({ code: 'BINDING_NOT_FOUND' });
  });

  test('say when the folder holds another version than the one named', async () => {
    scene.write({ 'd/a': 'one' });
    await commit();
    scene.write({ 'd/a': 'two' });
    await commit();
    expect(shown(await rowsOf({ before: 'd:v0' }))).toEqual(['modified a']);
    expect(scene.warnings).toContain('the folder holds v1; it is compared with v0');
  });
});

describe('content', () => {
  test('is compared by lines, rows, chunks or targets', async () => {
    const large = Buffer.alloc(
      3_000_000,
      Buffer.from(Array.from({ length: 65_537 }, (_, i) => (i * i * 31 + (i >> 3)) & 255)),
    );
    scene.write({ 'd/t': 'a\nb\n', 'd/r.csv': 'h\n1\n2\n', 'd/big': large, 'd/x': 'same' });
    symlinkSync('a', scene.path('d/l'));
    await commit();
    large[10] ^= 1;
    scene.write({ 'd/t': 'a\nc\n', 'd/r.csv': 'h\n2\n3\n', 'd/big': large, 'd/l': null });
    symlinkSync('b', scene.path('d/l'));
    chmodSync(scene.path('d/x'), 0o755);
    const inFolder = await contents({ before: 'd' });
    await commit();
    const inVersions = await contents({ before: 'd:v0', after: 'd:v1' });
    expect(inFolder).toEqual(inVersions);
    expect(inVersions['t']).toMatchObject({ kind: 'text', hunks: [{ beforeStart: 1, beforeLines: 2 }] });
    expect(inVersions['r.csv']).toEqual({
      kind: 'rows',
      added: 1,
      removed: 1,
      addedSamples: ['3'],
      removedSamples: ['1'],
    });
    expect(inVersions['l']).toEqual({ kind: 'link', before: 'a', after: 'b' });
    expect(inVersions['x']).toEqual({ kind: 'none' });
    const big = inVersions['big'];
    expect(big).toMatchObject({ kind: 'bytes', why: 'binary' });
    expect(big.kind === 'bytes' && big.similarity).toBeGreaterThan(0.8);
  });
});

test('renames remember a bounded number of sources', () => {
  const renames = new Renames({ sourcesMax: 10_000 });
  const side = { kind: 0, executable: false, size: 1, target: new Uint8Array(0) } as const;
  const digest = Buffer.alloc(32);
  for (let row = 0; row <= 10_000; row++) {
    digest.writeUInt32LE(row);
    renames.addSource({ ...side, digest }, row, row * 10);
  }
  expect(renames.bounded).toBe(true);
  digest.writeUInt32LE(9_999);
  renames.addTarget({ ...side, digest }, 0);
  expect(renames.sourceOf(0)).toBe(99_990);
  digest.writeUInt32LE(10_000);
  renames.addTarget({ ...side, digest }, 1);
  expect(renames.sourceOf(1)).toBeUndefined();
});

const hasGit = spawnSync('git', ['--version']).status === 0;

describe.runIf(hasGit)('beside Git', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'dir/a', 'dir/b', 'dir/sub/a', 'dir-x', 'e é', 'zz/y');
  const thing = fc.record({
    // Few contents, so that there are many renames, and among them pairs to choose from.
    content: fc.constantFrom('', '1', '2', '3\n', '4\n'),
    kind: fc.constantFrom('file', 'file', 'file', 'exec', 'link'),
  });
  const folder = fc.dictionary(name, thing, { noNullPrototype: true });

  function write(files: Readonly<Record<string, { readonly content: string; readonly kind: string }>>): void {
    rmSync(scene.path('d'), { recursive: true, force: true });
    mkdirSync(scene.path('d'));
    for (const [path, { content, kind }] of Object.entries(files)) {
      const at = scene.path('d', path);
      mkdirSync(dirname(at), { recursive: true });
      if (kind === 'link') symlinkSync(content || 'nowhere', at);
      else writeFileSync(at, content, { mode: kind === 'exec' ? 0o755 : 0o644 });
    }
  }

  function git(...words: string[]): string {
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    const options = [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      '-c',
      'core.fileMode=true',
      '-c',
      'core.autocrlf=false',
    ];
    const place = [`--git-dir=${scene.path('git')}`, `--work-tree=${scene.path('d')}`];
    return execFileSync('git', [...options, ...place, ...words], {
      env,
      encoding: 'utf8',
      cwd: scene.path('d'),
    });
  }

  /** As Git sees it: what each path of the work tree is. */
  function commitBoth(): Promise<unknown> {
    git('add', '-A', '.');
    git('commit', '-q', '--allow-empty', '-m', 'x');
    return scene.in((repository) =>
      repository.commit({ name: 'd', paths: [scene.path('d')], allowEmpty: true }),
    );
  }

  test('the same paths are modified, and as many added, removed and renamed', async () => {
    let made = 0;
    execFileSync('git', ['init', '-q', '--bare', scene.path('git')]);
    await fc.assert(
      fc.asyncProperty(folder, folder, async (before, after) => {
        write({ ...before, keep: { content: `unlike any ${++made}`, kind: 'file' } });
        await commitBoth();
        write({ ...after, keep: { content: `unlike any ${++made}`, kind: 'file' } });
        const inFolder = await rowsOf({ before: 'd' });
        await commitBoth();
        const mine = await rowsOf({ before: 'd~1', after: 'd' });
        expect(inFolder).toEqual(mine);
        const fields = git('diff', '--name-status', '-M100%', '-l0', '-z', 'HEAD~1', 'HEAD').split('\0');
        const counts: Record<string, string[]> = { A: [], D: [], M: [], T: [], R: [] };
        for (let i = 0; fields[i]; i += fields[i].startsWith('R') ? 3 : 2)
          counts[fields[i][0]].push(fields[i].startsWith('R') ? fields[i + 2] : fields[i + 1]);
        const paths = (change: string) => mine.filter((row) => row.change === change).map(({ path }) => path);
        expect(paths('modified').sort()).toEqual([...counts['M'], ...counts['T']].sort());
        expect(paths('added').length).toBe(counts['A'].length);
        expect(paths('removed').length).toBe(counts['D'].length);
        expect(paths('renamed').length).toBe(counts['R'].length);
        for (const { path, from, change } of mine) {
          if (change !== 'renamed') continue;
          expect(contentOf(after[path])).toBe(contentOf(before[from!]));
        }
      }),
      { numRuns: Number(process.env['ART_TEST_ROUNDS'] ?? 8) },
    );
  });

  const contentOf = ({ content, kind }: { readonly content: string; readonly kind: string }) =>
    kind === 'link' ? `link ${content || 'nowhere'}` : content;
});
