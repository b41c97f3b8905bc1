/** Checks how metadata is read from words and files. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePair, readMetadata } from '../../src/cli/metadata.ts';

test.each([
  ['lr=0.1', 'lr', 0.1],
  ['ok=true', 'ok', true],
  ['none=null', 'none', null],
  ['list=[1]', 'list', [1]],
  ['map={"a":1}', 'map', { a: 1 }],
  ['text="quoted"', 'text', 'quoted'],
  ['version=1.10', 'version', '1.10'],
  ['id=007', 'id', '007'],
  ['big=1e400', 'big', '1e400'],
  ['long=12345678901234567890', 'long', '12345678901234567890'],
  ['spaced=[1, 2]', 'spaced', '[1, 2]'],
  ['empty=', 'empty', ''],
  ['a.b=c=d', 'a.b', 'c=d'],
])('%s', (pair, key, value) => {
  expect(parsePair(pair)).toEqual([key, value]);
});

test('a value is kept so that it prints as it was typed', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), fc.double().map(String)), (text) => {
      const [, value] = parsePair(`k=${text}`);
      expect(typeof value === 'string' && value === text ? text : JSON.stringify(value)).toBe(text);
    }),
  );
});

test.each(['novalue', '=x', ''])('%j is refused', (pair) => {
  expect(() => parsePair(pair)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});

test('pairs stand over the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'art-meta-'));
  writeFileSync(join(folder, 'meta.json'), '{"a": 1, "b": {"c": [2]}, "__proto__": 3}');
  const read = readMetadata(['a=x', 'd=4'], 'meta.json', folder);
  expect(Object.entries(read!)).toEqual([
    ['a', 'x'],
    ['b', { c: [2] }],
    ['__proto__', 3],
    ['d', 4],
  ]);
  expect(readMetadata([], undefined, folder)).toBeUndefined();
});

test.each([
  ['[1]', 'METADATA_INVALID'],
  ['null', 'METADATA_INVALID'],
  ['{', 'METADATA_INVALID'],
])('a file with %s is refused', (text, code) => {
  const folder = mkdtempSync(join(tmpdir(), 'art-meta-'));
  writeFileSync(join(folder, 'meta.json'), text);
  expect(() => readMetadata([], 'meta.json', folder)).toThrow(expect.objectContaining({ code }));
});

test('a file that is not there, and a key given twice, are refused', () => {
  expect(() => readMetadata([], '/nowhere/meta.json', '/')).toThrow(
    expect.objectContaining({ code: 'PATH_NOT_FOUND' }),
  );
  expect(() => readMetadata(['a=1', 'a=2'], undefined, '/')).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});
