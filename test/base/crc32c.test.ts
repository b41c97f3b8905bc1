import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from '#base';

const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
const readPdu = Buffer.from(
  '01c0000000000000000000000000000014000000000004000000001400000018' + '28000000000000000200000000000000',
  'hex',
);

test.each([
  ['nothing', new Uint8Array(0), 0],
  ['the digits', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['counting up', counting, 0x46dd794e],
  ['counting down', Uint8Array.from(counting).reverse(), 0x113fdb5c],
  ['a read command', readPdu, 0xd9963a56],
])('%s has the CRC of RFC 3720', (_, bytes, crc) => {
  expect(crc32c(bytes)).toBe(crc);
});

test('it goes on where it stopped, wherever that is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(70), (bytes, at) => {
      expect(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at)))).toBe(crc32c(bytes));
    }),
  );
});

test('up to 32 changed bits in a row never go unseen', () => {
  const burst = fc.tuple(fc.uint8Array({ minLength: 5, maxLength: 200 }), fc.nat(), fc.integer({ min: 1 }));
  fc.assert(
    fc.property(burst, ([bytes, where, bits]) => {
      const changed = Buffer.from(bytes);
      const at = where % (bytes.length - 3);
      changed.writeUInt32LE((changed.readUInt32LE(at) ^ bits) >>> 0, at);
      expect(crc32c(changed)).not.toBe(crc32c(bytes));
    }),
  );
});
