import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError, toHex } from '#base';
import {
  artifactOfKey,
  decodeHeld,
  decodeName,
  decodeNumber,
  decodeOperation,
  decodeRef,
  decodeStoredDraft,
  encodeHeld,
  encodeName,
  encodeNumber,
  encodeOperation,
  encodeRef,
  encodeStoredDraft,
  folderOfRef,
  folderRef,
  parseArtifactName,
  parseDraftId,
  recordKeys,
} from '#version';
import type { Held, Operation, StoredDraft } from '#version';
import { digestOf } from './node-memory.ts';

const name = parseArtifactName;
const digest = fc.nat().map(digestOf);
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const refName = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const time = fc.integer({ min: 0, max: 2 ** 50 });

const operation: fc.Arbitrary<Operation> = fc.record({
  number: fc.maxSafeNat(),
  time,
  user: text,
  host: text,
  run: fc.option(fc.string({ unit: 'grapheme', minLength: 1 })),
  command: text,
  changes: fc.array(fc.record({ ref: refName, before: fc.option(digest), after: fc.option(digest) }), {
    maxLength: 4,
  }),
  undoes: fc.option(fc.nat()),
});
const held: fc.Arbitrary<Held> = fc.record({
  path: text,
  artifact: fc.constantFrom('cifar', 'a.b').map(name),
  number: fc.maxSafeNat(),
  commit: digest,
  tree: digest,
  partial: fc.boolean(),
  moving: fc.array(fc.record({ commit: digest, tree: digest, paths: fc.array(text, { maxLength: 2 }) }), {
    maxLength: 2,
  }),
  time,
});
const draft: fc.Arbitrary<StoredDraft> = fc.record({
  artifact: fc.constantFrom('cifar', 'a.b').map(name),
  id: fc.constantFrom('run-1', '7').map(parseDraftId),
  onto: fc.option(fc.record({ artifact: fc.constant(name('cifar')), number: fc.nat(), commit: digest })),
  tree: digest,
  files: fc.maxSafeNat(),
  bytes: fc.maxSafeNat(),
  parts: fc.nat(),
  started: time,
  changed: time,
  became: fc.option(fc.record({ number: fc.nat(), commit: digest })),
});

interface Codec {
  readonly values: fc.Arbitrary<unknown>;
  encode(value: never): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const CODECS: readonly (readonly [string, Codec])[] = [
  ['operation', { values: operation, encode: encodeOperation, decode: decodeOperation }],
  ['held', { values: held, encode: encodeHeld, decode: decodeHeld }],
  ['draft', { values: draft, encode: encodeStoredDraft, decode: decodeStoredDraft }],
  ['ref', { values: digest, encode: encodeRef, decode: decodeRef }],
  ['number', { values: fc.maxSafeNat(), encode: encodeNumber, decode: decodeNumber }],
  ['name', { values: fc.constantFrom('cifar', 'a.b').map(name), encode: encodeName, decode: decodeName }],
];

test.each(CODECS)('%s: what is written is read back', (_, { values, encode, decode }) => {
  fc.assert(fc.property(values, (value) => void expect(decode(encode(value as never))).toEqual(value)));
});

test.each(CODECS)('%s: damaged bytes are STORE_DAMAGED, or another value in its one encoding', (_, codec) => {
  const damage = fc.record({
    at: fc.nat(400),
    byte: fc.nat(255),
    cut: fc.nat(3),
    more: fc.uint8Array({ maxLength: 2 }),
  });
  fc.assert(
    fc.property(codec.values, damage, (value, { at, byte, cut, more }) => {
      const bytes = Buffer.concat([codec.encode(value as never), more]);
      const mangled = Buffer.from(bytes.subarray(0, bytes.length - cut));
      if (mangled.length > 0) mangled[at % mangled.length] = byte;
      let decoded: unknown;
      try {
        decoded = codec.decode(mangled);
      } catch (error) {
        expect(isArtError(error, 'STORE_DAMAGED')).toBe(true);
        return;
      }
      expect(toHex(codec.encode(decoded as never))).toBe(toHex(mangled));
    }),
    { numRuns: 500 },
  );
});

test('a count that no record could hold is refused before memory is taken', () => {
  const huge = encodeOperation({
    number: 0,
    time: 0,
    user: '',
    host: '',
    run: null,
    command: '',
    changes: [],
    undoes: null,
  });
  const lying = Buffer.concat([huge.subarray(0, -1), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])]);
  expect(() => decodeOperation(lying)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
});

test('a very long command is kept cut, between characters', () => {
  const base = { number: 1, time: 2, user: 'u', host: 'h', run: null, changes: [], undoes: null };
  const { command } = decodeOperation(encodeOperation({ ...base, command: `a${'é'.repeat(20_000)}` }));
  expect(command).toBe(`a${'é'.repeat(8191)}`);
});

test('keys sort as the numbers they hold, are ASCII and tell records apart', () => {
  fc.assert(
    fc.property(fc.nat(10 ** 9), fc.nat(10 ** 9), text, (a, b, path) => {
      expect(recordKeys.operation(a) < recordKeys.operation(b)).toBe(a < b);
      expect(recordKeys.held(path)).toMatch(/^held\/[0-9a-f]{32}$/);
    }),
  );
  expect(recordKeys.operation(42)).toBe('op/000000000042');
  expect(recordKeys.nextOperation.startsWith(recordKeys.operations)).toBe(false);
  expect(recordKeys.folded(name('Cifar'))).toBe(recordKeys.folded(name('cIFAR')));
  expect(recordKeys.artifact(name('Cifar'))).toBe('ref/artifacts/Cifar');
  expect(recordKeys.draft(name('a.b'), parseDraftId('x'))).toBe('draft/a.b/x');
  expect(artifactOfKey('ref/artifacts/a.b')).toBe('a.b');
  expect(artifactOfKey('held/x')).toBeUndefined();
  expect(folderRef('/d/ü')).toBe('folder:/d/ü');
  expect(folderOfRef(folderRef('/d/ü'))).toBe('/d/ü');
  expect([folderOfRef('ref/artifacts/folder'), artifactOfKey(folderRef('/d'))]).toEqual([
    undefined,
    undefined,
  ]);
});

test('records are these bytes', () => {
  const commit = digestOf(1);
  const tree = digestOf(2);
  const golden = {
    operation: encodeOperation({
      number: 300,
      time: 1_700_000_000_000,
      user: 'Mia',
      host: 'lab',
      run: 'r1',
      command: 'art commit',
      changes: [{ ref: 'ref/artifacts/cifar', before: null, after: commit }],
      undoes: 299,
    }),
    held: encodeHeld({
      path: '/d/ü',
      artifact: name('cifar'),
      number: 3,
      commit,
      tree,
      partial: true,
      moving: [{ commit, tree, paths: [] }],
      time: 1_700_000_000_000,
    }),
    heldWithPaths: encodeHeld({
      path: '/d',
      artifact: name('cifar'),
      number: 3,
      commit,
      tree,
      partial: true,
      moving: [
        { commit, tree, paths: ['a/', 'ü'] },
        { commit, tree, paths: [] },
      ],
      time: 1_700_000_000_000,
    }),
    draft: encodeStoredDraft({
      artifact: name('cifar'),
      id: parseDraftId('run-1'),
      onto: { artifact: name('mnist'), number: 3, commit },
      tree,
      files: 300,
      bytes: 70_000,
      parts: 2,
      started: 1_700_000_000_000,
      changed: 1_700_000_001_000,
      became: { number: 4, commit },
    }),
  };
  expect(toHex(golden.operation)).toMatchInlineSnapshot(
    `"01ac0200008056febc7842034d6961036c61620272310a61727420636f6d6d6974ac0201137265662f6172746966616374732f636966617200014c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e"`,
  );
  expect(toHex(golden.held)).toMatchInlineSnapshot(
    `"01052f642fc3bc056369666172034c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e2764efe2e3493a552bbd5c4c528f5583f53711110a2d97554243575430d3a3bb0100008056febc7842014c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e2764efe2e3493a552bbd5c4c528f5583f53711110a2d97554243575430d3a3bb"`,
  );
  expect(toHex(golden.heldWithPaths)).toMatchInlineSnapshot(
    `"02022f64056369666172034c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e2764efe2e3493a552bbd5c4c528f5583f53711110a2d97554243575430d3a3bb0100008056febc7842024c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e2764efe2e3493a552bbd5c4c528f5583f53711110a2d97554243575430d3a3bb0202612f02c3bc4c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e2764efe2e3493a552bbd5c4c528f5583f53711110a2d97554243575430d3a3bb00"`,
  );
  expect(toHex(golden.draft)).toMatchInlineSnapshot(
    `"010563696661720572756e2d3101056d6e697374034c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e2764efe2e3493a552bbd5c4c528f5583f53711110a2d97554243575430d3a3bbac02f0a2040200008056febc78420080be56febc784201044c7875d6296c257bdf14f4995e86ed92611727d1457510114a3824fae539b49e"`,
  );
});
