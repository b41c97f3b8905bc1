/** Proves that a file's nodes list its chunks in order, come out the same each time, and are refused if crafted. */
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteWriter, toHex } from '#base';
import {
  CHUNK_BYTES_MAX,
  decodeFileNode,
  FILE_LEVELS_MAX,
  FILE_ROWS_MAX,
  FileNodeBuilder,
  fileRowDigest,
  hash,
  isFileChild,
} from '#object';
import type { Digest, FileNode } from '#object';
import { digestOf, encodings, fileNodes } from './samples.ts';

const invalid = expect.objectContaining({ code: 'OBJECT_INVALID' });

interface Row {
  readonly digest: Digest;
  readonly length: number;
}

function build(rows: readonly Row[]): { root: Digest; size: number; nodes: Map<string, Uint8Array> } {
  const nodes = new Map<string, Uint8Array>();
  const builder = new FileNodeBuilder((digest, bytes) => {
    expect(toHex(digest)).toBe(toHex(hash(bytes)));
    for (const child of childrenOf(decodeFileNode(bytes))) expect(nodes.has(child)).toBe(true);
    nodes.set(toHex(digest), bytes);
  });
  for (const { digest, length } of rows) builder.add(digest, length);
  const { digest, size } = builder.finish({ content: digestOf('content') });
  return { root: digest, size, nodes };
}

function childrenOf(node: FileNode): string[] {
  if (node.level === 0) return [];
  return Array.from({ length: node.rows }, (_, row) => toHex(fileRowDigest(node, row)));
}

/** All rows below the root, in order; checks each node against what its parent says of it. */
function read(nodes: ReadonlyMap<string, Uint8Array>, root: Digest): { rows: Row[]; depth: number } {
  const walk = (node: FileNode): Row[] => {
    if (node.level === 0) {
      return Array.from(node.sizes, (length, row) => ({ digest: fileRowDigest(node, row), length }));
    }
    return childrenOf(node).flatMap((name, row) => {
      const child = decodeFileNode(nodes.get(name)!);
      expect(isFileChild(node, row, child)).toBe(true);
      return walk(child);
    });
  };
  const top = decodeFileNode(nodes.get(toHex(root))!);
  return { rows: walk(top), depth: top.level + 1 };
}

const plain = (rows: readonly Row[]) => rows.map(({ digest, length }) => `${toHex(digest)} ${length}`);

/** A digest that ends a node, or does not. */
function rowOf(seed: number, ends: boolean, length = 20_000 + seed): Row {
  const digest = digestOf(`row ${seed}`);
  digest[31] = ends ? digest[31] & 0x80 : digest[31] | 1;
  return { digest, length };
}

test('what was added is what is read, whatever ends nodes', () => {
  const row = fc.record({ seed: fc.nat(200_000), ends: fc.boolean() });
  fc.assert(
    fc.property(fc.array(row, { minLength: 14, maxLength: 300 }), (list) => {
      const rows = list.map(({ seed, ends }) => rowOf(seed, ends));
      const { root, size, nodes } = build(rows);
      expect(size).toBe(rows.reduce((total, { length }) => total + length, 0));
      expect(plain(read(nodes, root).rows)).toEqual(plain(rows));
      expect(decodeFileNode(nodes.get(toHex(root))!).root).toMatchObject({ size, chunker: 1 });
      for (const [name, bytes] of nodes) {
        expect(decodeFileNode(bytes).root === undefined).toBe(name !== toHex(root));
      }
    }),
    { numRuns: 40 },
  );
});

test('a file of many chunks has nodes of at most 1,024 rows, and no level more than it needs', () => {
  const rows = Array.from({ length: 5000 }, (_, i) => rowOf(i, false));
  const { root, nodes } = build(rows);
  const found = read(nodes, root);
  expect(found.depth).toBe(2);
  expect(found.rows.length).toBe(5000);
  for (const bytes of nodes.values()) expect(decodeFileNode(bytes).rows).toBeLessThanOrEqual(FILE_ROWS_MAX);
});

test('a full last node leaves no empty one, and no root above a single child', () => {
  for (const count of [FILE_ROWS_MAX, FILE_ROWS_MAX + 1]) {
    const { root, nodes } = build(Array.from({ length: count }, (_, i) => rowOf(i, false)));
    expect(nodes.size).toBe(count === FILE_ROWS_MAX ? 1 : 3);
    expect(read(nodes, root).rows.length).toBe(count);
  }
});

test('a changed chunk rewrites only the nodes above it', () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({ digest: digestOf(`chunk ${i}`), length: 70_000 }));
  const before = build(rows);
  const edited = rows.slice();
  edited.splice(
    10_000,
    1,
    { digest: digestOf('new'), length: 70_001 },
    { digest: digestOf('newer'), length: 7 },
  );
  edited.splice(10_001, 1, { digest: digestOf('newer'), length: 17_000 });
  const after = build(edited);
  const fresh = [...after.nodes.keys()].filter((name) => !before.nodes.has(name));
  expect(before.nodes.size).toBeGreaterThan(100);
  expect(fresh.length).toBeLessThanOrEqual(6);
});

test('one builder makes one file after another, the same each time', () => {
  const roots: string[] = [];
  const builder = new FileNodeBuilder(() => undefined);
  for (let turn = 0; turn < 2; turn++) {
    for (let i = 0; i < 300; i++) builder.add(digestOf(`chunk ${i}`), 262_144 - i);
    roots.push(toHex(builder.finish({ content: digestOf('content') }).digest));
  }
  expect(roots[1]).toBe(roots[0]);
});

test('chunks crafted to end every node cannot make the tree deeper than its bound', () => {
  // Grinding digests of nodes is left out: chunks are enough to make every leaf one row.
  const { root, nodes } = build(Array.from({ length: 3000 }, (_, i) => rowOf(i, true)));
  const { rows, depth } = read(nodes, root);
  expect(rows.length).toBe(3000);
  expect(depth).toBeLessThanOrEqual(FILE_LEVELS_MAX);
});

/** Encodes fields that no builder would. */
function crafted(kind: number, fields: Record<string, unknown>): Uint8Array {
  return dagCbor.encode([kind, 1, { ext: {}, ...fields }]);
}

const varints = (...numbers: number[]): Uint8Array =>
  numbers.reduce((writer, number) => writer.varint(number), new ByteWriter()).take();
const two = Buffer.concat([rowOf(1, false).digest, rowOf(2, false).digest]);
const content = digestOf('content');

test('a well-formed leaf and inner node are accepted, so that what follows is refused for its fault', () => {
  const lengths = varints(262_144, 5);
  expect(decodeFileNode(crafted(1, { digests: two, lengths })).size).toBe(262_149);
  expect(
    decodeFileNode(crafted(1, { digests: two, lengths, root: { size: 262_149, chunker: 1, content } })).root
      ?.size,
  ).toBe(262_149);
  const inner = { level: 1, digests: two, sizes: varints(40_000, 20_000), counts: varints(2, 1) };
  expect(decodeFileNode(crafted(2, inner)).count).toBe(3);
});

test.for<[string, number, Record<string, unknown>]>([
  ['no rows', 1, { digests: new Uint8Array(0), lengths: new Uint8Array(0) }],
  ['half a digest', 1, { digests: two.subarray(1), lengths: varints(5, 5) }],
  ['a length too few', 1, { digests: two, lengths: varints(20_000) }],
  ['a length too many', 1, { digests: two, lengths: varints(20_000, 20_000, 1) }],
  ['a length of 0', 1, { digests: two, lengths: varints(20_000, 0) }],
  ['a chunk too long', 1, { digests: two, lengths: varints(262_145, 5) }],
  ['a number in a longer form', 1, { digests: two, lengths: Uint8Array.of(0x85, 0x80, 0, 5) }],
  [
    'a row past the end of its node',
    1,
    {
      digests: Buffer.concat([rowOf(1, true).digest, rowOf(2, false).digest]),
      lengths: varints(20_000, 20_000),
    },
  ],
  [
    'too many rows',
    1,
    {
      digests: Buffer.alloc(32 * 1025, 1),
      lengths: varints(...new Array<number>(1025).fill(20_000)),
    },
  ],
  [
    'another size in the root',
    1,
    { digests: two, lengths: varints(262_144, 5), root: { size: 9, chunker: 1, content } },
  ],
  [
    'a root of a short file',
    1,
    { digests: two, lengths: varints(20_000, 5), root: { size: 20_005, chunker: 1, content } },
  ],
  [
    'a root with one child',
    2,
    {
      level: 1,
      digests: two.subarray(32),
      sizes: varints(400_000),
      counts: varints(9),
      root: { size: 400_000, chunker: 1, content },
    },
  ],
  [
    'a root without content',
    1,
    { digests: two, lengths: varints(262_144, 5), root: { size: 262_149, chunker: 1 } },
  ],
  ['an unknown field', 1, { digests: two, lengths: varints(20_000, 5), more: 1 }],
  [
    'an inner node of level 0',
    2,
    { level: 0, digests: two, sizes: varints(40_000, 20_000), counts: varints(2, 1) },
  ],
  ['a level too high', 2, { level: 8, digests: two, sizes: varints(40_000, 20_000), counts: varints(2, 1) }],
  ['a count of 0', 2, { level: 1, digests: two, sizes: varints(40_000, 20_000), counts: varints(2, 0) }],
  [
    'more chunks than a leaf holds',
    2,
    { level: 1, digests: two, sizes: varints(99_000_000, 20_000), counts: varints(1025, 1) },
  ],
  [
    'more bytes than its chunks hold',
    2,
    { level: 1, digests: two, sizes: varints(2 * CHUNK_BYTES_MAX + 1, 20_000), counts: varints(2, 1) },
  ],
  [
    'fewer bytes than its chunks hold',
    2,
    { level: 1, digests: two, sizes: varints(16_384, 20_000), counts: varints(2, 1) },
  ],
])('%s is refused', ([, kind, fields]) => {
  expect(() => decodeFileNode(crafted(kind, fields))).toThrow(invalid);
});

test('no other kind, and no newer format, is taken for a file node', () => {
  expect(() => decodeFileNode(encodings['commit'])).toThrow(invalid);
  const newer = Uint8Array.from(fileNodes(5)[0].bytes);
  newer[2] = 2;
  expect(() => decodeFileNode(newer)).toThrow(invalid);
});
