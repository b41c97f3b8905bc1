/** Proves that a tree node has exactly one encoding, keeps its bounds, and that nothing else is accepted. */
import { readFileSync } from 'node:fs';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes, equalBytes, fromHex, isArtError, toHex } from '#base';
import {
  FILE,
  FOLDER,
  KEY_BYTES_MAX,
  REFERENCE,
  RUN,
  SYMLINK,
  TOMBSTONE,
  TREE_ROWS_MAX,
  VERSION,
  decodeTreeNode,
  encodeTreeInner,
  encodeTreeLeaf,
  hash,
} from '#object';
import type { MapEntry, TreeChild, TreeNode } from '#object';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const invalid = expect.objectContaining({ code: 'OBJECT_INVALID' });

function encodeAgain(node: TreeNode): Uint8Array {
  if (node.kind === 'leaf') return encodeTreeLeaf(node.entries(), node.ext);
  return encodeTreeInner(node.level, node.children(), node.ext);
}

const digest = fc.integer().map((n) => hash(text(String(n))));
const key = fc
  .tuple(fc.constantFrom('', 'a', 'ab/', 'p'.repeat(200)), fc.uint8Array({ minLength: 1, maxLength: 4 }))
  .map(([stem, end]) => Uint8Array.from([...text(stem), ...end]));
const size = fc.oneof(fc.nat(), fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 45));
const extra = fc.oneof(
  { weight: 3, arbitrary: fc.constant(new Uint8Array(0)) },
  fc.uint8Array({ maxLength: 300 }),
);
const kind = fc.constantFrom(FILE, SYMLINK, FOLDER, REFERENCE, VERSION, TOMBSTONE, RUN);
const entry: fc.Arbitrary<MapEntry> = fc
  .record({ key, kind, executable: fc.boolean(), size, digest, extra })
  .map((entry) => ({
    ...entry,
    executable: entry.executable && (entry.kind === FILE || entry.kind === REFERENCE),
  }));
const child: fc.Arbitrary<TreeChild> = fc.record({
  key,
  digest,
  count: fc.integer({ min: 1, max: 1024 }),
  bytes: size,
});
const ext = fc.constantFrom({}, { 'lab.note': ['kept', 1, new Uint8Array([2])] });

/** Rows in key order, each key once. */
function rowsOf<T extends { readonly key: Uint8Array }>(
  row: fc.Arbitrary<T>,
  minLength: number,
): fc.Arbitrary<T[]> {
  return fc
    .uniqueArray(row, { selector: ({ key }) => toHex(key), minLength, maxLength: 40 })
    .map((rows) => rows.sort((a, b) => compareBytes(a.key, b.key)));
}

const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? toHex(part) : part)));

const leafEntries: MapEntry[] = [
  {
    key: text('bin/run'),
    kind: FILE,
    executable: true,
    size: 300_000,
    digest: hash(text('run')),
    extra: new Uint8Array(0),
  },
  {
    key: text('bin/self'),
    kind: SYMLINK,
    executable: false,
    size: 3,
    digest: hash(text('run')),
    extra: text('run'),
  },
  {
    key: text('empty/'),
    kind: FOLDER,
    executable: false,
    size: 0,
    digest: new Uint8Array(32),
    extra: new Uint8Array(0),
  },
  {
    key: text('far'),
    kind: REFERENCE,
    executable: false,
    size: 2 ** 41,
    digest: hash(text('far')),
    extra: text('s3://b/k'),
  },
  {
    key: text('föö'),
    kind: FILE,
    executable: false,
    size: 0,
    digest: hash(text('')),
    extra: new Uint8Array(0),
  },
];
const innerChildren: TreeChild[] = [
  { key: text('a/000'), digest: hash(text('0')), count: 100, bytes: 5_000_000_000 },
  { key: text('a/100'), digest: hash(text('1')), count: 1024, bytes: 0 },
  { key: text('b'), digest: hash(text('2')), count: 1, bytes: 127 },
];

describe('golden bytes', () => {
  const golden = (name: string) =>
    readFileSync(new URL(`golden/${name}.hex`, import.meta.url), 'utf8').trim();

  test('of a leaf, an empty leaf and an inner node never change', () => {
    expect(toHex(encodeTreeLeaf(leafEntries))).toBe(golden('tree-leaf'));
    expect(toHex(encodeTreeLeaf([]))).toBe(golden('tree-leaf-empty'));
    expect(toHex(encodeTreeInner(1, innerChildren))).toBe(golden('tree-inner'));
  });

  test('decode to what they were made of', () => {
    const leaf = decodeTreeNode(fromHex(golden('tree-leaf')));
    const inner = decodeTreeNode(fromHex(golden('tree-inner')));
    if (leaf.kind !== 'leaf' || inner.kind !== 'inner') throw new Error('golden nodes are of the wrong kind');
    expect(plain(leaf.entries())).toEqual(plain(leafEntries));
    expect(plain(inner.children())).toEqual(plain(innerChildren));
    expect(leaf).toMatchObject({ level: 0, count: 5, bytes: 300_003 + 2 ** 41 });
    expect(inner).toMatchObject({ level: 1, count: 1125, bytes: 5_000_000_127 });
  });
});

test('any leaf and any inner node come back as they went in, and encode again to the same bytes', () => {
  fc.assert(
    fc.property(
      rowsOf(entry, 0),
      rowsOf(child, 1),
      fc.integer({ min: 1, max: 16 }),
      ext,
      (entries, children, level, ext) => {
        for (const bytes of [encodeTreeLeaf(entries, ext), encodeTreeInner(level, children, ext)]) {
          const node = decodeTreeNode(bytes);
          expect(plain(node.kind === 'leaf' ? node.entries() : node.children())).toEqual(
            plain(node.kind === 'leaf' ? entries : children),
          );
          expect(plain(node.ext)).toEqual(plain(ext));
          expect(toHex(encodeAgain(node))).toBe(toHex(bytes));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('keys are looked up as a list would be', () => {
  fc.assert(
    fc.property(rowsOf(entry, 1), key, (entries, key) => {
      const { keys } = decodeTreeNode(encodeTreeLeaf(entries));
      const below = entries.filter((entry) => compareBytes(entry.key, key) < 0).length;
      const upTo = entries.filter((entry) => compareBytes(entry.key, key) <= 0).length;
      expect(keys.lowerBound(key)).toBe(below);
      expect(keys.rowHolding(key)).toBe(Math.max(0, upTo - 1));
    }),
    { numRuns: 60 },
  );
});

describe('damage', () => {
  test('of any byte is refused with OBJECT_INVALID, or is another node in its own encoding', () => {
    const bytesOf = fc.oneof(
      rowsOf(entry, 0).map((entries) => encodeTreeLeaf(entries)),
      rowsOf(child, 1).map((children) => encodeTreeInner(1, children)),
    );
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(bytesOf, flips, fc.nat({ max: 20 }), (bytes, flips, cut) => {
        const damaged = Uint8Array.from(cut < 4 ? bytes.subarray(0, bytes.length - cut) : bytes);
        for (const [at, flip] of flips) damaged[at % damaged.length] ^= flip;
        let node: TreeNode;
        try {
          node = decodeTreeNode(damaged);
        } catch (error) {
          expect(isArtError(error, 'OBJECT_INVALID'), String(error)).toBe(true);
          return;
        }
        expect(equalBytes(encodeAgain(node), damaged)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const leafBytes = (change: Record<string, unknown>) => {
    const [, , fields] = dagCbor.decode<[number, number, Record<string, unknown>]>(
      encodeTreeLeaf(leafEntries),
    );
    return dagCbor.encode([3, 1, { ...fields, ...change }]);
  };
  const innerBytes = (change: Record<string, unknown>) => {
    const [, , fields] = dagCbor.decode<[number, number, Record<string, unknown>]>(
      encodeTreeInner(2, innerChildren),
    );
    return dagCbor.encode([4, 1, { ...fields, ...change }]);
  };
  /** Two rows whose keys are made of the columns given. */
  const pair = (keys: string, prefixes: number[], suffixes: number[]) =>
    leafBytes({
      keys: text(keys),
      prefixes: Uint8Array.from(prefixes),
      suffixes: Uint8Array.from(suffixes),
      kinds: new Uint8Array(2),
      sizes: new Uint8Array(2),
      digests: new Uint8Array(64),
      extras: new Uint8Array(0),
    });

  test('the columns used below are accepted when they are right', () => {
    expect(decodeTreeNode(leafBytes({})).rows).toBe(5);
    expect(decodeTreeNode(innerBytes({})).rows).toBe(3);
    expect(decodeTreeNode(pair('abc', [0, 1], [2, 1])).rows).toBe(2);
  });

  test.each<[string, Uint8Array]>([
    ['a prefix shorter than what is shared', pair('abac', [0, 0], [2, 2])],
    ['keys that descend', pair('ba', [0, 0], [1, 1])],
    ['the same key twice', pair('ab', [0, 2], [2, 0])],
    ['a key before what it begins with', pair('aba', [0, 0], [2, 1])],
    ['a prefix longer than the key before', pair('abc', [0, 3], [2, 1])],
    ['a first key with a prefix', pair('abc', [1, 1], [2, 1])],
    ['an empty key', pair('a', [0, 0], [0, 1])],
    ['suffixes that use less than there is', pair('abcd', [0, 1], [2, 1])],
    ['suffixes that use more than there is', pair('ab', [0, 1], [2, 1])],
    ['a length column too short', pair('abc', [0], [2, 1])],
    ['a length column too long', pair('abc', [0, 1, 0], [2, 1])],
    ['a length in more bytes than it needs', pair('abc', [0, 0x81, 0], [2, 1])],
    ['an unknown kind', leafBytes({ kinds: Uint8Array.of(0, 1, 2, 3, 4) })],
    ['an executable symlink', leafBytes({ kinds: Uint8Array.of(0, 0x81, 2, 3, 0) })],
    ['half a digest', leafBytes({ digests: new Uint8Array(5 * 32 - 16) })],
    [
      'a size that cannot be counted',
      leafBytes({ sizes: Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 31) }),
    ],
    [
      'a size without end',
      leafBytes({ sizes: Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1) }),
    ],
    [
      'sizes that sum to too much',
      leafBytes({
        sizes: Uint8Array.from([0, 0, 0, ...Array(2).fill([255, 255, 255, 255, 255, 255, 255, 15]).flat()]),
      }),
    ],
    ['an extra past the last row', leafBytes({ extras: Uint8Array.of(5, 1, 7) })],
    ['an empty extra', leafBytes({ extras: Uint8Array.of(0, 0) })],
    ['an extra cut short', leafBytes({ extras: Uint8Array.of(0, 9, 7) })],
    [
      'an extra of more than 16 KiB',
      leafBytes({ extras: Uint8Array.from([0, 0x81, 0x80, 1, ...new Uint8Array(16_385)]) }),
    ],
    ['an extra cut short within its length', leafBytes({ extras: Uint8Array.of(0, 0x80) })],
    ['a field of no meaning', leafBytes({ more: 1 })],
    ['no ext', leafBytes({ ext: null })],
    ['a column of another type', leafBytes({ sizes: [0, 0, 0, 0, 0] })],
    ['a level of nought', innerBytes({ level: 0 })],
    ['a level too high', innerBytes({ level: 17 })],
    ['a child without entries', innerBytes({ counts: Uint8Array.of(1, 0, 1) })],
    [
      'a child of more entries than fit',
      innerBytes({ counts: Uint8Array.of(1, 1, 0x81, 0x80, 0x80, 1), level: 1 }),
    ],
    ['no children', innerBytes({ digests: new Uint8Array(0) })],
    ['digests that do not divide', innerBytes({ digests: new Uint8Array(95) })],
    ['trailing bytes', Uint8Array.from([...encodeTreeLeaf(leafEntries), 0])],
    ['nothing', new Uint8Array(0)],
    ['another kind of node', dagCbor.encode([5, 1, {}])],
    ['a later format', dagCbor.encode([3, 2, {}])],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeTreeNode(bytes)).toThrow(invalid);
  });
});

describe('bounds', () => {
  const entryOf = (key: Uint8Array, extra = 0): MapEntry => ({
    key,
    kind: FILE,
    executable: false,
    size: 1,
    digest: new Uint8Array(32),
    extra: new Uint8Array(extra),
  });
  const numbered = (count: number, extra = 0) =>
    Array.from({ length: count }, (_, i) => entryOf(text(String(i).padStart(6, '0')), extra));
  /** A leaf of these entries as no writer of ours would make it. */
  const forged = (entries: readonly MapEntry[]) => {
    const nodes = Array.from({ length: Math.ceil(entries.length / 4) }, (_, i) =>
      entries.slice(4 * i, 4 * i + 4),
    );
    const columns = nodes.map(
      (part) => dagCbor.decode<[number, number, Record<string, Uint8Array>]>(encodeTreeLeaf(part))[2],
    );
    const names = Object.keys(columns[0]).filter((name) => name !== 'ext');
    const joined = names.map((name) => [name, Buffer.concat(columns.map((fields) => fields[name]))]);
    return dagCbor.encode([3, 1, { ...Object.fromEntries(joined), ext: {} }]);
  };

  test('a node has at most 1,024 rows', () => {
    expect(decodeTreeNode(encodeTreeLeaf(numbered(TREE_ROWS_MAX))).rows).toBe(TREE_ROWS_MAX);
    expect(() => encodeTreeLeaf(numbered(TREE_ROWS_MAX + 1))).toThrow(invalid);
  });

  test('a node may hold four rows of any size, and more only within 64 KiB', () => {
    const longest = (i: number) => entryOf(new Uint8Array(KEY_BYTES_MAX).fill(97 + i), 16 * 1024);
    const four = [0, 1, 2, 3].map(longest);
    expect(decodeTreeNode(encodeTreeLeaf(four)).rows).toBe(4);
    expect(() => encodeTreeLeaf([...four, entryOf(text('z'))])).toThrow(invalid);
    expect(() => encodeTreeLeaf(numbered(5, 16 * 1024))).toThrow(invalid);
    // Keys of one letter share nothing, so columns of leaves of four may be joined.
    const letters = Array.from({ length: 8 }, (_, i) => entryOf(Uint8Array.of(97 + i), 12 * 1024));
    expect(
      decodeTreeNode(forged(letters.map((entry) => ({ ...entry, extra: new Uint8Array(0) })))).rows,
    ).toBe(8);
    expect(() =>
      decodeTreeNode(
        forged(
          letters.map((entry, i) => (i % 4 === 0 ? entry : { ...entry, extra: new Uint8Array(14_000) })),
        ),
      ),
    ).toThrow(invalid);
  });

  test('keys that share nearly everything do not swell when they are written out', () => {
    const stem = 'p'.repeat(60_000);
    const rows = Array.from({ length: 5 }, (_, i) => entryOf(text(stem + i)));
    expect(decodeTreeNode(encodeTreeLeaf(rows.slice(0, 4))).rows).toBe(4);
    expect(() => encodeTreeLeaf(rows)).toThrow(invalid);
    const [, , fields] = dagCbor.decode<[number, number, Record<string, unknown>]>(
      encodeTreeLeaf(rows.slice(0, 4)),
    );
    const thousand = {
      ...fields,
      keys: text(`${stem}${'a'.repeat(999)}`),
      prefixes: Buffer.concat([
        Uint8Array.of(0),
        ...Array.from({ length: 999 }, (_, i) => varint(60_000 + i)),
      ]),
      suffixes: Buffer.concat([varint(60_000), new Uint8Array(999).fill(1)]),
      kinds: new Uint8Array(1000),
      sizes: new Uint8Array(1000),
      digests: new Uint8Array(32_000),
    };
    expect(() => decodeTreeNode(dagCbor.encode([3, 1, thousand]))).toThrow(invalid);
  });

  const varint = (n: number) => Uint8Array.of((n & 127) | 128, ((n >> 7) & 127) | 128, n >> 14);

  test('an encoder refuses rows out of order', () => {
    expect(() => encodeTreeLeaf([entryOf(text('b')), entryOf(text('a'))])).toThrow(invalid);
    expect(() => encodeTreeInner(1, [innerChildren[0], innerChildren[0]])).toThrow(invalid);
    expect(() => encodeTreeInner(17, innerChildren)).toThrow(invalid);
  });
});
