import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, suggest } from '#base';

/** The distance by its recursive definition: slow, and plainly right. */
function defined(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const rest = (i: number, j: number) => defined(a.slice(0, -i || undefined), b.slice(0, -j || undefined));
  const same = a.at(-1) === b.at(-1);
  const ways = [rest(1, 0) + 1, rest(0, 1) + 1, rest(1, 1) + (same ? 0 : 1)];
  if (a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1))
    ways.push(rest(2, 2) + 1);
  return Math.min(...ways);
}

test('the edit distance is that of its definition', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
  fc.assert(fc.property(word, word, (a, b) => void expect(editDistance(a, b)).toBe(defined(a, b))));
  expect(editDistance('kitten', 'sitting')).toBe(3);
});

test('the nearest known word is suggested, case aside', () => {
  expect(suggest('cifra', ['mnist', 'cifar', 'cifar-10'])).toBe('cifar');
  expect(suggest('CIFAR', ['mnist', 'cifar'])).toBe('cifar');
  expect(suggest('bset', ['best', 'prod'])).toBe('best');
  expect(suggest('beest', ['best', 'prod'])).toBe('best');
  expect(suggest('x', ['y'])).toBe('y');
});

test('nothing is suggested for a word that resembles none', () => {
  expect(suggest('imagenet', ['mnist', 'cifar'])).toBeUndefined();
  expect(suggest('cifar', [])).toBeUndefined();
  expect(suggest('a'.repeat(100_000), ['a'.repeat(99_999)])).toBeUndefined();
});
