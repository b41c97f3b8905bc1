/** Proves that an object keeps alive what it needs, all of it, and nothing it merely mentions. */
import { expect, test } from 'vitest';
import { toHex } from '#base';
import {
  CHUNK,
  decodeFileNode,
  encodeCommit,
  encodeRun,
  encodeState,
  encodeTombstoneValue,
  encodeTreeInner,
  encodeTreeLeaf,
  encodeVersionValue,
  FILE,
  FOLDER,
  fileRowDigest,
  NODE,
  REFERENCE,
  RUN,
  strongLinks,
  SYMLINK,
  TOMBSTONE,
  VERSION,
} from '#object';
import type { EntryKind, MapEntry, ObjectKind } from '#object';
import { commit, digestOf, encodings, fileNodes, run, state, versionValue } from './samples.ts';

const none = new Uint8Array(0);
const link = (kind: ObjectKind, text: string) => `${kind} ${toHex(digestOf(text))}`;
const linksOf = (bytes: Uint8Array) =>
  strongLinks(bytes).map(({ kind, digest }) => `${kind} ${toHex(digest)}`);

function entry(key: string, kind: EntryKind, size = 0, extra: Uint8Array = none): MapEntry {
  return { key: Buffer.from(key), kind, executable: false, size, digest: digestOf(key), extra };
}

test('a file node keeps its chunks, or the nodes below it', () => {
  for (const { bytes } of fileNodes(200)) {
    const node = decodeFileNode(bytes);
    const kind = node.level === 0 ? CHUNK : NODE;
    const rows = Array.from({ length: node.rows }, (_, row) => `${kind} ${toHex(fileRowDigest(node, row))}`);
    expect(linksOf(bytes)).toEqual(rows);
  }
});

test('a tree keeps the content of its files only: a chunk up to 256 KiB, a file node beyond', () => {
  const leaf = encodeTreeLeaf([
    entry('empty/', FOLDER),
    entry('large', FILE, 262_145),
    entry('link', SYMLINK, 3, Buffer.from('abc')),
    entry('nothing', FILE, 0),
    entry('small', FILE, 262_144),
    entry('there', REFERENCE, 5, Buffer.from('s3://b/k')),
  ]);
  expect(linksOf(leaf)).toEqual([link(NODE, 'large'), link(CHUNK, 'nothing'), link(CHUNK, 'small')]);
  const child = (key: string) => ({ key: Buffer.from(key), digest: digestOf(key), count: 1, bytes: 1 });
  expect(linksOf(encodeTreeInner(1, [child('a'), child('b')]))).toEqual([link(NODE, 'a'), link(NODE, 'b')]);
});

test('a map of versions keeps their commits and what was said of them; tombstones keep nothing', () => {
  const long = { ...versionValue, description: 'x'.repeat(20_000), metadata: digestOf('metadata') };
  const spilled = encodeVersionValue(long);
  const leaf = encodeTreeLeaf([
    entry('1', VERSION, 1, encodeVersionValue(versionValue).extra),
    entry('2', VERSION, 1, encodeVersionValue({ ...versionValue, metadata: digestOf('metadata') }).extra),
    entry('3', VERSION, 1, spilled.extra),
    entry('4', TOMBSTONE, 1, encodeTombstoneValue({ commit: digestOf('4'), who: 'Mia', when: 1 })),
    entry('5', RUN),
  ]);
  expect(linksOf(leaf)).toEqual([
    link(NODE, '1'),
    link(NODE, '2'),
    link(NODE, 'metadata'),
    link(NODE, '3'),
    `${NODE} ${toHex(spilled.node!.digest)}`,
    link(NODE, 'metadata'),
    link(NODE, '5'),
  ]);
});

test('a commit keeps its tree and large metadata, not its parents', () => {
  expect(linksOf(encodings['commit'])).toEqual([link(NODE, 'tree')]);
  const large = encodeCommit({ ...commit, metadata: digestOf('metadata') });
  expect(linksOf(large)).toEqual([link(NODE, 'tree'), link(NODE, 'metadata')]);
});

test('a state keeps its maps, not the state before it', () => {
  expect(linksOf(encodings['state'])).toEqual([link(NODE, 'versions'), link(NODE, 'tombstones')]);
  const empty = { versions: null, versionCount: 0, tombstones: null, tombstoneCount: 0 };
  expect(linksOf(encodeState({ ...state, ...empty }))).toEqual([]);
});

test('a run keeps no versions, only its large configuration', () => {
  expect(linksOf(encodings['run'])).toEqual([]);
  expect(linksOf(encodeRun({ ...run, config: digestOf('config') }))).toEqual([link(NODE, 'config')]);
});

test('metadata keeps nothing, and what is no node is refused', () => {
  expect(linksOf(encodings['metadata'])).toEqual([]);
  for (const bytes of [none, Uint8Array.of(0x83, 99), Uint8Array.of(0x83, 8)]) {
    expect(() => strongLinks(bytes)).toThrow(expect.objectContaining({ code: 'OBJECT_INVALID' }));
  }
});
