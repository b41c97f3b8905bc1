/** Keeps checkouts out of folders that are art's or Git's own. */
import { sep } from 'node:path';
import { ArtError } from '#base';

/** On some file systems other spellings are the same folder. */
const PRIVATE: ReadonlyMap<string, string> = new Map([
  ['.art', 'art'],
  ['.git', 'Git'],
]);

/** Raises USAGE if `dir`, a path without links, is or lies inside a folder in which art or Git keeps what it has. */
export function refusePrivate(dir: string): void {
  for (const name of dir.split(sep)) {
    const owner = PRIVATE.get(name.toLowerCase());
    if (owner !== undefined)
      throw new ArtError('USAGE', `${JSON.stringify(dir)} lies where ${owner} keeps its own files`, {
        hint: 'Name another folder.',
      });
  }
}
