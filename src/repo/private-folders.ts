/** Keeps checkouts out of folders that are art's or Git's own, and art's own out of versions. */
import { relative, sep } from 'node:path';
import { ArtError } from '#base';

/** On some file systems other spellings are the same folder. */
const PRIVATE: ReadonlyMap<string, string> = new Map([
  ['.art', 'art'],
  ['.git', 'Git'],
]);

/**
 * Raises USAGE if `dir`, a path without links, is or lies inside a folder in which art or Git keeps what it has; where the
 * repository itself lies does not count.
 */
export function refusePrivate(dir: string, root: string): void {
  const below = relative(root, dir);
  for (const name of (below.startsWith('..') ? dir : below).split(sep)) {
    const owner = PRIVATE.get(name.toLowerCase());
    if (owner !== undefined)
      throw new ArtError('USAGE', `${JSON.stringify(dir)} lies where ${owner} keeps its own files`, {
        hint: 'Name another folder.',
      });
  }
}

/** Raises USAGE if `path`, without links, is or lies inside `art`, the folder of the repository. */
export function refuseOwn(path: string, art: string): void {
  if (!`${path}${sep}`.startsWith(`${art}${sep}`)) return;
  throw new ArtError('USAGE', `${JSON.stringify(path)} is where art keeps everything: it is in no version`);
}
