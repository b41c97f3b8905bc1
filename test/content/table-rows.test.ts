import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareRows, isTablePath } from '#content';
import type { Bytes } from '#content';

/** Hands a text out in pieces of `size` bytes from one buffer, as a reader of files does. */
function inPieces(text: string, size = 7): Bytes {
  return async function* () {
    const bytes = Buffer.from(text);
    const buffer = Buffer.alloc(size);
    for (let at = 0; at < bytes.length; at += size) {
      const got = bytes.copy(buffer, 0, at, at + size);
      yield buffer.subarray(0, got);
    }
  };
}

/** What `a` has more often than `b`, one by one. */
function surplus(a: readonly string[], b: readonly string[]): string[] {
  const left = [...b];
  return a.filter((row) => {
    const at = left.indexOf(row);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

const rows = fc.array(fc.stringMatching(/^[a-d,]{1,3}$/), { maxLength: 40 });
const plain = { quotes: false };

describe('rows of a table', () => {
  test('are counted wherever they stand, in one pass or in parts', async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, fc.constantFrom(2, 5, 1000), async (before, after, rowsMax) => {
        const [a, b] = [before, after].map((all) => inPieces(all.map((row) => `${row}\n`).join('')));
        const found = await compareRows(a, b, { ...plain, rowsMax });
        // Two rows a part may be too few even for the most parts there are.
        if (found === undefined) return expect(rowsMax).toBe(2);
        expect(found.removed).toBe(surplus(before, after).length);
        expect(found.added).toBe(surplus(after, before).length);
        for (const row of found.addedSamples) expect(surplus(after, before)).toContain(row);
        expect(found.removedSamples.length).toBe(Math.min(3, found.removed));
        return undefined;
      }),
    );
  });

  test('do not change with line ends, blank lines or order, but these are told of', async () => {
    const looked = async (before: string, after: string) => {
      const found = await compareRows(inPieces(before), inPieces(after), plain);
      expect(found).toMatchObject({ added: 0, removed: 0 });
      return found!.look;
    };
    const same = { order: false, lineEnds: false, blankLines: 0 };
    expect(await looked('a\nb\n', 'a\nb\n')).toEqual(same);
    expect(await looked('a\nb\n', 'b\na\n')).toEqual({ ...same, order: true });
    expect(await looked('a\nb\n', 'a\nb')).toEqual({ ...same, lineEnds: true });
    expect(await looked('a\nb\n', 'a\r\nb\r\n')).toEqual({ ...same, lineEnds: true });
    expect(await looked('a\nb\n', 'a\n\nb\n')).toEqual({ ...same, blankLines: 1 });
    expect(await looked('a,1\r\nb,2\r\n\r\n', 'b,2\na,1')).toEqual({
      order: true,
      lineEnds: true,
      blankLines: -1,
    });
  });

  test('go on in quotes only where these open a field', async () => {
    const rowsAdded = async (text: string) => {
      for (const size of [1, 7, 1000]) {
        const found = await compareRows(inPieces(''), inPieces(text, size), { quotes: true });
        expect(found!.added).toBe(text.endsWith('!') ? 1 : 2);
      }
    };
    for (const two of ['5" pipe\nb', 'a,5"\nb', 'a,"5"" x"\nb', 'a,"",b\n"c"', 'a, "b\nc"'])
      await rowsAdded(two);
    for (const one of ['"a\nb"!', 'a,"b\nc"!', 'a;"b\nc"!', 'a,"5""\nb"!', 'a,"""\nb"!'])
      await rowsAdded(one);
  });

  test('go on in quotes in CSV, and only there', async () => {
    const [before, after] = [inPieces('id,text\n1,"one\ntwo"\n'), inPieces('id,text\n1,"one\nthree"\n')];
    expect(await compareRows(before, after, { quotes: true })).toEqual({
      added: 1,
      removed: 1,
      addedSamples: ['1,"one\nthree"'],
      removedSamples: ['1,"one\ntwo"'],
      look: undefined,
    });
    expect(await compareRows(before, after, plain)).toMatchObject({ addedSamples: ['three"'] });
  });

  test('are what names of tables promise', () => {
    for (const path of ['a.csv', 'x/b.TSV', 'c.jsonl', 'd.ndjson']) expect(isTablePath(path)).toBe(true);
    for (const path of ['a.csv.gz', 'csv', 'a.json']) expect(isTablePath(path)).toBe(false);
  });
});
