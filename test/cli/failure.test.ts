/** Checks what is said of what was raised. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { failureOf } from '../../src/cli/failure.ts';

function raisedBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

test.each([
  ['an assertion', () => assert(1 > 2, 'one is more'), 'This is a fault in art.'],
  ['a wrong call', () => readFileSync(undefined as unknown as string), 'This is a fault in art.'],
  ['what has no code', () => JSON.parse('{'), 'This is a fault in art.'],
  ['the system', () => readFileSync('/nowhere/at/all'), 'The system refused it.'],
])('%s that fails says whose fault it is', (_, work, said) => {
  expect(failureOf(raisedBy(work), 'stopped')).toMatchObject({
    code: 'FAILED',
    exit: 1,
    hint: `${said} ART_DEBUG=1 shows where it happened.`,
  });
});
