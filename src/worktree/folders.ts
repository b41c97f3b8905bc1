/** Makes and removes folders below a checkout's target, never through a link. */
import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { ArtError, errnoOf, fileError } from '#base';
import { findStats } from './disk-entry.ts';

/** Knows which folder on the way to the current path is real; meant for paths in key order. */
export class Folders {
  /** The target with a slash at its end. */
  readonly root: string;
  /** Paths of folders known to be real, each inside the one before. */
  readonly #real: string[] = [];
  /** How many of these, counted from the first, were there before us. */
  #old = 0;

  constructor(root: string) {
    this.root = root.endsWith('/') ? root : `${root}/`;
  }

  /**
   * Makes `folder` ('' or ending in a slash) with those above it. Gives whether it is new, so that nothing can be in
   * it. Raises UNCOMMITTED_CHANGES if a file or link stands in the way.
   */
  make(folder: string): { readonly isNew: boolean } {
    this.#descend(folder, (path, isOther) => {
      const absolute = this.root + path.slice(0, -1);
      if (isOther) throw new ArtError('UNCOMMITTED_CHANGES', `${JSON.stringify(absolute)} is in the way`);
      try {
        mkdirSync(absolute);
      } catch (error) {
        throw fileError(error, absolute);
      }
      return true;
    });
    return this.#real.length > this.#old ? NEW : OLD;
  }

  /** Whether `folder` is there, as a folder and not through a link. */
  has(folder: string): boolean {
    return this.#descend(folder, () => false);
  }

  /** Removes `folder` and those above it as long as they are empty; the target itself stays. */
  removeEmpty(folder: string): void {
    this.forget();
    for (let path = folder; path !== ''; path = above(path)) {
      try {
        rmdirSync(this.root + path);
      } catch (error) {
        const errno = errnoOf(error);
        if (errno === 'ENOENT') continue;
        if (errno === undefined) throw error;
        return;
      }
    }
  }

  /** Forgets what is known: something was removed. */
  forget(): void {
    this.#real.length = 0;
    this.#old = 0;
  }

  /** Goes down to `folder`, calling `make` for each on the way that is not there or is something else. */
  #descend(folder: string, make: (path: string, isOther: boolean) => boolean): boolean {
    if (this.#real.at(-1) === folder) return true;
    while (this.#real.length > 0 && !folder.startsWith(this.#real.at(-1)!)) this.#real.pop();
    this.#old = Math.min(this.#old, this.#real.length);
    let start = this.#real.at(-1)?.length ?? 0;
    while (start < folder.length) {
      start = folder.indexOf('/', start) + 1;
      const path = folder.slice(0, start);
      const isBelowNew = this.#real.length > this.#old;
      const stats = isBelowNew ? undefined : findStats(this.root + path.slice(0, -1));
      if (stats?.isDirectory() === true) this.#old++;
      else if (!make(path, stats !== undefined)) return false;
      this.#real.push(path);
    }
    return true;
  }
}

const NEW = { isNew: true };
const OLD = { isNew: false };

function above(folder: string): string {
  return folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
}

/** Removes a file of ours if it can be removed. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
