import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError } from '#base';
import {
  parseAlias,
  parseArtifactName,
  parseRemoteName,
  parseTag,
  parseTypeName,
  sameButForCase,
} from '#version';

type Parse = (text: string) => string;

/** The rules as the documentation states them, written down a second time. */
const RULES: readonly (readonly [string, Parse, (text: string) => boolean])[] = [
  [
    'artifact',
    parseArtifactName,
    (text) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text) && !/(?:\.|\.lock)$/.test(text),
  ],
  [
    'remote',
    parseRemoteName,
    (text) => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text) && !/(?:\.|\.lock)$/.test(text),
  ],
  [
    'alias',
    parseAlias,
    (text) => /^[^/:@=,~^\s\p{Cc}\p{Cs}]{1,128}$/u.test(text) && !/^v\d+$/i.test(text) && text !== 'latest',
  ],
  ['tag', parseTag, (text) => /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,128}$/u.test(text) && text === text.trim()],
  // The documented expression, on texts short enough for its backtracking.
  ['type', parseTypeName, (text) => text.length <= 128 && /^[-\w]+([ ]*[-.\w]+)*$/.test(text)],
];

const nasty = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...'aZ09_.-: @/=,~^vV\t\n\u00a0\u2028é😀'), maxLength: 10 }),
  fc.constantFrom(
    'latest',
    'Latest',
    'v3',
    'V12',
    'v',
    'v3x',
    'a.lock',
    '.lock',
    '__proto__',
    'constructor',
    'a.',
  ),
);

test.each(RULES)('%s names are those of the documented rule and no others', (_, parse, allowed) => {
  fc.assert(
    fc.property(nasty, (text) => {
      let accepted = true;
      try {
        expect(parse(text)).toBe(text);
      } catch (error) {
        expect(isArtError(error, 'NAME_INVALID')).toBe(true);
        accepted = false;
      }
      expect(accepted).toBe(allowed(text));
    }),
    { numRuns: 500 },
  );
});

test.each(RULES)('%s names have at most 128 characters', (_, parse) => {
  expect(parse('a'.repeat(128))).toBe('a'.repeat(128));
  expect(() => parse('a'.repeat(129))).toThrow('longer than 128 characters');
  expect(() => parse('a '.repeat(1_000_000))).toThrow('longer than 128 characters');
  expect(() => parse('')).toThrow('it is empty');
});

test('a refusal says what is wrong', () => {
  const refusal = (parse: Parse, text: string) => {
    try {
      parse(text);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect([
    refusal(parseArtifactName, 'my data'),
    refusal(parseArtifactName, '-x'),
    refusal(parseArtifactName, 'data.lock'),
    refusal(parseAlias, 'latest'),
    refusal(parseAlias, 'v3'),
    refusal(parseAlias, 'a/b'),
    refusal(parseTag, ' a'),
    refusal(parseTypeName, 'data/set'),
  ]).toMatchInlineSnapshot(`
    [
      "artifact name "my data" is not allowed: it holds a blank; a name has letters, digits, "_", "-" and ".", and begins with none of "-" and "."",
      "artifact name "-x" is not allowed: it begins with "-"; a name has letters, digits, "_", "-" and ".", and begins with none of "-" and "."",
      "artifact name "data.lock" is not allowed: it must not end in "." or ".lock"",
      "alias "latest" is not allowed: it always means the newest version and is never set by hand",
      "alias "v3" is not allowed: it looks like a version number",
      "alias "a/b" is not allowed: it holds "/"; an alias has none of / : @ = , ~ ^, blanks or control characters",
      "tag " a" is not allowed: it begins or ends with a blank",
      "type "data/set" is not allowed: a type has letters, digits, "_" and "-", and between them "." and blanks",
    ]
  `);
});

test('a type that nearly fits is refused at once', () => {
  expect(() => parseTypeName(`${'a'.repeat(127)}!`)).toThrow('not allowed');
});

test('names equal but for case are told', () => {
  expect(sameButForCase('Cifar', 'cifar')).toBe(true);
  expect(sameButForCase('cifar', 'cifar')).toBe(false);
  expect(sameButForCase('cifar', 'cifar1')).toBe(false);
});
