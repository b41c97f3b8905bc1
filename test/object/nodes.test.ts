/** Proves that commits, states, runs, metadata and versions read back as written, in one encoding that never changes. */
import { readdirSync, readFileSync } from 'node:fs';
import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, isArtError, toHex } from '#base';
import {
  decodeCommit,
  decodeFileNode,
  decodeMetadata,
  decodeRun,
  decodeState,
  decodeTombstoneValue,
  decodeVersionValue,
  encodeCommit,
  encodeMetadata,
  encodeRun,
  encodeState,
  encodeTombstoneValue,
  encodeVersionValue,
  EXTRA_BYTES_MAX,
  hash,
  METADATA_BYTES_MAX,
  METADATA_DEPTH_MAX,
  METADATA_INLINE_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  nodeKindOf,
  placeMetadata,
  versionLinks,
} from '#object';
import type { Metadata, MetadataValue } from '#object';
import { commit, digestOf, encodings, largeMetadata, metadata, run, state, versionValue } from './samples.ts';

const invalid = expect.objectContaining({ code: 'OBJECT_INVALID' });
const unkept = expect.objectContaining({ code: 'METADATA_INVALID' });
const versionDigest = versionValue.commit;

/** Each kind by its golden file: reads it and, where that can be done, writes it again. */
const again: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>> = {
  'file-leaf-root': (bytes) => void decodeFileNode(bytes),
  'file-leaf': (bytes) => void decodeFileNode(bytes),
  'file-inner-root': (bytes) => void decodeFileNode(bytes),
  commit: (bytes) => encodeCommit(decodeCommit(bytes)),
  state: (bytes) => encodeState(decodeState(bytes)),
  run: (bytes) => encodeRun(decodeRun(bytes)),
  metadata: (bytes) => encodeMetadata(decodeMetadata(bytes)),
  'version-extra': (extra) => encodeVersionValue(decodeVersionValue({ digest: versionDigest, extra })).extra,
};

describe.for(Object.entries(encodings))('%s', ([name, bytes]) => {
  test('has the bytes it always had', () => {
    const golden = readFileSync(new URL(`golden/${name}.hex`, import.meta.url), 'utf8').trim();
    expect(toHex(bytes)).toBe(golden);
  });

  test('reads, and writes the same bytes again', () => {
    expect(toHex(again[name](bytes) ?? bytes)).toBe(toHex(bytes));
  });

  test('cut short, or with a byte more, is refused', () => {
    for (const length of [0, 1, 2, bytes.length >> 1, bytes.length - 1]) {
      expect(() => again[name](bytes.subarray(0, length))).toThrow(invalid);
    }
    expect(() => again[name](Buffer.concat([bytes, Uint8Array.of(0)]))).toThrow(invalid);
  });

  test('with any bytes changed is refused, or is another value in its one encoding', () => {
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = Uint8Array.from(bytes); // `slice` of a Buffer is a view.
        for (const { at, to } of changes) changed[at] = to;
        let rewritten: Uint8Array | undefined;
        try {
          rewritten = again[name](changed);
        } catch (error) {
          if (isArtError(error, 'OBJECT_INVALID')) return;
          throw error;
        }
        if (rewritten) expect(equalBytes(rewritten, changed)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('with a field more, a field less, or without ext is refused', () => {
    if (name === 'version-extra') return;
    const [kind, format, fields] = dagCbor.decode<[number, number, Record<string, unknown>]>(bytes);
    expect(() => again[name](dagCbor.encode([kind, format, { ...fields, stranger: 1 }]))).toThrow(invalid);
    for (const key of Object.keys(fields)) {
      if (key === 'root') continue;
      const { [key]: left, ...rest } = fields;
      expect(() => again[name](dagCbor.encode([kind, format, rest])), key).toThrow(invalid);
      expect(left).toBeDefined();
    }
  });
});

test('every golden file is looked at', () => {
  const files = readdirSync(new URL('golden/', import.meta.url)).filter((name) => !name.startsWith('tree-'));
  expect(files.sort()).toEqual(['cuts.json', ...Object.keys(encodings).map((name) => `${name}.hex`)].sort());
});

test('values read back as they were written', () => {
  expect(decodeCommit(encodings['commit'])).toEqual({
    ...commit,
    tree: expect.anything() as unknown,
    parents: [expect.anything()],
  });
  expect(toHex(decodeCommit(encodings['commit']).tree)).toBe(toHex(commit.tree));
  expect([...decodeState(encodings['state']).aliases]).toEqual([...state.aliases]);
  expect(decodeRun(encodings['run']).config).toEqual(run.config);
  expect(decodeMetadata(encodings['metadata'])).toEqual(metadata);
});

test('fields nobody knows yet are kept as they are', () => {
  const ext = { 'vendor.field': { deep: [1, null, Uint8Array.of(1, 2)] } };
  expect(toHex(dagCbor.encode(decodeState(encodeState({ ...state, ext })).ext))).toBe(
    toHex(dagCbor.encode(ext)),
  );
});

test('the order in which aliases were set leaves no trace', () => {
  const turned = new Map([...state.aliases].reverse());
  expect(toHex(encodeState({ ...state, aliases: turned }))).toBe(toHex(encodings['state']));
});

test.for<[string, () => unknown]>([
  ['a message too long', () => encodeCommit({ ...commit, message: 'x'.repeat(MESSAGE_BYTES_MAX + 1) })],
  [
    'a message too long in bytes alone',
    () => encodeCommit({ ...commit, message: 'ö'.repeat(MESSAGE_BYTES_MAX / 2 + 1) }),
  ],
  ['a time with a fraction', () => encodeCommit({ ...commit, time: 1.5 })],
  ['a digest too short', () => encodeCommit({ ...commit, tree: new Uint8Array(31) })],
  [
    'too many parents',
    () => encodeCommit({ ...commit, parents: new Array<Uint8Array>(17).fill(commit.tree) }),
  ],
  ['metadata inline that should stand apart', () => encodeCommit({ ...commit, metadata: largeMetadata })],
  ['an alias of a version to come', () => encodeState({ ...state, aliases: new Map([['best', 5]]) })],
  ['more versions than numbers', () => encodeState({ ...state, versionCount: 6 })],
  ['versions without a map', () => encodeState({ ...state, versions: null })],
  ['a run in no known state', () => encodeRun({ ...run, state: 'lost' as 'failed' })],
  ['an input without its commit', () => encodeRun({ ...run, inputs: [{ artifact: 'a', as: '' } as never] })],
  ['an output that says too much', () => encodeRun({ ...run, outputs: run.inputs })],
])('%s is refused when writing', ([, write]) => {
  expect(write).toThrow(invalid);
});

describe('metadata', () => {
  test('up to 4 KiB stays inside its owner, more stands beside it', () => {
    expect(placeMetadata(metadata)).toEqual({ value: metadata });
    const base = dagCbor.encode({ text: 'x'.repeat(4000) }).length - 4000;
    const fits = { text: 'x'.repeat(METADATA_INLINE_BYTES_MAX - base) };
    expect(placeMetadata(fits).node).toBeUndefined();
    const placed = placeMetadata({ text: `${fits.text}x` });
    expect(toHex(placed.value as Uint8Array)).toBe(toHex(hash(placed.node!.bytes)));
    expect(decodeMetadata(placed.node!.bytes)).toEqual({ text: `${fits.text}x` });
  });

  test('that JSON can say reads back as written', () => {
    const json = fc.jsonValue();
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), json), (map) => {
        const wanted = JSON.parse(JSON.stringify(map)) as Metadata;
        let bytes: Uint8Array;
        try {
          bytes = encodeMetadata(wanted);
        } catch (error) {
          // Lone surrogates and __proto__ are refused, never altered.
          if (isArtError(error, 'METADATA_INVALID')) return;
          throw error;
        }
        expect(decodeMetadata(bytes)).toEqual(wanted);
      }),
    );
  });

  const nested = (depth: number): Metadata => {
    let value: MetadataValue = 1;
    for (let i = 0; i < depth; i++) value = { a: value };
    return value as Metadata;
  };

  test('nests up to its bound and no deeper', () => {
    expect(decodeMetadata(encodeMetadata(nested(METADATA_DEPTH_MAX)))).toEqual(nested(METADATA_DEPTH_MAX));
    expect(() => encodeMetadata(nested(METADATA_DEPTH_MAX + 1))).toThrow(unkept);
  });

  test.for<[string, unknown]>([
    ['too much', { text: 'x'.repeat(METADATA_BYTES_MAX) }],
    ['NaN', { a: NaN }],
    ['infinity', { a: [Infinity] }],
    ['undefined', { a: undefined }],
    ['a bigint', { a: 1n }],
    ['bytes', { a: new Uint8Array(1) }],
    ['a date', { a: new Date(0) }],
    ['half a character', { a: '\ud800' }],
    ['half a character in a key', { '\ud800': 1 }],
    ['a prototype', JSON.parse('{"a":{"__proto__":1}}')],
    ['a list', [1]],
    ['a text', 'a'],
    ['nothing', null],
  ])('%s is refused, naming where', ([, value]) => {
    expect(() => placeMetadata(value as Metadata)).toThrow(unkept);
  });
});

describe('a version in its map', () => {
  const entryOf = (extra: Uint8Array) => ({ digest: versionDigest, extra });

  test('reads back, with and without what it may leave out', () => {
    const { description, metadata: _, ...bare } = versionValue;
    expect(description).toBeDefined();
    for (const value of [versionValue, bare, { ...versionValue, ext: { 'vendor.x': 1 } }]) {
      const { extra, node } = encodeVersionValue(value);
      expect(node).toBeUndefined();
      expect(decodeVersionValue(entryOf(extra))).toEqual(value);
    }
  });

  test('with more to say than an entry holds is spilled into an object, its metadata linked beside it', () => {
    for (const placed of [{}, { metadata }, { metadata: digestOf('metadata') }]) {
      const { metadata: _, ...bare } = versionValue;
      const value = { ...bare, description: 'x'.repeat(EXTRA_BYTES_MAX), ...placed };
      const { extra, node } = encodeVersionValue(value);
      expect(extra.length).toBeLessThan(200);
      const links = versionLinks(extra);
      expect(toHex(links.spilled!)).toBe(toHex(hash(node!.bytes)));
      expect(links.metadata instanceof Uint8Array).toBe(
        'metadata' in placed && placed.metadata instanceof Uint8Array,
      );
      expect(nodeKindOf(node!.bytes)).toBe('metadata');
      const read = decodeVersionValue(entryOf(extra), node!.bytes);
      expect(toHex(dagCbor.encode(read))).toBe(toHex(dagCbor.encode(value)));
    }
  });

  test('says no more than its bounds allow', () => {
    expect(() => encodeVersionValue({ ...versionValue, ttl: -1 })).toThrow(invalid);
    expect(() => encodeVersionValue({ ...versionValue, tags: ['x'.repeat(513)] })).toThrow(invalid);
    expect(() => encodeVersionValue({ ...versionValue, metadata: largeMetadata })).toThrow(invalid);
    expect(() => decodeVersionValue(entryOf(new Uint8Array(0)))).toThrow(invalid);
    expect(() => decodeVersionValue(entryOf(dagCbor.encode([1])))).toThrow(invalid);
  });

  test('leaves a tombstone that says who and when', () => {
    const value = { commit: versionDigest, who: 'Mia', when: 1_700_000_000_000 };
    const extra = encodeTombstoneValue(value);
    expect(decodeTombstoneValue(entryOf(extra))).toEqual(value);
    expect(() => decodeTombstoneValue(entryOf(extra.subarray(1)))).toThrow(invalid);
    expect(() => decodeTombstoneValue(entryOf(encodeVersionValue(versionValue).extra))).toThrow(invalid);
  });
});

describe('a node that is nested without end', () => {
  /** A commit whose `ext` holds a list in a list in a list, `depth` of them. */
  function nested(depth: number): Uint8Array {
    const plain = dagCbor.decode<[number, number, Record<string, unknown>]>(encodeCommit(commit));
    let value: unknown = 0;
    for (let i = 0; i < depth; i++) value = [value];
    return dagCbor.encode([plain[0], plain[1], { ...plain[2], ext: { 'a.b': value } }]);
  }

  test('is refused before anybody goes down into it', () => {
    expect(decodeCommit(nested(100)).tree).toEqual(commit.tree);
    for (const depth of [200, 1000]) expect(() => decodeCommit(nested(depth))).toThrow(/nested more than/);
    // Deeper than the encoder can go itself: heads of lists, one in the other.
    const deep = Buffer.concat([Buffer.from([0x83, 5, 1]), Buffer.alloc(1_000_000, 0x81), Buffer.from([0])]);
    expect(() => decodeCommit(deep)).toThrow(expect.objectContaining({ code: 'OBJECT_INVALID' }));
    const tags = Buffer.concat([Buffer.from([0x83, 5, 1]), Buffer.alloc(1_000_000, 0xd8), Buffer.from([0])]);
    expect(() => decodeCommit(tags)).toThrow(expect.objectContaining({ code: 'OBJECT_INVALID' }));
  });

  test('metadata of the depth that it may have passes', () => {
    let value: MetadataValue = 0;
    for (let i = 1; i < METADATA_DEPTH_MAX; i++) value = [value];
    expect(decodeMetadata(encodeMetadata({ a: value }))).toEqual({ a: value });
  });
});
