import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Renames } from '../../src/repo/renames.ts';
import type { ContentChange, DiffRequest, DiffRow } from '#repo';
import { GitBeside, hasGit, shown } from './git-beside.ts';
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

/** How the content of each path differs. */
async function contents(request: DiffRequest): Promise<Record<string, ContentChange>> {
  return scene.in(async (repository) => {
    using comparison = await repository.diff(request);
    const found: Record<string, ContentChange> = {};
    for await (const batch of comparison.changes())
      for (const change of batch) found[change.path] = await comparison.content(change);
    return found;
  });
}

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

  test('pair equal contents by base name first', async () => {
    scene.write({ 'd/p/a.txt': 'x', 'd/p/b.txt': 'x', 'd/p/c.txt': 'x' });
    await commit();
    scene.write({ 'd/p/a.txt': null, 'd/p/b.txt': null, 'd/p/c.txt': null });
    scene.write({ 'd/q/b.txt': 'x', 'd/q/other': 'x' });
    expect(shown(await rowsOf({ before: 'd' }))).toEqual([
      'removed p/c.txt',
      'renamed p/b.txt -> q/b.txt',
      'renamed p/a.txt -> q/other',
    ]);
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
    scene.write({
      'd/s.csv': 'h\n1\n2\n',
      'd/bin.csv': 'PK\0\n1\n',
      'd/latin.csv': Buffer.from('é\n', 'latin1'),
    });
    scene.write({ 'd/gone': 'a\nb' });
    symlinkSync('a', scene.path('d/l'));
    await commit();
    large[10] ^= 1;
    scene.write({ 'd/t': 'a\nc\n', 'd/r.csv': 'h\n2\n3\n', 'd/big': large, 'd/l': null });
    scene.write({
      'd/s.csv': '2\n\nh\n1\n',
      'd/bin.csv': 'PK\0\n2\n',
      'd/latin.csv': Buffer.from('è\n', 'latin1'),
    });
    scene.write({ 'd/gone': null, 'd/new': 'c\n', 'd/new.csv': 'h\n1\n', 'd/new.bin': '\0', 'd/empty': '' });
    symlinkSync('b', scene.path('d/l'));
    symlinkSync('a', scene.path('d/m'));
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
    expect(inVersions['s.csv']).toMatchObject({
      kind: 'rows',
      added: 0,
      removed: 0,
      look: { order: true, lineEnds: false, blankLines: 1 },
    });
    for (const path of ['bin.csv', 'latin.csv'])
      expect(inVersions[path]).toEqual({ kind: 'bytes', why: 'binary', similarity: 0 });
    expect(inVersions['gone']).toMatchObject({
      kind: 'text',
      hunks: [{ beforeStart: 1, beforeLines: 2, afterStart: 0, afterLines: 0 }],
    });
    expect(inVersions['new']).toMatchObject({
      kind: 'text',
      hunks: [{ lines: [{ sign: '+', text: 'c\n' }] }],
    });
    expect(inVersions['new.csv']).toMatchObject({ kind: 'rows', added: 2, removed: 0 });
    expect(inVersions['new.bin']).toEqual({ kind: 'bytes', why: 'binary', similarity: null });
    expect(inVersions['empty']).toEqual({ kind: 'none' });
    expect(inVersions['m']).toEqual({ kind: 'link', before: null, after: 'a' });
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
    renames.addSource('a', { ...side, digest }, row, row * 10);
  }
  expect(renames.bounded).toBe(true);
  digest.writeUInt32LE(9_999);
  renames.addTarget('b', { ...side, digest }, 0);
  expect(renames.sourceOf(0)).toBe(99_990);
  digest.writeUInt32LE(10_000);
  renames.addTarget('b', { ...side, digest }, 1);
  expect(renames.sourceOf(1)).toBeUndefined();
});

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

  function commitBoth(git: GitBeside): Promise<unknown> {
    git.commitAll();
    return scene.in((repository) =>
      repository.commit({ name: 'd', paths: [scene.path('d')], allowEmpty: true }),
    );
  }

  test('the rows are the same, down to which of equal files became which', async () => {
    let made = 0;
    const git = new GitBeside(scene.path('git'), scene.path('d'));
    await fc.assert(
      fc.asyncProperty(folder, folder, async (before, after) => {
        write({ ...before, keep: { content: `unlike any ${++made}`, kind: 'file' } });
        await commitBoth(git);
        write({ ...after, keep: { content: `unlike any ${++made}`, kind: 'file' } });
        const inFolder = await rowsOf({ before: 'd' });
        await commitBoth(git);
        const mine = await rowsOf({ before: 'd~1', after: 'd' });
        expect(inFolder).toEqual(mine);
        expect(shown(mine).sort()).toEqual(git.lastChanges().sort());
      }),
      { numRuns: Number(process.env['ART_TEST_ROUNDS'] ?? 8) },
    );
  });
});
