/** Reads fields that several kinds of node have in common. */
import type { Fields } from './cbor.ts';
import { DIGEST_BYTES } from './hash.ts';
import type { Digest } from './id.ts';

/** What `read` gives, or null where the field is null. */
export function orNull<T>(fields: Fields, key: string, read: () => T): T | null {
  return fields.raw(key) === null ? null : read();
}

export function digestOrNull(fields: Fields, key: string): Digest | null {
  return orNull(fields, key, () => fields.digest(key));
}

export function textOrNull(fields: Fields, key: string, bytesMax: number): string | null {
  return orNull(fields, key, () => fields.text(key, bytesMax));
}

/** A list of 32-byte digests. */
export function digests(fields: Fields, key: string, lengthMax: number): readonly Digest[] {
  const list = fields.list(key, lengthMax);
  for (const item of list) {
    if (!(item instanceof Uint8Array) || item.length !== DIGEST_BYTES) throw fields.invalid(key);
  }
  return list as readonly Digest[];
}
