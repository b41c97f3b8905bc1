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

/** Whether a content that begins with `bytes` is none that people read: a NUL or what is not UTF-8 comes early. */
export function beginsBinary(bytes: Uint8Array): boolean {
  const probe = bytes.subarray(0, PROBE_BYTES);
  return probe.includes(0) || !isUtf8(probe.subarray(0, wholeCharacters(probe)));
}

function isText(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, PROBE_BYTES).includes(0) && isUtf8(bytes);
}

/** The length of `bytes` without the last character, if more bytes of it may follow. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back];
    // A byte that leads two, three or four, and fewer than those are there.
    if (byte >= 0xc0)
      return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? bytes.length - back : bytes.length;
    if (byte < 0x80) break;
  }
  return bytes.length;
}
