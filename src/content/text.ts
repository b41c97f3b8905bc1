/** Compares two contents line by line, if both are text of a size that people read. */
import { isUtf8 } from 'node:buffer';
import { linesOf } from './lines.ts';
import { hunksOf } from './hunks.ts';
import type { Hunk } from './hunks.ts';

/** Longer files are not compared line by line: about 200 MB of memory at most. */
export const TEXT_BYTES_MAX = 4 * 1024 * 1024;
export const TEXT_LINES_MAX = 200_000;
/** A NUL among the first bytes is what makes a file binary, as for Git. */
const PROBE_BYTES = 8000;

export type TextChange =
  | { readonly kind: 'hunks'; readonly hunks: readonly Hunk[] }
  | { readonly kind: 'binary' }
  | { readonly kind: 'large' };

/** Both whole contents, at most TEXT_BYTES_MAX each. */
export function compareText(before: Uint8Array, after: Uint8Array): TextChange {
  if (!isText(before) || !isText(after)) return { kind: 'binary' };
  const [a, b] = [before, after].map((bytes) => linesOf(Buffer.from(bytes).toString('utf8')));
  if (a.length > TEXT_LINES_MAX || b.length > TEXT_LINES_MAX) return { kind: 'large' };
  return { kind: 'hunks', hunks: hunksOf(a, b) };
}

function isText(bytes: Uint8Array): boolean {
  return bytes.subarray(0, PROBE_BYTES).indexOf(0) < 0 && isUtf8(bytes);
}
