import { expect, test } from 'vitest';
import { uncompressSnappy } from '../../src/store/snappy.ts';

const text = (bytes: readonly number[]) => Buffer.from(uncompressSnappy(Uint8Array.from(bytes))).toString();
const ascii = (of: string) => [...Buffer.from(of)];

test('literals and copies of each kind give the text', () => {
  expect(text([3, 2 << 2, ...ascii('abc')])).toBe('abc');
  expect(text([10, 0, ...ascii('a'), ((9 - 4) << 2) | 1, 1])).toBe('a'.repeat(10));
  expect(text([6, 2 << 2, ...ascii('abc'), (2 << 2) | 2, 3, 0])).toBe('abcabc');
  expect(text([6, 2 << 2, ...ascii('abc'), (2 << 2) | 3, 3, 0, 0, 0])).toBe('abcabc');
  expect(text([70, 60 << 2, 69, ...ascii('x'.repeat(70))])).toBe('x'.repeat(70));
});

test('what cannot be is refused', () => {
  for (const bytes of [
    [4, 0, 97],
    [1, 2 << 2, 97, 98, 99],
    [9, 0, 97, (4 << 2) | 1, 2],
    [9, 60 << 2],
    [255, 255, 255, 255, 15],
  ]) {
    expect(() => text(bytes)).toThrow(expect.objectContaining({ code: 'OBJECT_INVALID' }));
  }
});
