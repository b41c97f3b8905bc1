import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '#base';
import { CHUNK } from '#object';
import { artifactOfPointer, decodeCondemned, decodeFormat, decodeGcState, decodePointer } from '#sync';
import { encodeCondemned, encodeFormat, encodeGcState, encodePointer, pointerKey } from '#sync';
import type { GcState, Pointer } from '#sync';
import { decodeConflicts, decodeSeen, encodeConflicts, encodeSeen, parseArtifactName } from '#version';
import { decodeBucketId, decodePushing, encodeBucketId, encodePushing } from '#version';
import { decodeIncomplete, decodePromise, decodeReliance } from '#version';
import { encodeIncomplete, encodePromise, encodeReliance } from '#version';

const PACKS = ['01jd6z5m0c0123456789abcdef-0a0b0c0d', '01jd6z5m0cfedcba9876543210-ffee0011'];
const STATE = Uint8Array.from({ length: 32 }, (_, i) => i);
const POINTER: Pointer = {
  state: STATE,
  seq: 300,
  epoch: 2,
  writer: 'Ada <ada@example.org>',
  nonce: '000102030405060708090a0b0c0d0e0f',
  packs: PACKS,
};
const GC_STATE: GcState = {
  epoch: 300,
  phase: 'fenced',
  writer: 'Ada <ada@example.org>',
  nonce: '000102030405060708090a0b0c0d0e0f',
};
const SEEN = { synced: STATE, seen: null, tag: 't1', pointer: Uint8Array.of(1, 2, 3) };
const CONFLICTS = [{ alias: 'best', theirs: 4, settled: true }];

const PROMISE = { bucket: '0123456789abcdef0123456789abcdef', lazy: true, since: 1_767_225_600_000 };
const RELIANCE = { version: 'cifar:v3' };
const INCOMPLETE = { remote: 'origin', lost: [{ kind: CHUNK, digest: STATE } as const] };

/** Bytes that are stored for ever: a change here is a change of the format. */
function golden(name: string, bytes: Uint8Array): void {
  const file = join(import.meta.dirname, 'golden', `${name}.hex`);
  if (process.env['UPDATE']) writeFileSync(file, `${toHex(bytes)}\n`);
  expect(toHex(bytes)).toBe(readFileSync(file, 'utf8').trim());
}

describe('stored bytes', () => {
  test('are what they always were, and read back', () => {
    golden('pointer', encodePointer(POINTER));
    expect(decodePointer(encodePointer(POINTER), 'it')).toEqual(POINTER);
    golden('pointer-empty', encodePointer({ ...POINTER, state: null, seq: 0, epoch: 0, packs: [] }));
    golden('condemned', encodeCondemned(PACKS));
    expect(decodeCondemned(encodeCondemned(PACKS), 'it')).toEqual(PACKS);
    golden('gc-state', encodeGcState(GC_STATE));
    expect(decodeGcState(encodeGcState(GC_STATE), 'it')).toEqual(GC_STATE);
    golden('format', encodeFormat({ id: '0123456789abcdef0123456789abcdef' }));
    golden('seen', encodeSeen(SEEN));
    expect(decodeSeen(encodeSeen(SEEN))).toEqual(SEEN);
    golden('bucket-id', encodeBucketId(PROMISE.bucket));
    expect(decodeBucketId(encodeBucketId(PROMISE.bucket))).toBe(PROMISE.bucket);
    golden('pushing', encodePushing(STATE));
    expect(decodePushing(encodePushing(STATE))).toEqual(STATE);
    golden('conflicts', encodeConflicts(CONFLICTS));
    expect(decodeConflicts(encodeConflicts(CONFLICTS))).toEqual(CONFLICTS);
    golden('promise', encodePromise(PROMISE));
    expect(decodePromise(encodePromise(PROMISE))).toEqual(PROMISE);
    golden('reliance', encodeReliance(RELIANCE));
    expect(decodeReliance(encodeReliance(RELIANCE))).toEqual(RELIANCE);
    golden('incomplete', encodeIncomplete(INCOMPLETE));
    expect(decodeIncomplete(encodeIncomplete(INCOMPLETE))).toEqual(INCOMPLETE);
  });

  test.each([
    ['promise', encodePromise(PROMISE), decodePromise],
    ['reliance', encodeReliance(RELIANCE), decodeReliance],
    ['incomplete', encodeIncomplete(INCOMPLETE), decodeIncomplete],
    ['bucket-id', encodeBucketId(PROMISE.bucket), decodeBucketId],
    ['pushing', encodePushing(STATE), decodePushing],
  ])('a record that is cut short, too long or of another format is an error: %s', (_, bytes, decode) => {
    const newer = Uint8Array.from(bytes);
    newer[0] = 2;
    const cuts = Array.from(bytes, (__, end) => bytes.subarray(0, end));
    for (const bad of [...cuts, Buffer.concat([bytes, Uint8Array.of(0)]), newer])
      expect(() => decode(bad)).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
  });

  test('a pointer takes at most 1 KiB, whatever is in it', () => {
    const packs = Array.from({ length: 50 }, () => PACKS[0]);
    const bytes = encodePointer({ ...POINTER, seq: 2 ** 53 - 1, writer: 'é'.repeat(500), packs });
    expect(bytes.length).toBeLessThanOrEqual(1024);
  });

  test.each([
    ['pointer', encodePointer(POINTER), (bytes: Uint8Array) => decodePointer(bytes, 'it')],
    ['condemned', encodeCondemned(PACKS), (bytes: Uint8Array) => decodeCondemned(bytes, 'it')],
    ['gc/state', encodeGcState(GC_STATE), (bytes: Uint8Array) => decodeGcState(bytes, 'it')],
  ])('one changed byte or a cut is an error with a code: %s', (_, bytes, decode) => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = Uint8Array.from(bytes);
        bad[at] ^= change;
        const code = expect.stringMatching(/^REMOTE_(CORRUPT|TOO_NEW)$/) as string;
        for (const hostile of [bad, bytes.subarray(0, at)])
          expect(() => decode(hostile)).toThrow(expect.objectContaining({ code }));
      }),
    );
  });

  test('a format that is none is told', () => {
    const where = { url: 'folder', writing: true };
    for (const text of ['', '{}', '[]', 'null', '{"art":"bucket"}', '{"art":"bucket","minWriter":1}'])
      expect(() => decodeFormat(Buffer.from(text), where)).toThrow(
        expect.objectContaining({ code: 'REMOTE_CORRUPT' }),
      );
  });

  test('names that differ by case have keys that differ by more', () => {
    const keys = ['Cifar', 'cifar', 'CIFAR', 'c.I_f-a0'].map((name) => pointerKey(parseArtifactName(name)));
    expect(keys).toEqual(['refs/a/%cifar', 'refs/a/cifar', 'refs/a/%c%i%f%a%r', 'refs/a/c.%i_f-a0']);
    expect(keys.map(artifactOfPointer)).toEqual(['Cifar', 'cifar', 'CIFAR', 'c.I_f-a0']);
    for (const key of ['refs/a/', 'refs/a/Cifar', 'refs/a/%', 'refs/a/a/b', 'refs/@runs/0'])
      expect(artifactOfPointer(key)).toBeUndefined();
  });
});
