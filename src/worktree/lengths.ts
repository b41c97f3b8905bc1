/** Refuses paths and links that are longer than the system takes, before anything of a version is written. */
import { ArtError, realPath, utf8 } from '#base';
import { SYMLINK, type MapEntry } from '#object';
import { folderOf } from './paths.ts';

/** The bytes of a path, without the NUL at its end. */
const PATH_BYTES_MAX = process.platform === 'linux' ? 4095 : 1023;
/** Beside its place each file is written under another name first; that is no longer than this. */
const TEMPORARY_NAME_BYTES = 48;
/** A character of JavaScript's is at most so many bytes of UTF-8. */
const BYTES_A_UNIT = 3;

export class Lengths {
  readonly #dir: string;
  readonly #rootBytes: number;

  /** `dir`: the target, absolute. */
  constructor(dir: string) {
    this.#dir = dir;
    this.#rootBytes = utf8(`${realPath(dir)}/`).length;
  }

  /** Raises TREE_UNSAFE. */
  check(path: string, want: MapEntry): void {
    if (want.kind === SYMLINK && want.extra.length > PATH_BYTES_MAX)
      throw tooLong(`the target of the link ${shown(path)}`, 'is longer than this system takes');
    const free = PATH_BYTES_MAX - this.#rootBytes;
    // Nearly every path is far from it, and need not be counted.
    if (path.length * BYTES_A_UNIT + TEMPORARY_NAME_BYTES <= free) return;
    const whileWritten = utf8(folderOf(path)).length + TEMPORARY_NAME_BYTES;
    if (Math.max(utf8(path).length, whileWritten) <= free) return;
    throw tooLong(
      `the path ${shown(path)}`,
      `is longer than this system takes in ${JSON.stringify(this.#dir)}`,
    );
  }
}

function tooLong(what: string, why: string): ArtError {
  return new ArtError('TREE_UNSAFE', `${what} ${why}`, {
    hint: 'Nothing was written. Leave it out with --path, or use a folder with a shorter path.',
  });
}

const SHOWN = 100;

function shown(path: string): string {
  return JSON.stringify(path.length <= SHOWN ? path : `${path.slice(0, SHOWN)}…`);
}
