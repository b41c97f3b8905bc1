/** Proves that a name can be read back whole or in part, and that nothing else is taken for one. */
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { expect, test } from 'vitest';
import { toHex } from '#base';
import {
  CHUNK,
  formatCid,
  hasHashPrefix,
  isHashText,
  matchesHash,
  NODE,
  NODE_CID_START,
  parseCid,
  parseHashPrefix,
} from '#object';
import type { ObjectKind } from '#object';
import { digestOf } from './samples.ts';

const refused = expect.objectContaining({ code: 'SPEC_INVALID' });
const anyDigest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyKind = fc.constantFrom<ObjectKind>(CHUNK, NODE);

test('a CID is what multiformats makes of codec, BLAKE3 and digest, and reads back', () => {
  fc.assert(
    fc.property(anyKind, anyDigest, (kind, digest) => {
      const text = formatCid({ kind, digest });
      expect(text).toBe(CID.createV1(kind === CHUNK ? 0x55 : 0x71, Digest.create(0x1e, digest)).toString());
      const id = parseCid(text);
      expect([id.kind, toHex(id.digest)]).toEqual([kind, toHex(digest)]);
    }),
  );
});

test('no other version, codec, hash, length, base or spelling is a CID of ours', () => {
  const digest = digestOf('x');
  const ours = formatCid({ kind: NODE, digest });
  const others = [
    CID.createV1(0x70, Digest.create(0x1e, digest)).toString(),
    CID.createV1(0x71, Digest.create(0x12, digest)).toString(),
    CID.createV1(0x71, Digest.create(0x1e, digest.subarray(1))).toString(),
    CID.createV0(Digest.create(0x12, digest) as never).toString(),
    ours.toUpperCase(),
    ours.slice(0, -1),
    `${ours}a`,
    `${ours.slice(0, -1)}${ours.endsWith('b') ? 'c' : 'b'}`,
    '',
    'b',
    'latest',
  ];
  for (const text of others) expect(() => parseCid(text), text).toThrow(refused);
});

test('every prefix of a digest in hex or of its CID matches it, and what is known is right to the bit', () => {
  fc.assert(
    fc.property(
      anyDigest,
      fc.integer({ min: 4, max: 64 }),
      fc.integer({ min: 8, max: 59 }),
      (digest, hex, cid) => {
        const texts = [toHex(digest).slice(0, hex), formatCid({ kind: NODE, digest }).slice(0, cid)];
        for (const text of texts) {
          expect(matchesHash(digest, text)).toBe(true);
          expect(isHashText(text)).toBe(true);
          const prefix = parseHashPrefix(text);
          for (let bit = 0; bit < 256; bit++) {
            const other = digest.slice();
            other[bit >> 3] ^= 0x80 >> (bit & 7);
            expect(hasHashPrefix(other, prefix)).toBe(bit >= prefix.bits);
          }
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('a chunk CID names no node', () => {
  const digest = digestOf('x');
  expect(matchesHash(digest, formatCid({ kind: CHUNK, digest }))).toBe(false);
});

test('what is too short, too long or no hash is refused', () => {
  const hex = toHex(digestOf('x'));
  for (const text of [
    '',
    'abc',
    `${hex}0`,
    'xyzw',
    NODE_CID_START,
    'bafyr4iz0',
    'bafyr4i!',
    'bafyq4iaaaa',
    'v3',
  ]) {
    expect(isHashText(text), text).toBe(false);
    expect(() => parseHashPrefix(text), text).toThrow(refused);
  }
});
