/** Puts whole small files in their places, many at a time: plain arrays in and out, so that a thread can do it. */
import { closeSync, constants, fstatSync, openSync, renameSync } from 'node:fs';
import { errnoOf, writeAll } from '#base';
import { findStats, sameFingerprint, type Fingerprint } from './disk-entry.ts';
import { removeQuietly } from './folders.ts';

/** New files only, and never through a link. */
export const NEW_FILE =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
/** The code of a failure that is none of the system's: something else stands there than was seen. */
export const CHANGED = 'CHANGED';

const PRINT_NUMBERS = 4;

/** Files to be placed, in the order in which it is done. */
export interface Placement {
  /** Absolute paths. */
  readonly paths: readonly string[];
  /** Names in the same folders under which each is written before it is renamed. */
  readonly temporaries: readonly string[];
  readonly executables: readonly boolean[];
  /** The stat of what may stand there and be replaced; undefined where nothing was seen. */
  readonly found: readonly (Fingerprint | undefined)[];
  /** Whether to look: what lies in a folder just made was put there by us. */
  readonly looks: readonly boolean[];
  /** Where the bytes of each end in `bytes`. */
  readonly ends: readonly number[];
  readonly bytes: Uint8Array;
}

export interface PlacementFailure {
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

export interface Placed {
  /** Size, mtime, ctime and inode of each that was placed; times in ms. */
  readonly prints: Float64Array;
  /** The first that could not be placed; none after it was. */
  readonly failure: PlacementFailure | undefined;
}

export function placeFiles(placement: Placement): Placed {
  const { paths, ends, bytes } = placement;
  const prints = new Float64Array(paths.length * PRINT_NUMBERS);
  let start = 0;
  for (let index = 0; index < paths.length; index++) {
    try {
      const print = placeOne(placement, index, bytes.subarray(start, ends[index]));
      if (print === undefined) return { prints, failure: { index, code: CHANGED, message: '' } };
      prints.set([print.size, print.mtimeMs, print.ctimeMs, print.ino], index * PRINT_NUMBERS);
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      return { prints, failure: { index, code, message: (error as Error).message } };
    }
    start = ends[index];
  }
  return { prints, failure: undefined };
}

/** The stat of the file at `index`. */
export function printAt({ prints }: Placed, index: number): Fingerprint {
  const at = index * PRINT_NUMBERS;
  return { size: prints[at], mtimeMs: prints[at + 1], ctimeMs: prints[at + 2], ino: prints[at + 3] };
}

/** Tells whether there is at `absolute` what was found there, or nothing any more. */
export function isUnchanged(absolute: string, found: Fingerprint | undefined): boolean {
  const stats = findStats(absolute);
  return stats === undefined || (found !== undefined && sameFingerprint(stats, found));
}

function placeOne(placement: Placement, index: number, bytes: Uint8Array): Fingerprint | undefined {
  const path = placement.paths[index];
  if (placement.looks[index] && !isUnchanged(path, placement.found[index])) return undefined;
  const temporary = placement.temporaries[index];
  const fd = openSync(temporary, NEW_FILE, placement.executables[index] ? 0o777 : 0o666);
  try {
    writeAll(fd, bytes);
    renameSync(temporary, path);
    // After the rename, which changes ctime, and from the open file: nobody can have swapped it.
    return fstatSync(fd);
  } catch (error) {
    removeQuietly(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
