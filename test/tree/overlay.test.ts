/** Proves what laying trees over each other gives, against a plain model, and that it touches little. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes, isArtError, utf8 } from '#base';
import { FILE, FOLDER } from '#object';
import type { MapEntry } from '#object';
import { Lookup, overlay, without } from '#tree';
import type { FileTree } from '#tree';
import { MemoryNodes, build, entryOf, list, shown } from './memory-nodes.ts';

/** Path to content; the path of an empty folder ends in a slash. */
type Model = ReadonlyMap<string, string>;

function treeOf(nodes: MemoryNodes, model: Model): FileTree {
  const all = [...model].map(([path, content]): MapEntry => {
    if (path.endsWith('/')) return entryOf(path, { kind: FOLDER, size: 0, digest: utf8('-'.repeat(32)) });
    return entryOf(path, { kind: FILE, size: content.length, digest: utf8(content.padEnd(32)) });
  });
  all.sort((a, b) => compareBytes(a.key, b.key));
  return {
    root: build(nodes, all),
    files: [...model.keys()].filter((path) => !path.endsWith('/')).length,
  };
}

/** Takes what is no tree of files out of a random map: files that are folders, folders that are not empty. */
function tidy(paths: Model): Model {
  const folders = new Set([...paths.keys()].flatMap((path) => foldersAbove(path)));
  const isClean = (path: string) =>
    path.endsWith('/') ? !folders.has(path) : !folders.has(`${path}/`) && !paths.has(`${path}/`);
  return new Map([...paths].filter(([path]) => isClean(path)));
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/'); end >= 0 && end + 1 < path.length; end = path.indexOf('/', end + 1))
    folders.push(path.slice(0, end + 1));
  return folders;
}

function merged(below: Model, above: Model, overwrite: boolean): Model | 'refused' {
  const model = new Map(below);
  for (const [path, content] of above) {
    const isFolder = path.endsWith('/');
    const old = below.get(path);
    if (!isFolder && old !== undefined && old !== content && !overwrite) return 'refused';
    const isInside = [...below.keys()].some((other) => other.startsWith(isFolder ? path : `${path}/`));
    if (!isFolder && isInside) return 'refused';
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      if (below.has(path.slice(0, end))) return 'refused';
      if (path.length > end + 1) model.delete(path.slice(0, end + 1));
    }
    if (!isFolder || !isInside) model.set(path, content);
  }
  return model;
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'a-', 'é'), { minLength: 1, maxLength: 4 })
  .chain((parts) => fc.constantFrom(parts.join('/'), `${parts.join('/')}/`));
const small = fc
  .array(fc.tuple(path, fc.constantFrom('x', 'y')), { maxLength: 12 })
  .map((pairs) => tidy(new Map(pairs)));
/** Enough files for several levels of nodes. */
const filler = fc.constantFrom(0, 0, 0, 900).map((count) => {
  return new Map(
    Array.from(
      { length: count },
      (_, i) => [`${'ab'[i % 2]}/f${String(i).padStart(5, '0')}/g`, 'x'] as const,
    ),
  );
});

describe('overlay', () => {
  test('is the union of both, or is refused, as the model says', async () => {
    await fc.assert(
      fc.asyncProperty(filler, small, small, fc.boolean(), async (bulk, first, above, overwrite) => {
        const below =
          bulk.size > 0 && (first.has('a') || first.has('b')) ? first : new Map([...bulk, ...first]);
        const model = tidy(below);
        const nodes = new MemoryNodes();
        const wanted = merged(model, above, overwrite);
        const laying = overlay(nodes, treeOf(nodes, model), treeOf(nodes, above).root.digest, {
          below: 'the model',
          overwrite,
        });
        if (wanted === 'refused') await expect(laying).rejects.toMatchObject({ code: 'PATH_TAKEN' });
        else expect(await laying).toEqual(treeOf(new MemoryNodes(), wanted));
      }),
      { numRuns: 300 },
    );
  });

  test('onto a large tree reads and writes only what it touches', async () => {
    const nodes = new MemoryNodes();
    const model = new Map(
      Array.from({ length: 100_000 }, (_, i) => [`d${i % 100}/f${String(i).padStart(7, '0')}`, 'x']),
    );
    const below = treeOf(nodes, model);
    const above = treeOf(
      nodes,
      new Map([
        ['d5/new', '1'],
        ['d77/f0000077', 'y'],
        ['z', '2'],
      ]),
    );
    nodes.count();
    const laid = await overlay(nodes, below, above.root.digest, { below: 'it', overwrite: true });
    expect(laid.files).toBe(100_002);
    expect(nodes.fresh).toBeLessThan(20);
    expect(nodes.reads).toBeLessThan(60);
    nodes.count();
    expect(await without(nodes, laid, ['d5/new', 'z'], 'it')).toMatchObject({ files: 100_000 });
    expect(nodes.reads).toBeLessThan(60);
  });

  test('names the first twenty of many files that have other content', async () => {
    const nodes = new MemoryNodes();
    const paths = Array.from({ length: 30 }, (_, i) => `f${String(i).padStart(2, '0')}`);
    const tree = (content: string) => treeOf(nodes, new Map(paths.map((path) => [path, content])));
    const laying = overlay(nodes, tree('x'), tree('y').root.digest, { below: '"d:v0"' });
    await expect(laying).rejects.toThrow(/^"d:v0" has "f00", .*"f19" and 10 more with other content$/);
  });
});

describe('without', () => {
  test('takes files and whole folders out, or nothing at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        filler,
        small,
        fc.array(path, { minLength: 1, maxLength: 4 }),
        async (bulk, some, gone) => {
          const model = tidy(new Map([...bulk, ...some]));
          const nodes = new MemoryNodes();
          const hits = (target: string) =>
            [...model.keys()].filter((path) =>
              target.endsWith('/') || !model.has(target)
                ? path.startsWith(target.endsWith('/') ? target : `${target}/`)
                : path === target,
            );
          const taking = without(nodes, treeOf(nodes, model), gone, 'it');
          if (gone.some((target) => hits(target).length === 0)) {
            await expect(taking).rejects.toSatisfy((error) => isArtError(error, 'ENTRY_NOT_FOUND'));
            return;
          }
          const removed = new Set(gone.flatMap(hits));
          const left = new Map([...model].filter(([path]) => !removed.has(path)));
          expect(await taking).toEqual(treeOf(new MemoryNodes(), left));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a look-up', () => {
  test('finds the first entry from any key on, whatever was asked before', async () => {
    const nodes = new MemoryNodes();
    const model = new Map(
      Array.from({ length: 5000 }, (_, i) => [`k${String(i * 2).padStart(6, '0')}`, 'x']),
    );
    const { root } = treeOf(nodes, model);
    const all = await list(nodes, root.digest);
    const lookup = new Lookup(nodes, root.digest);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: -1, max: 10_001 }), async (n) => {
        const key = utf8(n < 0 ? 'a' : `k${String(n).padStart(6, '0')}`);
        const wanted = all.find((entry) => compareBytes(entry.key, key) >= 0);
        expect(shown(await lookup.firstFrom(key))).toBe(shown(wanted));
      }),
      { numRuns: 500 },
    );
  });
});
