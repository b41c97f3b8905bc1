import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError } from '#base';
import { formatSpec, parseSpec, parseTarget } from '#version';

test('every documented form is read', () => {
  const read = (text: string) => parseSpec(text);
  expect(read('cifar')).toEqual({ name: 'cifar', selector: { by: 'latest' }, back: 0 });
  expect(read('cifar:latest')).toEqual(read('cifar'));
  expect(read('cifar:v3')).toEqual({ name: 'cifar', selector: { by: 'number', number: 3 }, back: 0 });
  expect(read('cifar:V03')).toEqual(read('cifar:v3'));
  expect(read('cifar:best')).toEqual({ name: 'cifar', selector: { by: 'alias', alias: 'best' }, back: 0 });
  expect(read('cifar:origin/best')).toEqual({
    name: 'cifar',
    selector: { by: 'alias', alias: 'best', origin: 'origin' },
    back: 0,
  });
  expect(read('cifar:origin/latest').selector).toEqual({ by: 'alias', alias: 'latest', origin: 'origin' });
  expect(read('cifar@AB12')).toEqual({ name: 'cifar', selector: { by: 'hash', hash: 'ab12' }, back: 0 });
  expect(read('cifar@bafyr4ia').selector).toEqual({ by: 'hash', hash: 'bafyr4ia' });
  expect(read('cifar~2')).toEqual({ name: 'cifar', selector: { by: 'latest' }, back: 2 });
  expect(read('cifar:best~10').back).toBe(10);
  expect(read('a.b-c_d:v3~1').name).toBe('a.b-c_d');
});

test('a bare name is the artifact, anything more a version', () => {
  expect(parseTarget('cifar')).toEqual({ kind: 'artifact', name: 'cifar' });
  expect(parseTarget('cifar:latest')).toEqual({ kind: 'version', spec: parseSpec('cifar') });
  expect(parseTarget('cifar~0')).toEqual({ kind: 'version', spec: parseSpec('cifar') });
});

test.each([
  '',
  ':v3',
  '@abcd',
  'cifar:',
  'cifar@',
  'cifar@abc',
  'cifar@xyz1',
  'cifar@bafyr4i',
  'cifar@bafyr4i1',
  `cifar@${'a'.repeat(65)}`,
  'cifar~',
  'cifar~x',
  'cifar~-1',
  'cifar~1~2',
  'cifar~99999999999999999',
  'cifar:v99999999999999999999',
])('%j is no spec', (text) => {
  expect(() => parseSpec(text)).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
});

test.each(['my data', 'a b:v3', 'cifar:a:b', 'cifar:a@b', 'cifar:x/y/z', 'cifar:/x', '-x'])(
  '%j holds no name',
  (text) => {
    expect(() => parseSpec(text)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
  },
);

const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,20}$/);
const alias = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[/:@=,~^\s\p{Cc}\p{Cs}]|^v\d+$/iu.test(text) && text !== 'latest');
const selector = fc.oneof(
  fc.constant({ by: 'latest' as const }),
  fc.record({ by: fc.constant('number' as const), number: fc.maxSafeNat() }),
  fc.record({ by: fc.constant('alias' as const), alias }),
  fc.record({ by: fc.constant('alias' as const), alias, origin: name }),
  fc.record({ by: fc.constant('hash' as const), hash: fc.stringMatching(/^[0-9a-f]{4,64}$/) }),
);

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.record({ name, selector, back: fc.maxSafeNat() }), (spec) => {
      expect(parseSpec(formatSpec(spec as never))).toEqual(spec);
    }),
  );
});

test('no text raises anything but an operating error', () => {
  const piece = fc.constantFrom(
    'cifar',
    ':',
    '@',
    '~',
    'v',
    '3',
    'abcd',
    'bafyr4i',
    '/',
    'latest',
    ' ',
    '\0',
    '😀',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(piece, { maxLength: 8 }).map((p) => p.join('')),
      ),
      (text) => {
        try {
          const spec = parseSpec(text);
          expect(parseSpec(formatSpec(spec))).toEqual(spec);
        } catch (error) {
          expect(isArtError(error, 'SPEC_INVALID') || isArtError(error, 'NAME_INVALID')).toBe(true);
        }
      },
    ),
    { numRuns: 1000 },
  );
});
