import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, suggest } from '#base';

const word = fc.string({ maxLength: 12 });

test('the edit distance is a metric', () => {
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
});

test('the nearest known word is suggested, case aside', () => {
  expect(suggest('cifra', ['mnist', 'cifar', 'cifar-10'])).toBe('cifar');
  expect(suggest('CIFAR', ['mnist', 'cifar'])).toBe('cifar');
  expect(suggest('bset', ['best', 'prod'])).toBeUndefined();
  expect(suggest('beest', ['best', 'prod'])).toBe('best');
  expect(suggest('x', ['y'])).toBe('y');
});

test('nothing is suggested for a word that resembles none', () => {
  expect(suggest('imagenet', ['mnist', 'cifar'])).toBeUndefined();
  expect(suggest('cifar', [])).toBeUndefined();
  expect(suggest('a'.repeat(100_000), ['a'.repeat(99_999)])).toBeUndefined();
});
