/** Whatever bytes a bucket gives: they are refused with a code, and neither break, nor hang, nor take much memory. */
import { expect, test } from 'vitest';
import { crc32c } from '#base';
import { decodeCondemned, decodeFormat, decodeGcState, decodePointer } from '#sync';
import { encodeCondemned, encodeFormat, encodeGcState, encodePointer } from '#sync';
import { expectRefusal, hostile } from '../hostile.ts';

const PACKS = ['01jd6z5m0c0123456789abcdef-0a0b0c0d', '01jd6z5m0cfedcba9876543210-ffee0011'];
const NONCE = '000102030405060708090a0b0c0d0e0f';
const state = Uint8Array.from({ length: 32 }, (_, i) => i);
const REFUSED = ['REMOTE_CORRUPT', 'REMOTE_TOO_NEW'] as const;
const BYTES_MAX = 64 * 1024;

function sealed(bytes: Uint8Array): Uint8Array {
  const mended = Buffer.from(bytes);
  if (mended.length >= 4) mended.writeUInt32LE(crc32c(mended.subarray(0, -4)), mended.length - 4);
  return mended;
}

test('as a pointer', () => {
  const pointer = { state, seq: 300, epoch: 2, writer: 'ada', nonce: NONCE, packs: PACKS };
  const valid = [encodePointer(pointer), encodePointer({ ...pointer, state: null, packs: [] })];
  expectRefusal(hostile(valid, sealed), (bytes) => decodePointer(bytes, 'it'), {
    codes: REFUSED,
    bytesMax: BYTES_MAX,
    holds: (value) => expect(value.packs.length).toBeLessThanOrEqual(8),
  });
});

test('as a list of condemned packs', () => {
  const valid = [encodeCondemned(PACKS), encodeCondemned([])];
  expectRefusal(hostile(valid, sealed), (bytes) => decodeCondemned(bytes, 'it'), {
    codes: REFUSED,
    bytesMax: BYTES_MAX,
    holds: (packs) => expect([...packs].sort()).toEqual(packs),
  });
});

test('as the state of gc', () => {
  const valid = [encodeGcState({ epoch: 300, phase: 'fenced', writer: 'ada', nonce: NONCE })];
  expectRefusal(hostile(valid, sealed), (bytes) => decodeGcState(bytes, 'it'), {
    codes: REFUSED,
    bytesMax: BYTES_MAX,
  });
});

test('as the format of a bucket', () => {
  const valid = [encodeFormat({ id: NONCE })];
  const where = { url: 'folder', writing: true };
  expectRefusal(hostile(valid), (bytes) => decodeFormat(bytes, where), {
    codes: [...REFUSED, 'REMOTE_NOT_ART'],
    bytesMax: BYTES_MAX,
  });
});
