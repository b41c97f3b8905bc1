import * as dagCbor from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPlainNode } from '../../src/object/plain-node.ts';

const value = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.nat(),
  fc.constant({}),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1),
);
const plain = fc.tuple(
  fc.nat(30),
  fc.nat(300),
  fc.dictionary(fc.stringMatching(/^[a-z]{1,20}$/), value, { maxKeys: 30, noNullPrototype: true }),
);

describe('nodes read in one go', () => {
  test('are what the general decoder reads', () => {
    fc.assert(
      fc.property(plain, (node) => {
        const bytes = dagCbor.encode(node);
        expect(Buffer.from(JSON.stringify(readPlainNode(bytes)))).toEqual(
          Buffer.from(JSON.stringify(dagCbor.decode(bytes))),
        );
      }),
    );
  });

  test('are only those with one encoding: whatever is read encodes to the same bytes', () => {
    const hurt = fc.tuple(plain, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(hurt, fc.nat(4), ([node, changes], cut) => {
        const bytes = Uint8Array.from(dagCbor.encode(node));
        for (const [at, byte] of changes) bytes[at % Math.min(bytes.length, 40)] = byte;
        const given = bytes.subarray(0, bytes.length - cut);
        const read = readPlainNode(given);
        if (read !== undefined) expect(Uint8Array.from(dagCbor.encode(read))).toEqual(Uint8Array.from(given));
      }),
      { numRuns: 3000 },
    );
  });
});
