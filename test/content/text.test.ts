import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HUNK_CONTEXT, TEXT_LINES_MAX, compareText, hunksOf } from '#content';
import type { Hunk } from '#content';

/** Does what a patch says, checking every line it relies on. */
function patched(before: readonly string[], hunks: readonly Hunk[]): string[] {
  const result: string[] = [];
  let at = 0;
  for (const { beforeStart, beforeLines, afterStart, afterLines, lines } of hunks) {
    const from = beforeLines === 0 ? beforeStart : beforeStart - 1;
    result.push(...before.slice(at, from));
    at = from;
    expect(result.length).toBe(afterLines === 0 ? afterStart : afterStart - 1);
    for (const { sign, text } of lines) {
      if (sign !== '+') expect(before[at++]).toBe(text);
      if (sign !== '-') result.push(text);
    }
    expect(lines.filter(({ sign }) => sign !== '+').length).toBe(beforeLines);
    expect(lines.filter(({ sign }) => sign !== '-').length).toBe(afterLines);
  }
  return [...result, ...before.slice(at)];
}

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    b.forEach((other, j) => next.push(line === other ? row[j] + 1 : Math.max(row[j + 1], next[j])));
    row = next;
  }
  return row[b.length];
}

const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', 'd\n', '\n'), { maxLength: 40 });
const text = (content: string) => Buffer.from(content);

describe('hunks', () => {
  test('lead from one text to the other, and are as short as any', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const hunks = hunksOf(before, after);
        expect(patched(before, hunks)).toEqual(after);
        const kept =
          before.length - hunks.flatMap((one) => one.lines).filter(({ sign }) => sign === '-').length;
        expect(kept).toBe(longestCommon(before, after));
      }),
      { numRuns: 500 },
    );
  });

  test('keep three lines around a change, and join where these meet', () => {
    const before = Array.from({ length: 30 }, (_, i) => `${i}\n`);
    const after = before.map((line, i) => ([5, 12, 25].includes(i) ? `new ${line}` : line));
    const spans = hunksOf(before, after).map((hunk) => [hunk.beforeStart, hunk.beforeLines]);
    expect(HUNK_CONTEXT).toBe(3);
    expect(spans).toEqual([
      [3, 14],
      [23, 7],
    ]);
  });

  test('end where a block ends when it could stand in several places', () => {
    const before = ['f {\n', '}\n', '\n', 'g {\n', '}\n'];
    const after = ['f {\n', '}\n', '\n', 'n {\n', '}\n', '\n', 'g {\n', '}\n'];
    const added = hunksOf(before, after).flatMap((one) => one.lines.filter(({ sign }) => sign === '+'));
    expect(added.map((one) => one.text)).toEqual(['n {\n', '}\n', '\n']);
  });

  test('are right, if longer, for texts that have too little in common to search through', () => {
    const random = (seed: number) =>
      Array.from({ length: 12_000 }, (_, i) => `${Math.imul(i + seed, 2654435761) >>> 20}\n`);
    const [before, after] = [random(1), random(77_777).reverse()];
    expect(patched(before, hunksOf(before, after))).toEqual(after);
  });
});

describe('two contents', () => {
  test('are text if they are UTF-8 without NUL, and not too many lines', () => {
    expect(compareText(text('a\n'), text('b\n')).kind).toBe('hunks');
    expect(compareText(text('a\n'), Buffer.from([0x61, 0])).kind).toBe('binary');
    expect(compareText(text('a\n'), Buffer.from([0xff, 0xfe])).kind).toBe('binary');
    expect(compareText(text(''), text('\n'.repeat(TEXT_LINES_MAX + 1))).kind).toBe('large');
  });

  test('differ by a missing last line feed', () => {
    const compared = compareText(text('a\nb\n'), text('a\nb'));
    expect(compared.kind === 'hunks' && compared.hunks[0].lines.slice(1)).toEqual([
      { sign: '-', text: 'b\n' },
      { sign: '+', text: 'b' },
    ]);
  });
});
