/** Checks that text for people is safe, aligned and short. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignRows, firstLine, personOf, printable, shortHash } from '../../src/cli/text.ts';

test('nothing printable can move the cursor, colour the screen, break the line or turn it around', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
  expect(printable('a\nb\tc\u001b[31m\u202e\u0085')).toBe('a\\nb\\tc\\x1b[31m\\u202e\\x85');
  expect(printable('naïve 数据 🎉.csv')).toBe('naïve 数据 🎉.csv');
});

test('a person is shown by name, and by address where there is no name', () => {
  expect(personOf('Ada Lovelace <ada@example.org>')).toBe('Ada Lovelace');
  expect(personOf('<ada@example.org>')).toBe('<ada@example.org>');
  expect(personOf('ada@host')).toBe('ada@host');
  expect(personOf('a <b> c')).toBe('a <b> c');
});

test('a short hash is the first ten hex characters of the digest in the CID', () => {
  expect(shortHash('bafyr4idxhd2rkbine2msoyo3463cjro22i34q27k7fflimm2rzpn2f7bqa')).toBe('7738f51505');
});

test('columns begin below each other, whatever is coloured', () => {
  const rows = [
    ['a', '\u001b[32mlong\u001b[39m', '5 B'],
    ['name', 'x', '1.0 KiB'],
  ];
  expect(alignRows(rows, [2])).toEqual(['a     \u001b[32mlong\u001b[39m      5 B', 'name  x     1.0 KiB']);
  expect(alignRows([['only', '']])).toEqual(['only']);
});

test('only the first line of a message is shown, cut where it is too long', () => {
  expect(firstLine('one\n\ntwo', 20)).toBe('one…');
  expect(firstLine('one\n', 20)).toBe('one');
  expect(firstLine('0123456789', 10)).toBe('0123456789');
  expect(firstLine('0123456789a', 10)).toBe('012345678…');
});
