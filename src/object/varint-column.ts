/** Reads a column of varints (LEB128) whose every number has its shortest form. */
import type { Fields } from './cbor.ts';

/** Fills the first `rows` places of `into` from `bytes`, all of which must be used, or raises OBJECT_INVALID naming `key`. */
export function readVarints(
  fields: Fields,
  key: string,
  bytes: Uint8Array,
  into: Float64Array,
  rows: number,
): void {
  let at = 0;
  for (let row = 0; row < rows; row++) {
    let byte = bytes[at++];
    if (byte < 0x80) {
      into[row] = byte;
      continue;
    }
    let value = 0;
    let scale = 1;
    while (byte >= 0x80 && scale < 2 ** 49) {
      value += (byte - 0x80) * scale;
      scale *= 0x80;
      byte = bytes[at++];
    }
    value += byte * scale;
    // Past the end `byte` is undefined and `value` is NaN; a last byte of zero would be a longer form of a shorter number.
    if (!(value <= Number.MAX_SAFE_INTEGER) || byte === 0 || byte >= 0x80) throw fields.invalid(key);
    into[row] = value;
  }
  if (at !== bytes.length) throw fields.invalid(key);
}
