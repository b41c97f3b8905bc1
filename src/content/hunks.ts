/** Puts runs of changed lines together with the lines around them: the hunks of a unified diff. */
import { compareLines } from './lines.ts';
import type { LineChange } from './lines.ts';

/** Lines shown around a change. */
export const HUNK_CONTEXT = 3;

export interface HunkLine {
  readonly sign: ' ' | '-' | '+';
  /** With the line feed that ends it, if it has one. */
  readonly text: string;
}

export interface Hunk {
  /** From 1; 0 if there are no lines. */
  readonly beforeStart: number;
  readonly beforeLines: number;
  readonly afterStart: number;
  readonly afterLines: number;
  readonly lines: readonly HunkLine[];
}

/** The hunks that lead from one text to the other, in order. */
export function hunksOf(before: readonly string[], after: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let near: LineChange[] = [];
  for (const change of compareLines(before, after)) {
    if (near.length > 0 && change.aFrom - near[near.length - 1].aTo > 2 * HUNK_CONTEXT) {
      hunks.push(hunkOf(near, before, after));
      near = [];
    }
    near.push(change);
  }
  if (near.length > 0) hunks.push(hunkOf(near, before, after));
  return hunks;
}

function hunkOf(changes: readonly LineChange[], before: readonly string[], after: readonly string[]): Hunk {
  const first = changes[0];
  const last = changes[changes.length - 1];
  const lead = Math.min(HUNK_CONTEXT, first.aFrom);
  const from = { a: first.aFrom - lead, b: first.bFrom - lead };
  const trail = Math.min(HUNK_CONTEXT, before.length - last.aTo);
  const to = { a: last.aTo + trail, b: last.bTo + trail };
  const lines: HunkLine[] = [];
  const add = (sign: HunkLine['sign'], texts: readonly string[], start: number, end: number) => {
    for (let i = start; i < end; i++) lines.push({ sign, text: texts[i] });
  };
  let at = from.a;
  for (const { aFrom, aTo, bFrom, bTo } of changes) {
    add(' ', before, at, aFrom);
    add('-', before, aFrom, aTo);
    add('+', after, bFrom, bTo);
    at = aTo;
  }
  add(' ', before, at, to.a);
  const counts = { beforeLines: to.a - from.a, afterLines: to.b - from.b };
  return {
    beforeStart: counts.beforeLines === 0 ? from.a : from.a + 1,
    afterStart: counts.afterLines === 0 ? from.b : from.b + 1,
    ...counts,
    lines,
  };
}
