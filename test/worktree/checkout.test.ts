import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArtError, nextTurn, sleep } from '#base';
import type { Digest, ObjectId } from '#object';
import { leaves } from '#tree';
import { download, planCheckout } from '#worktree';
import { Bench, contentsOf, put, type Contents, type Holding } from './folders.ts';

const NAMES = ['a', 'b', 'a.x', 'd'];
const holding: fc.Arbitrary<Holding> = fc.oneof(
  fc.constantFrom('', '1', '2'),
  fc.constantFrom({ run: '1' }, { link: '1' }, { link: 'a' }, null),
);
/** Small folders in which the same paths are now a file, now a link, now a folder. */
const contents: fc.Arbitrary<Contents> = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom(...NAMES, ...NAMES.flatMap((a) => NAMES.map((b) => `${a}/${b}`)), 'a/d/b', 'd/d/d/d'),
      holding,
    ),
    {
      selector: ([path]) => path,
      maxLength: 8,
    },
  )
  .map((pairs) =>
    Object.fromEntries(pairs.filter(([path]) => !pairs.some(([other]) => other.startsWith(`${path}/`)))),
  );

test('any folder comes back as it was, from any other that was ours', async () => {
  await fc.assert(
    fc.asyncProperty(contents, contents, fc.boolean(), async (before, after, withCache) => {
      const bench = new Bench();
      const more = withCache ? { statCache: join(bench.base, 'cache') } : {};
      const [held, wanted] = [await bench.treeOf(before), await bench.treeOf(after)];
      await bench.checkout(held, more);
      expect(contentsOf(bench.dir)).toEqual(before);
      await bench.checkout(wanted, { held, ...more });
      expect(contentsOf(bench.dir)).toEqual(after);
      expect((await bench.snapshot(bench.dir, more)).root.digest).toEqual(wanted);
      const again = await bench.checkout(wanted, { held: wanted, ...more });
      expect(again).toMatchObject({ written: 0, removed: 0, unchanged: Object.keys(after).length });
    }),
    { numRuns: 60 },
  );
});

test('whatever is on the disk: nothing that is in no tree is lost without force, and all is as wanted with it', async () => {
  await fc.assert(
    fc.asyncProperty(contents, contents, contents, async (was, now, wantedContents) => {
      const bench = new Bench();
      const [held, wanted] = [await bench.treeOf(was), await bench.treeOf(wantedContents)];
      put(bench.dir, now);
      const before = contentsOf(bench.dir);
      const texts = (found: Contents) => JSON.stringify(found);
      try {
        await bench.checkout(wanted, { held });
        const after = contentsOf(bench.dir);
        for (const [path, value] of Object.entries(before)) {
          const content = (one: Holding | undefined) =>
            JSON.stringify(typeof one === 'object' && one && 'run' in one ? one.run : one);
          const known = [was[path], wantedContents[path]].some((one) => content(one) === content(value));
          if (value !== null && !known) expect(content(after[path])).toBe(content(value));
        }
        for (const [path, value] of Object.entries(wantedContents)) {
          if (value !== null) expect(after[path]).toEqual(value);
          else expect(lstatSync(join(bench.dir, path)).isDirectory()).toBe(true);
        }
      } catch (error) {
        if (!(error instanceof ArtError)) throw error;
        expect(error.code).toBe('UNCOMMITTED_CHANGES');
        expect(texts(contentsOf(bench.dir))).toBe(texts(before));
        await bench.checkout(wanted, { held, mode: 'force' });
        for (const [path, value] of Object.entries(wantedContents)) {
          if (value !== null) expect(contentsOf(bench.dir)[path]).toEqual(value);
        }
      }
      await bench.checkout(wanted, { held, mode: 'force', clean: true });
      expect(contentsOf(bench.dir)).toEqual(wantedContents);
    }),
    { numRuns: 120 },
  );
});

/** held, disk, wanted (undefined: not there) and what a checkout then does. */
const MATRIX: readonly (readonly [string | undefined, string | undefined, string | undefined, string])[] = [
  ['1', '1', '1', '1'],
  ['1', '1', '2', '2'],
  ['1', '1', undefined, 'gone'],
  ['1', '2', '2', '2'],
  ['1', '3', '2', 'conflict'],
  ['1', '3', '1', 'conflict'],
  ['1', '3', undefined, 'conflict'],
  ['1', undefined, '1', '1'],
  ['1', undefined, '2', '2'],
  ['1', undefined, undefined, 'gone'],
  [undefined, undefined, '2', '2'],
  [undefined, '2', '2', '2'],
  [undefined, '3', '2', 'conflict'],
  [undefined, '3', undefined, '3'],
];

test.each(MATRIX)('held %j, disk %j, wanted %j: %s', async (was, now, want, then) => {
  const bench = new Bench();
  const only = (text: string | undefined): Contents =>
    text === undefined ? { other: '' } : { other: '', f: text };
  const [held, wanted] = [await bench.treeOf(only(was)), await bench.treeOf(only(want))];
  put(bench.dir, only(now));
  const going = bench.checkout(wanted, { held });
  if (then !== 'conflict') {
    await going;
    expect(contentsOf(bench.dir)['f'] ?? 'gone').toBe(then);
    return;
  }
  await expect(going).rejects.toMatchObject({
    code: 'UNCOMMITTED_CHANGES',
    message: expect.stringContaining('"f"'),
  });
  expect(contentsOf(bench.dir)['f']).toBe(now);
  using plan = await planCheckout(bench.options({ held, wanted, mode: 'force' }));
  expect([...plan.destroys()].map(({ path }) => path)).toEqual(['f']);
  expect(plan.destroyCount).toBe(1);
  await bench.checkout(wanted, { held, mode: 'force' });
  expect(contentsOf(bench.dir)['f']).toBe(want);
});

test('all conflicts are counted, the first are named, and nothing is written before', async () => {
  const bench = new Bench();
  const many = (text: string): Contents =>
    Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, text]));
  const [held, wanted] = [await bench.treeOf(many('1')), await bench.treeOf({ ...many('2'), 'a-first': '' })];
  put(bench.dir, many('3'));
  using plan = await planCheckout(bench.options({ held, wanted }));
  expect(plan.conflictCount).toBe(30);
  expect(plan.conflicts).toHaveLength(20);
  await expect(bench.checkout(wanted, { held })).rejects.toThrow('and 10 more');
  expect(contentsOf(bench.dir)).toEqual(many('3'));
});

test('clean removes untracked files and empty folders, but for ignored ones', async () => {
  const bench = new Bench();
  const wanted = await bench.treeOf({ a: '1', '.artignore': '*.log\n' });
  put(bench.dir, { a: '1', '.artignore': '*.log\n', extra: '', 'deep/extra': '', 'x.log': '', empty: null });
  expect(await bench.checkout(wanted, { held: wanted })).toMatchObject({ removed: 0 });
  expect(await bench.checkout(wanted, { held: wanted, clean: true })).toMatchObject({ removed: 3 });
  expect(Object.keys(contentsOf(bench.dir)).sort()).toEqual(['.artignore', 'a', 'x.log']);
});

test('clean leaves what no snapshot could bring back', async () => {
  const bench = new Bench();
  const wanted = await bench.treeOf({ a: '1' });
  put(bench.dir, { a: '1' });
  execFileSync('mkfifo', [join(bench.dir, 'pipe')]);
  expect(await bench.checkout(wanted, { held: wanted, clean: true })).toMatchObject({ removed: 0 });
});

test('a file that became ignored is never deleted, and an ignored one with other bytes is not overwritten', async () => {
  const bench = new Bench();
  const held = await bench.treeOf({ 'x.log': '1', 'logs/y': '2', a: '1' });
  const wanted = await bench.treeOf({ a: '1' });
  put(bench.dir, { 'x.log': '1', 'logs/y': '2', a: '1', '.artignore': '*.log\nlogs/\n' });
  await bench.checkout(wanted, { held });
  expect(contentsOf(bench.dir)).toMatchObject({ 'x.log': '1', 'logs/y': '2' });
  put(bench.dir, { 'logs/y': '9' });
  await expect(bench.checkout(held, { held: wanted })).rejects.toMatchObject({ code: 'UNCOMMITTED_CHANGES' });
  expect(contentsOf(bench.dir)).toMatchObject({ 'logs/y': '9' });
});

test('ignored files in the way of a file are a conflict, even with force', async () => {
  const bench = new Bench();
  const wanted = await bench.treeOf({ d: 'file now' });
  put(bench.dir, { '.artignore': '*.log\n', 'd/x.log': '1' });
  await expect(bench.checkout(wanted, { mode: 'force' })).rejects.toMatchObject({
    code: 'UNCOMMITTED_CHANGES',
  });
  expect(contentsOf(bench.dir)).toMatchObject({ 'd/x.log': '1' });
});

test('a filter brings its paths and leaves everything else alone', async () => {
  const bench = new Bench();
  const held = await bench.treeOf({ 'train/a': '1', 'train/old': '1', 'val/a': '1' });
  const wanted = await bench.treeOf({ 'train/a': '2', 'val/a': '2', top: '' });
  await bench.checkout(held);
  await bench.checkout(wanted, { held, paths: ['train/'] });
  expect(contentsOf(bench.dir)).toEqual({ 'train/a': '2', 'val/a': '1' });
  await bench.checkout(undefined, { held: wanted, paths: ['train/'] });
  expect(contentsOf(bench.dir)).toEqual({ 'val/a': '1' });
});

test('a dry run counts and changes nothing', async () => {
  const bench = new Bench();
  const [held, wanted] = [await bench.treeOf({ a: '1', b: '1' }), await bench.treeOf({ a: '22', c: '3' })];
  const dryRun = true;
  expect(await bench.checkout(wanted, { dryRun })).toMatchObject({ written: 2, bytes: 3 });
  expect(existsSync(bench.dir)).toBe(false);
  await bench.checkout(held);
  put(bench.dir, { '.art-tmp-stale': '' });
  expect(await bench.checkout(wanted, { held, dryRun })).toEqual({
    written: 2,
    removed: 1,
    unchanged: 0,
    bytes: 3,
    references: 0,
  });
  expect(contentsOf(bench.dir)).toEqual({ a: '1', b: '1', '.art-tmp-stale': '' });
});

test('download restores what differs and leaves what is extra', async () => {
  const bench = new Bench();
  const wanted = await bench.treeOf({ a: '1', b: { run: 'x' }, 'c/d': '2' });
  put(bench.dir, { a: 'spoilt', b: 'x', extra: 'e' });
  expect(await download(bench.options({ wanted }))).toMatchObject({ written: 3, removed: 0 });
  expect(contentsOf(bench.dir)).toEqual({ a: '1', b: { run: 'x' }, 'c/d': '2', extra: 'e' });
  const other = await bench.treeOf({ 'extra/x': '1' });
  await expect(download(bench.options({ wanted: other }))).rejects.toMatchObject({
    code: 'UNCOMMITTED_CHANGES',
  });
});

test('large files come back, and one whose nodes do not fit its entry is refused', async () => {
  const bench = new Bench();
  const [a, b] = [randomBytes(20_000_000), Buffer.alloc(700_000)];
  const wanted = await bench.treeOf({ a, b, c: 'small' });
  const statCache = join(bench.base, 'cache');
  await bench.checkout(wanted, { statCache });
  expect(readFileSync(join(bench.dir, 'a')).equals(a)).toBe(true);
  expect(readFileSync(join(bench.dir, 'b')).equals(b)).toBe(true);
  expect(await bench.checkout(wanted, { held: wanted, statCache })).toMatchObject({
    written: 0,
    unchanged: 3,
  });
});

test('what a checkout wrote is recalled by the next snapshot', async () => {
  const bench = new Bench();
  const statCache = join(bench.base, 'cache');
  const wanted = await bench.treeOf({ a: '1', b: '2', link: { link: 'a' } });
  await bench.checkout(wanted, { statCache });
  await sleep(40);
  await bench.checkout(wanted, { held: wanted, statCache });
  const { root, recalled } = await bench.snapshot(bench.dir, { statCache });
  expect(root.digest).toEqual(wanted);
  expect(recalled).toBe(3);
});

test('a checkout that was killed is taken up: what it wrote counts as ours', async () => {
  await fc.assert(
    fc.asyncProperty(contents, contents, fc.nat(6), async (before, after, reads) => {
      const bench = new Bench();
      const big = { 'z/1': Buffer.alloc(300_000, '1'), 'z/2': Buffer.alloc(300_000, '2') };
      const [held, wanted] = [await bench.treeOf(before), await bench.treeOf({ ...after, ...big })];
      await bench.checkout(held);
      const reader = bench.store.reader();
      let left = reads;
      const dying = {
        getMany: async (ids: readonly ObjectId[]) => {
          if (left-- <= 0) throw new Error('killed');
          return reader.getMany(ids);
        },
      };
      await bench
        .checkout(wanted, { held, reader: dying })
        .catch((error: Error) => expect(error.message).toBe('killed'));
      expect(readdirSync(bench.dir).filter((name) => name.startsWith('.art-tmp-'))).toEqual([]);
      // Midway every file is whole: the old one or the new one.
      for (const [path, value] of Object.entries(contentsOf(bench.dir))) {
        const allowed: unknown[] = [
          before[path],
          after[path],
          big[path as keyof typeof big]?.toString(),
          null,
        ];
        expect(allowed).toContainEqual(value);
      }
      // Told to go back, it needs no force.
      await bench.checkout(held, { held, moving: [wanted] });
      expect(contentsOf(bench.dir)).toEqual(before);
    }),
    { numRuns: 40 },
  );
});

test('unfinished files that nobody touched for a day are removed when met', async () => {
  const bench = new Bench();
  const wanted = await bench.treeOf({ 'd/a': '1' });
  put(bench.dir, { '.art-tmp-old': 'half', 'd/.art-tmp-old': 'half' });
  await bench.checkout(wanted);
  expect(contentsOf(bench.dir)).toEqual({ 'd/a': '1' });
});

test('what a checkout left unfinished goes with the next one; what another is writing meanwhile stays', async () => {
  const bench = new Bench();
  const big = await bench.treeOf({ big: randomBytes(20 * 1024 * 1024) });
  const small = await bench.treeOf({ a: '1' });
  const reader = bench.store.reader();
  const seen: string[] = [];
  // In the middle of the large file another checkout is made into the folder around it.
  const interrupted = {
    getMany: async (ids: readonly ObjectId[]) => {
      const names = readdirSync(join(bench.dir, 'inside')).filter((name) => name.startsWith('.art-tmp-'));
      if (names.length === 1 && seen.length === 0) {
        seen.push(...names);
        await bench.checkout(small, { mode: 'force', clean: true });
      }
      return reader.getMany(ids);
    },
  };
  await bench.checkout(big, { dir: join(bench.dir, 'inside'), reader: interrupted });
  expect(seen).toHaveLength(1);
  expect(Object.keys(contentsOf(bench.dir))).toEqual(['a', 'inside/big']);
  // As if it had been killed just now.
  writeFileSync(join(bench.dir, 'inside', seen[0]), 'half');
  await bench.checkout(small, { held: small });
  expect(existsSync(join(bench.dir, 'inside', seen[0]))).toBe(true);
  await bench.checkout(big, { dir: join(bench.dir, 'inside') });
  expect(Object.keys(contentsOf(bench.dir))).toEqual(['a', 'inside/big']);
});

test.each([
  [{ '../out': 'x' }],
  [{ '/abs': 'x' }],
  [{ 'a/../../out': 'x' }],
  [{ '.art/config.toml': 'x' }],
  [{ '.git/hooks/post-checkout': 'x' }],
  [{ 'd/.GIT/config': 'x' }],
  [{ a: 'file', 'a/b': 'under it' }],
  [{ a: '->..', 'a/b': 'through it' }],
  [{ a: 'file', 'a!': 'between', 'a/b': 'under it' }],
  [{ a: '->' }],
])('a hostile tree is refused before the first write: %j', async (files) => {
  const bench = new Bench();
  const wanted = await bench.rawTree({ '!first': 'x', ...files });
  await expect(bench.checkout(wanted, { mode: 'force' })).rejects.toMatchObject({ code: 'TREE_UNSAFE' });
  expect(existsSync(bench.dir)).toBe(false);
});

test('a folder of Git that is not from art is refused first, whatever becomes of what lies in it', async () => {
  const bench = new Bench();
  put(bench.dir, { '.artignore': '!.git/', '.git/x': { link: 'a' } });
  const wanted = await bench.rawTree({ '.git/x': '->b' });
  const link = join(bench.dir, '.git/x');
  // It is no link any more once it is looked at again.
  const source = {
    getNodes: async (digests: readonly Digest[]) => {
      rmSync(link);
      writeFileSync(link, 'a');
      return bench.store.getNodes(digests);
    },
  };
  await expect(bench.checkout(wanted, { source })).rejects.toMatchObject({ code: 'TREE_UNSAFE' });
  await nextTurn(); // Nothing else is raised behind it.
});

test('of two trees that are damaged at the same path the wanted one is told of', async () => {
  const bench = new Bench();
  const names = Array.from({ length: 2000 }, (_, i) => `f${String(i).padStart(4, '0')}`);
  const wanted = await bench.rawTree(Object.fromEntries(names.map((name) => [name, 'x'])));
  let last = '';
  for await (const { leaf, end } of leaves(bench.store, wanted)) {
    last = Buffer.from(leaf.entryAt(end - 1).key).toString();
    break;
  }
  const held = await bench.rawTree({ [last]: 'x', [`${last}/`]: '->x' });
  let reads = 0;
  const source = {
    getNodes: async (digests: readonly Digest[]) => {
      if (++reads > 3) throw new ArtError('OBJECT_NOT_FOUND', 'a leaf is gone');
      return bench.store.getNodes(digests);
    },
  };
  await expect(bench.checkout(wanted, { held, source })).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
  await nextTurn(); // Nothing else is raised behind it.
});

/** A path of `bytes` bytes whose last name is short. */
function longPath(bytes: number): string {
  const folders = `${'d'.repeat(100)}/`.repeat(Math.floor((bytes - 2) / 101) - 1);
  return `${folders}${'e'.repeat(bytes - folders.length - 2)}/f`;
}

describe.runIf(process.platform === 'linux')('what is too long for the system', () => {
  const takes = (bench: Bench) => 4095 - `${bench.dir}/`.length;

  test.each([
    ['a path', (bench: Bench) => ({ [longPath(takes(bench) + 1)]: 'x' })],
    ['a path as it is called while it is written', (bench: Bench) => ({ [longPath(takes(bench))]: 'x' })],
    ['the target of a link', () => ({ link: `->${'t'.repeat(4096)}` })],
  ])('is refused before the first write: %s', async (_, files) => {
    const bench = new Bench();
    const wanted = await bench.rawTree({ '!first': 'x', ...files(bench) });
    await expect(bench.checkout(wanted)).rejects.toMatchObject({ code: 'TREE_UNSAFE' });
    expect(existsSync(bench.dir)).toBe(false);
  });

  test('is not what just fits', async () => {
    const bench = new Bench();
    const wanted = await bench.rawTree({
      [longPath(takes(bench) - 50)]: 'x',
      link: `->${'t'.repeat(4095)}`,
    });
    expect(await bench.checkout(wanted)).toMatchObject({ written: 2 });
  });
});

test('nothing is written or removed through a link', async () => {
  const bench = new Bench();
  put(bench.base, { 'outside/f': 'theirs', 'outside/g': 'theirs' });
  const held = await bench.treeOf({ 'd/f': 'theirs' });
  const wanted = await bench.treeOf({ 'd/g': 'new' });
  mkdirSync(bench.dir);
  symlinkSync('../outside', join(bench.dir, 'd'));
  await expect(bench.checkout(wanted, { held })).rejects.toMatchObject({ code: 'UNCOMMITTED_CHANGES' });
  await bench.checkout(wanted, { held, mode: 'force' });
  expect(contentsOf(join(bench.base, 'outside'))).toEqual({ f: 'theirs', g: 'theirs' });
  expect(contentsOf(bench.dir)).toEqual({ 'd/g': 'new' });
});

test('a change that comes between plan and write is not overwritten', async () => {
  const bench = new Bench();
  const [held, wanted] = [await bench.treeOf({ a: '1' }), await bench.treeOf({ a: '2' })];
  await bench.checkout(held);
  const reader = bench.store.reader();
  const late = {
    getMany: async (ids: readonly ObjectId[]) => {
      writeFileSync(join(bench.dir, 'a'), 'precious');
      return reader.getMany(ids);
    },
  };
  await expect(bench.checkout(wanted, { held, reader: late })).rejects.toMatchObject({
    code: 'UNCOMMITTED_CHANGES',
  });
  expect(contentsOf(bench.dir)).toEqual({ a: 'precious' });
});

test('a file where the folder should be is refused, and untouched', async () => {
  const bench = new Bench();
  writeFileSync(bench.dir, 'mine');
  const wanted = await bench.treeOf({ a: '1' });
  await expect(bench.checkout(wanted, { mode: 'force' })).rejects.toMatchObject({
    code: 'UNCOMMITTED_CHANGES',
  });
  expect(readFileSync(bench.dir, 'utf8')).toBe('mine');
});

test('an exec bit alone is no change that could be lost', async () => {
  const bench = new Bench();
  const [held, wanted] = [await bench.treeOf({ a: '1' }), await bench.treeOf({ a: '2' })];
  await bench.checkout(held);
  chmodSync(join(bench.dir, 'a'), 0o755);
  utimesSync(join(bench.dir, 'a'), 1, 1);
  await bench.checkout(wanted, { held });
  expect(contentsOf(bench.dir)).toEqual({ a: '2' });
});

test('odd names come back', async () => {
  const bench = new Bench();
  const odd = {
    ' ': '1',
    'a\nb': '2',
    '\\': '3',
    '\ufffd': '4',
    '\u{1f600}/\ufb01': '5',
    '-rf': '6',
    '\'"': '7',
    '...': '8',
    'e\u0301': '9',
    '\u00e9': '10',
  };
  const wanted = await bench.treeOf(odd);
  await bench.checkout(wanted);
  expect(contentsOf(bench.dir)).toEqual(odd);
  rmSync(join(bench.dir, ' '));
  await bench.checkout(wanted, { held: wanted });
  expect(contentsOf(bench.dir)).toEqual(odd);
});
