/** Proves that what a map holds is found, walked and compared, and that little is read for it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes, isArtError, murmur3, toHex } from '#base';
import { encodeTreeInner, encodeTreeLeaf, hash } from '#object';
import type { MapEntry, TreeChild } from '#object';
import { MapBuilder, diff, edit, entries, find, keyOfPath, pathOfKey, prefixOf } from '#tree';
import type { MapRange, MapRoot } from '#tree';
import { MemoryNodes, build, entryOf, list, shown } from './memory-nodes.ts';
import { CHANGES, SHAPES, applied, dice, sorted } from './samples.ts';

const shape = fc.constantFrom(...Object.keys(SHAPES));
const change = fc.constantFrom(...Object.keys(CHANGES));

/** A range around some key of the map: any of its prefixes, from any key on, or none. */
function anyRange(all: readonly MapEntry[], roll: (below: number) => number): MapRange {
  const any = () => {
    const key = all.length === 0 ? Uint8Array.of(1) : all[roll(all.length)].key;
    return roll(8) === 0 ? Uint8Array.of(0xff, 0xff) : key.subarray(0, roll(key.length + 1));
  };
  return { from: roll(2) === 0 ? any() : undefined, prefix: roll(2) === 0 ? any() : undefined };
}

function within({ key }: MapEntry, { from, prefix }: MapRange): boolean {
  if (from !== undefined && compareBytes(key, from) < 0) return false;
  return prefix === undefined || compareBytes(key.subarray(0, prefix.length), prefix) === 0;
}

async function changesOf(
  nodes: MemoryNodes,
  a: MapRoot | undefined,
  b: MapRoot | undefined,
  range?: MapRange,
): Promise<string[]> {
  const all: string[] = [];
  for await (const batch of diff(nodes, a?.digest, b?.digest, range)) {
    expect(batch.length).toBeGreaterThan(0);
    for (const { key, before, after } of batch) all.push(`${toHex(key)}: ${shown(before)} > ${shown(after)}`);
  }
  return all;
}

function naiveChanges(
  a: ReadonlyMap<string, MapEntry>,
  b: ReadonlyMap<string, MapEntry>,
  range: MapRange,
): string[] {
  const both = sorted(new Map([...a, ...b])).filter((entry) => within(entry, range));
  return both
    .map(({ key }) => toHex(key))
    .filter((key) => shown(a.get(key)) !== shown(b.get(key)))
    .map((key) => `${key}: ${shown(a.get(key))} > ${shown(b.get(key))}`);
}

test('a range yields exactly its entries, in order, and every key is found', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fc.integer(), async (shape, seed) => {
      const roll = dice(seed);
      const all = sorted(SHAPES[shape](roll));
      const nodes = new MemoryNodes();
      const root = build(nodes, all);
      expect(root).toMatchObject({ count: all.length, bytes: all.reduce((sum, { size }) => sum + size, 0) });
      for (let i = 0; i < 4; i++) {
        const range = anyRange(all, roll);
        const expected = all.filter((entry) => within(entry, range));
        expect((await list(nodes, root.digest, range)).map(shown)).toEqual(expected.map(shown));
        const some = all[roll(all.length)];
        if (some !== undefined) expect(shown(await find(nodes, root.digest, some.key))).toBe(shown(some));
        const absent = Buffer.concat([
          some?.key.subarray(0, roll(9)) ?? new Uint8Array(0),
          Uint8Array.of(0, 9, 9),
        ]);
        expect(await find(nodes, root.digest, absent)).toBeUndefined();
      }
    }),
    { numRuns: 40 },
  );
});

describe('diff', () => {
  test('gives what naive comparison gives, in key order, within any range', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        shape,
        change,
        fc.integer(),
        fc.boolean(),
        async (shape, other, step, seed, isEdit) => {
          const roll = dice(seed);
          const a = SHAPES[shape](roll);
          const b = isEdit ? applied(a, CHANGES[step](a, roll)) : SHAPES[other](roll);
          const nodes = new MemoryNodes();
          const [before, after] = [build(nodes, sorted(a)), build(nodes, sorted(b))];
          expect(await changesOf(nodes, before, after)).toEqual(naiveChanges(a, b, {}));
          const range = anyRange(sorted(a), roll);
          expect(await changesOf(nodes, before, after, range)).toEqual(naiveChanges(a, b, range));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('compares with the empty map, and with nothing at all', async () => {
    const map = SHAPES['files in folders'](dice(5));
    const nodes = new MemoryNodes();
    const [root, empty] = [build(nodes, sorted(map)), build(nodes, [])];
    const added = naiveChanges(new Map(), map, {});
    expect(await changesOf(nodes, undefined, root)).toEqual(added);
    expect(await changesOf(nodes, empty, root)).toEqual(added);
    expect(await changesOf(nodes, root, undefined)).toEqual(naiveChanges(map, new Map(), {}));
    expect(await changesOf(nodes, undefined, undefined)).toEqual([]);
    expect(await changesOf(nodes, undefined, empty)).toEqual([]);
  });

  test('reads only the paths that differ, in few calls', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 60_000 }, (_, i) => entryOf(`set/${String(i).padStart(8, '0')}`));
    const root = build(nodes, all);
    const changes = [3000, 33_000, 59_000].map((i) => ({ key: all[i].key, entry: { ...all[i], size: 1 } }));
    const after = await edit(nodes, nodes, root.digest, changes);
    nodes.count();
    expect(await changesOf(nodes, root, after)).toHaveLength(3);
    expect(nodes.reads).toBeLessThanOrEqual(2 * (1 + 3 + 3));
    expect(nodes.calls).toBeLessThanOrEqual(1 + 3 + 3);
    nodes.count();
    expect(await changesOf(nodes, root, after, { prefix: all[33_000].key })).toHaveLength(1);
    expect(nodes.reads).toBeLessThanOrEqual(2 * 3);
    nodes.count();
    expect(await changesOf(nodes, root, root)).toEqual([]);
    expect(nodes.reads).toBe(0);
  });

  test('an insertion that shifts leaves does not spread', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 60_000 }, (_, i) => entryOf(`set/${String(i).padStart(8, '0')}`));
    const more = Array.from({ length: 1000 }, (_, i) =>
      entryOf(`set/00030000/${String(i).padStart(8, '0')}`),
    );
    const root = build(nodes, all);
    const after = await edit(
      nodes,
      nodes,
      root.digest,
      more.map((entry) => ({ key: entry.key, entry })),
    );
    nodes.count();
    expect(await changesOf(nodes, root, after)).toHaveLength(1000);
    expect(nodes.reads).toBeLessThanOrEqual(20);
  });

  test('an entry that splits an inner node does not spread', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 60_000 }, (_, i) => entryOf(`set/${String(i).padStart(8, '0')}`));
    const root = build(nodes, all);
    // Keys that begin a node on levels 0 and 1 alike, one of which comes late enough in its leaf and in its parent.
    const splits = async (i: number) => {
      const stem = `set/${String(i).padStart(8, '0')}/`;
      let name = stem;
      for (let n = 0; [0, 1].some((level) => (murmur3(Buffer.from(name), level) & 0x7f) !== 0); n++)
        name = stem + n;
      const entry = entryOf(name);
      nodes.count();
      const after = await edit(nodes, nodes, root.digest, [{ key: entry.key, entry }]);
      return nodes.fresh === 5 ? after : undefined;
    };
    let after: MapRoot | undefined;
    for (let i = 0; after === undefined; i += 997) after = await splits(i);
    nodes.count();
    expect(await changesOf(nodes, root, after)).toHaveLength(1);
    expect(nodes.reads).toBeLessThanOrEqual(2 + 3 + 6);
  });
});

describe('reading', () => {
  test('the first entries of a large map cost few nodes', async () => {
    const nodes = new MemoryNodes();
    const root = build(
      nodes,
      Array.from({ length: 60_000 }, (_, i) => entryOf(`set/${String(i).padStart(8, '0')}`)),
    );
    nodes.count();
    for await (const batch of entries(nodes, root.digest)) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect(nodes.reads).toBeLessThanOrEqual(3);
    nodes.count();
    await list(nodes, root.digest);
    expect(nodes.reads).toBe(nodes.nodes.size);
    expect(nodes.calls).toBeLessThan(nodes.reads / 6);
  });

  test('a node that is not what its parent says is refused, whoever reads', async () => {
    const nodes = new MemoryNodes();
    const put = (bytes: Uint8Array) => {
      nodes.putNode(hash(bytes), bytes);
      return hash(bytes);
    };
    const [a, b, c] = ['a', 'b', 'c'].map((name) => entryOf(name, { size: 5 }));
    const left: TreeChild = { key: a.key, digest: put(encodeTreeLeaf([a])), count: 1, bytes: 5 };
    const right: TreeChild = { key: b.key, digest: put(encodeTreeLeaf([b])), count: 1, bytes: 5 };
    const level1 = put(encodeTreeInner(1, [left]));
    const lies: Record<string, Uint8Array> = {
      'another count': encodeTreeInner(1, [left, { ...right, count: 2 }]),
      'other bytes': encodeTreeInner(1, [left, { ...right, bytes: 6 }]),
      'another key': encodeTreeInner(1, [left, { ...right, key: c.key }]),
      'another level': encodeTreeInner(2, [{ ...left, digest: level1 }, right]),
      'an empty leaf': encodeTreeInner(1, [left, { ...right, digest: put(encodeTreeLeaf([])) }]),
    };
    const other = build(nodes, [entryOf('x')]);
    for (const [lie, bytes] of Object.entries(lies)) {
      const root = put(bytes);
      const asked = [
        () => list(nodes, root),
        () => find(nodes, root, c.key),
        () => edit(nodes, nodes, root, [{ key: c.key, entry: c }]),
        () => changesOf(nodes, { digest: root, count: 2, bytes: 10 }, other),
      ];
      for (const ask of asked) {
        const error: unknown = await ask().then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(isArtError(error, 'OBJECT_INVALID'), `${lie}: ${String(error)}`).toBe(true);
      }
    }
  });
});

describe('building', () => {
  test('refuses keys that do not ascend, and names them', () => {
    for (const [first, second] of ['ba', 'aa', ['b/', 'b'], ['é', 'z']]) {
      const builder = new MapBuilder(new MemoryNodes());
      builder.add(entryOf(first));
      expect(() => builder.add(entryOf(second))).toThrow(
        expect.objectContaining({ code: 'OBJECT_INVALID', message: expect.stringContaining(second) }),
      );
    }
  });

  test('refuses impossible entries', () => {
    for (const [what, entry] of Object.entries({
      'an empty key': entryOf(''),
      'a key too long': entryOf('k'.repeat(65_536)),
      'a size that is no size': entryOf('a', { size: -1 }),
      'a size past what can be counted': entryOf('a', { size: 2 ** 53 }),
      'half a digest': entryOf('a', { digest: new Uint8Array(16) }),
      'too much extra': entryOf('a', { extra: new Uint8Array(16 * 1024 + 1) }),
      'an executable folder': entryOf('a/', { kind: 2, executable: true }),
    })) {
      expect(() => build(new MemoryNodes(), [entry]), what).toThrow(
        expect.objectContaining({ code: 'OBJECT_INVALID' }),
      );
    }
    const most = { size: 2 ** 53 - 1 };
    expect(() => build(new MemoryNodes(), [entryOf('a', most), entryOf('b', most)])).toThrow(
      expect.objectContaining({ code: 'OBJECT_INVALID' }),
    );
  });

  test('copies what it keeps: one buffer may serve every entry', () => {
    const all = sorted(SHAPES['files in folders'](dice(9)));
    const builder = new MapBuilder(new MemoryNodes());
    const key = Buffer.alloc(100);
    const digest = Buffer.alloc(32);
    for (const entry of all) {
      key.fill(0).set(entry.key);
      digest.set(entry.digest);
      builder.add({ ...entry, key: key.subarray(0, entry.key.length), digest });
    }
    key.fill(0);
    expect(builder.finish()).toEqual(build(new MemoryNodes(), all));
  });
});

test('paths and keys turn into each other, and sort as a walk that takes folders with their slash', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[^/\ud800-\udfff](.*[^/\ud800-\udfff])?$/u),
      fc.boolean(),
      (path, folder) => {
        expect(pathOfKey(keyOfPath(path, { folder }))).toBe(path);
      },
    ),
  );
  expect(pathOfKey(keyOfPath('a\u{1f600}/\n b', { folder: true }))).toBe('a\u{1f600}/\n b');
  expect(() => pathOfKey(Uint8Array.of(0x61, 0xff))).toThrow(
    expect.objectContaining({ code: 'OBJECT_INVALID' }),
  );
  const keys = ['a-b', 'a/b', 'a.b', 'a'].map((path) => keyOfPath(path, { folder: false }));
  expect(keys.sort(compareBytes).map(pathOfKey)).toEqual(['a', 'a-b', 'a.b', 'a/b']);
  const matches = (filter: string, path: string, folder = false) => {
    const prefix = prefixOf(filter);
    return compareBytes(keyOfPath(path, { folder }).subarray(0, prefix.length), prefix) === 0;
  };
  expect([
    matches('train/', 'train/a'),
    matches('train/', 'train', true),
    matches('train/', 'trained'),
  ]).toEqual([true, true, false]);
  expect(matches('train', 'trained')).toBe(true);
});
