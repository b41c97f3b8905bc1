/** Raises a bug. Not node:assert: to load it takes a millisecond of every start. */
export function assert(holds: unknown, what?: string): asserts holds {
  if (!holds) throw new Error(what ?? 'an assertion does not hold');
}
