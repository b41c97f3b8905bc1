/** Cuts two texts into lines and finds the runs of lines that differ. */
import { markChanges } from './myers.ts';

/** Lines `aFrom` up to `aTo` of one text stand where `bFrom` up to `bTo` stand in the other. */
export interface LineChange {
  aFrom: number;
  aTo: number;
  bFrom: number;
  bTo: number;
}

/** The lines of `text`, each with the line feed that ends it; the last may have none. */
export function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end + 1;
    lines.push(text.slice(from, to));
    from = to;
  }
  return lines;
}

/** The runs that differ, in order; a shortest edit as far as `markChanges` gives one. */
export function compareLines(before: readonly string[], after: readonly string[]): LineChange[] {
  const ids = new Map<string, number>();
  const a = numbered(before, ids);
  const known = ids.size;
  const b = numbered(after, ids);
  const inBefore = presence(a, ids.size);
  const inAfter = presence(b, ids.size);
  // A line that only one side has is a change wherever it stands: without these the search is short.
  const common = { a: indexesIn(a, inAfter), b: indexesIn(b, inBefore) };
  const marks = markChanges(pick(a, common.a), pick(b, common.b));
  const changedA = new Uint8Array(a.length).fill(1);
  const changedB = new Uint8Array(b.length).fill(1);
  common.a.forEach((line, i) => (changedA[line] = marks.before[i]));
  common.b.forEach((line, i) => (changedB[line] = marks.after[i]));
  return known === 0 && b.length === 0 ? [] : slid(runsOf(changedA, changedB), a, b);
}

function numbered(lines: readonly string[], ids: Map<string, number>): Int32Array {
  const numbers = new Int32Array(lines.length);
  lines.forEach((line, i) => {
    let id = ids.get(line);
    if (id === undefined) ids.set(line, (id = ids.size));
    numbers[i] = id;
  });
  return numbers;
}

function presence(numbers: Int32Array, size: number): Uint8Array {
  const present = new Uint8Array(size);
  for (const number of numbers) present[number] = 1;
  return present;
}

function indexesIn(numbers: Int32Array, present: Uint8Array): Int32Array {
  const found = new Int32Array(numbers.length);
  let count = 0;
  for (let i = 0; i < numbers.length; i++) if (present[numbers[i]] === 1) found[count++] = i;
  return found.subarray(0, count);
}

function pick(numbers: Int32Array, indexes: Int32Array): Int32Array {
  return indexes.map((index) => numbers[index]);
}

function runsOf(changedA: Uint8Array, changedB: Uint8Array): LineChange[] {
  const runs: LineChange[] = [];
  let [a, b] = [0, 0];
  while (a < changedA.length || b < changedB.length) {
    const run = { aFrom: a, aTo: a, bFrom: b, bTo: b };
    while (changedA[a] === 1) run.aTo = ++a;
    while (changedB[b] === 1) run.bTo = ++b;
    if (run.aTo > run.aFrom || run.bTo > run.bFrom) runs.push(run);
    a++;
    b++;
  }
  return runs;
}

/** Slides what was only added, or only removed, down as far as it goes: blocks then end where people expect it. */
function slid(runs: LineChange[], a: Int32Array, b: Int32Array): LineChange[] {
  runs.forEach((run, i) => {
    const [lines, from, to] =
      run.aFrom === run.aTo ? ([b, 'bFrom', 'bTo'] as const) : ([a, 'aFrom', 'aTo'] as const);
    if (run.aFrom !== run.aTo && run.bFrom !== run.bTo) return;
    const next = runs[i + 1] ?? { aFrom: a.length, bFrom: b.length };
    while (run.aTo < next.aFrom && run.bTo < next.bFrom && lines[run[from]] === lines[run[to]]) {
      run.aFrom++;
      run.aTo++;
      run.bFrom++;
      run.bTo++;
    }
  });
  return runs;
}
