/** Checks what is remembered of checkouts that were stopped. */
import { expect, test } from 'vitest';
import { decodeHeld, encodeHeld, parseArtifactName } from '#version';
import { goalsLeft, withGoal } from '../../src/repo/unfinished.ts';

const digest = (fill: number) => new Uint8Array(32).fill(fill);

test('of very many paths it is remembered that they are parts, and the record stays short', () => {
  const paths = Array.from({ length: 40_000 }, (_, i) => `data/${'x'.repeat(60)}${i}`);
  const moving = withGoal(undefined, { commit: digest(1), tree: digest(2), paths });
  expect(moving[0].paths).toEqual(['']);
  const held = {
    ...{
      path: '/data',
      artifact: parseArtifactName('d'),
      number: 1,
      commit: digest(3),
      tree: digest(4),
      partial: true,
      time: 1,
    },
    moving,
  };
  const encoded = encodeHeld(held);
  expect(encoded.length).toBeLessThan(20_000);
  const read = decodeHeld(encoded);
  expect(read).toEqual(held);
  expect(goalsLeft(read, ['data/'])).toEqual(moving); // Only all of the version covers them.
  expect(goalsLeft(read, [])).toEqual([]);
  const few = withGoal(read, { commit: digest(5), tree: digest(6), paths: ['a/'] });
  expect(few.map((goal) => goal.paths)).toEqual([['a/'], ['']]);
});
