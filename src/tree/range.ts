/** Says which keys of a map are meant. */
import { EMPTY_BYTES, compareBytes } from '#base';

/** A part of a map; both conditions must hold. */
export interface MapRange {
  /** Keys from this one on. */
  readonly from?: Uint8Array | undefined;
  /** Keys that begin with this. */
  readonly prefix?: Uint8Array | undefined;
}

/** Keys from `from` up to, but not including, `until`. */
export interface KeySpan {
  readonly from: Uint8Array;
  readonly until: Uint8Array | undefined;
}

export function spanOf(range: MapRange = {}): KeySpan {
  const { from = EMPTY_BYTES, prefix = EMPTY_BYTES } = range;
  return { from: compareBytes(from, prefix) > 0 ? from : prefix, until: afterPrefix(prefix) };
}

/** The least key above every key that begins with `prefix`; undefined if there is none. */
function afterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const after = Uint8Array.from(prefix.subarray(0, end));
  after[end - 1]++;
  return after;
}
