/** Turns paths into keys of a map and back. */
import { isUtf8 } from 'node:buffer';
import { assert, equalBytes, textOf, utf8 } from '#base';

const SLASH = 0x2f;

/** Whether a file or folder could have this path: it is relative and ends in a name. */
export function isEntryPath(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.endsWith('/');
}

/**
 * The key of `path` (relative, `/` between names): its UTF-8 bytes. An empty folder has a key of its own, which ends in
 * a slash, so that it sorts where the files in it would.
 */
export function keyOfPath(path: string, { folder }: { readonly folder: boolean }): Uint8Array {
  assert(isEntryPath(path), 'a path is relative and ends in a name');
  return utf8(folder ? `${path}/` : path);
}

/** The path of `key`, without the slash that ends an empty folder's. Raises OBJECT_INVALID if it is not UTF-8. */
export function pathOfKey(key: Uint8Array): string {
  const end = key.length > 1 && key[key.length - 1] === SLASH ? key.length - 1 : key.length;
  if (!isUtf8(key)) return textOf(key, 'path');
  return Buffer.from(key.buffer, key.byteOffset, end).toString('utf8');
}

/** The prefix of the keys that `filter` means: `train/` is that folder, `train` whatever begins so. */
export function prefixOf(filter: string): Uint8Array {
  return utf8(filter);
}

export function beginsWith(key: Uint8Array, prefix: Uint8Array): boolean {
  return key.length >= prefix.length && equalBytes(key.subarray(0, prefix.length), prefix);
}
