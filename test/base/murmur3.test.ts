import { expect, test } from 'vitest';
import { fromHex, murmur3, utf8 } from '#base';

// Verified vectors of MurmurHash3_x86_32, of every length modulo 4 and with bytes and seeds above 2^31.
test.each([
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['', 0xffffffff, 0x81f16f39],
  ['ffffffff', 0, 0x76293b50],
  ['21436587', 0, 0xf55b516b],
  ['21436587', 0x5082edee, 0x2362f9de],
  ['214365', 0, 0x7e4a8634],
  ['2143', 0, 0xa0f7b07a],
  ['21', 0, 0x72661cf4],
  ['00000000', 0, 0x2362f9de],
  ['000000', 0, 0x85f0b427],
  ['0000', 0, 0x30f4c306],
  ['00', 0, 0x514e28b7],
])('%s under %d', (hex, seed, hash) => {
  expect(murmur3(fromHex(hex), seed)).toBe(hash);
});

test.each([
  ['aaaa', 0x5a97808a],
  ['aaa', 0x283e0130],
  ['abcd', 0xf0478627],
  ['Hello, world!', 0x24884cba],
  ['ππππππππ', 0xd58063c1],
  ['The quick brown fox jumps over the lazy dog', 0x2fa826cd],
])('"%s"', (text, hash) => {
  expect(murmur3(utf8(text), 0x9747b28c)).toBe(hash);
});
