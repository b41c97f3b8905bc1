/** Checks that every error says what to do about it. */
import { AssertionError } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ArtError, ERRORS, errnoOf, fileError } from '#base';
import type { ErrorCode } from '#base';

const SRC = join(import.meta.dirname, '..', '..', 'src');
/** Without a hint, as the message itself says what is true now and the user knows why. */
const WITHOUT: ReadonlySet<string> = new Set(['INTERRUPTED']);

function hintOf(code: string): string | undefined {
  return (ERRORS[code as ErrorCode] as { readonly hint?: string }).hint;
}

interface Thrown {
  readonly code: string;
  readonly place: string;
  readonly text: string;
}

/** Every `new ArtError('CODE', …)` in the source, to its closing parenthesis. */
function thrown(): Thrown[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return files.flatMap((file) => {
    const source = readFileSync(join(SRC, file), 'utf8');
    return [...source.matchAll(/new ArtError\(\s*'(\w+)'/g)].map((match) => {
      let depth = 0;
      let end = match.index;
      do {
        if (source[end] === '(') depth++;
        if (source[end] === ')') depth--;
        end++;
      } while (end < source.length && (depth > 0 || !source.slice(match.index, end).includes('(')));
      return { code: match[1], place: file, text: source.slice(match.index, end) };
    });
  });
}

test('every error has a hint: of its code, or where it is thrown', () => {
  const silent = thrown().filter(({ code, text }) => {
    return hintOf(code) === undefined && !WITHOUT.has(code) && !/\bhint\b/.test(text);
  });
  expect(silent).toEqual([]);
});

test('a hint is a sentence, and of the throw site before that of the code', () => {
  for (const code of Object.keys(ERRORS)) {
    const hint = hintOf(code);
    if (hint !== undefined) expect(hint, code).toMatch(/^[`A-Z][^]*[.?]$/);
  }
  expect(new ArtError('USAGE', 'why', { hint: 'do this' }).hint).toBe('do this');
  expect(new ArtError('USAGE', 'why').hint).toBe(ERRORS.USAGE.hint);
});

test("an assertion of a caller's own is nothing that the system said", () => {
  const broken = new AssertionError({ message: 'theirs' });
  expect(errnoOf(broken)).toBeUndefined();
  expect(fileError(broken, 'somewhere')).toBe(broken);
});
