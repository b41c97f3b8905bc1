/** Finds out whether a file system takes different names for one, and refuses trees that would suffer from it. */
import { closeSync, existsSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ArtError, TEMPORARY_PREFIX, errnoOf } from '#base';
import { foldKey } from './paths.ts';

/**
 * Tells whether names in `dir` (or the nearest folder above it that exists) that differ in case or Unicode
 * normalisation alone are one name there. Tries it with a temporary file, whose name begins with `unfinished`; where none
 * can be made the answer is no.
 */
export function foldsNames(dir: string, unfinished = TEMPORARY_PREFIX): boolean {
  let folder = dir;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  const name = `${unfinished}${process.pid}-${Date.now().toString(36)}-a\u00e9`;
  const path = join(folder, name);
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
  try {
    const twins = [name.replace(/a\u00e9$/, 'A\u00e9'), name.normalize('NFD')];
    return twins.some((twin) => lstatSync(join(folder, twin), { throwIfNoEntry: false }) !== undefined);
  } finally {
    unlinkSync(path);
  }
}

/** Watches the paths of a tree go by in key order; holds the names of one folder at each depth. */
export class TwinWatch {
  readonly #folders: { readonly path: string; readonly names: Map<string, string> }[] = [
    { path: '', names: new Map() },
  ];

  /** Raises TREE_UNSAFE if a name on the way to `path` folds to the same as another in its folder. */
  pass(path: string): void {
    while (!path.startsWith(this.#folders.at(-1)!.path)) this.#folders.pop();
    for (let start = this.#folders.at(-1)!.path.length; start < path.length;) {
      const slash = path.indexOf('/', start);
      const name = path.slice(start, slash === -1 ? undefined : slash);
      const { names } = this.#folders.at(-1)!;
      const folded = foldKey(name);
      const twin = names.get(folded);
      if (twin !== undefined && twin !== name) {
        const shown = `${JSON.stringify(path.slice(0, start) + twin)} and ${JSON.stringify(path)}`;
        throw new ArtError('TREE_UNSAFE', `${shown} are one name in the target folder`);
      }
      names.set(folded, name);
      if (slash === -1) return;
      start = slash + 1;
      this.#folders.push({ path: path.slice(0, start), names: new Map() });
    }
  }
}
