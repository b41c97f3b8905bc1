/** Describes one thing found on the disk: what a tree would say of it, and the stat that tells if it changed. */
import { lstatSync, type Stats } from 'node:fs';
import { errnoOf } from '#base';
import { FILE, FOLDER, SYMLINK } from '#object';

/** A socket, a pipe, a device: on the disk, never in a tree. */
export const IRREGULAR = -1;
export type DiskKind = typeof FILE | typeof SYMLINK | typeof FOLDER | typeof IRREGULAR;

const TYPE_MASK = 0o170000;
const TYPES: ReadonlyMap<number, string> = new Map([
  [0o140000, 'a socket'],
  [0o010000, 'a named pipe'],
  [0o020000, 'a character device'],
  [0o060000, 'a block device'],
]);

/** The stat that a file keeps as long as nobody touches it; times in ms. */
export interface Fingerprint {
  readonly size: number;
  readonly mtimeMs: number;
  /** NaN: not known, and not compared. */
  readonly ctimeMs: number;
  readonly ino: number;
}

export class DiskEntry implements Fingerprint {
  /** Its path as the tree has it; that of an empty folder ends in a slash. */
  readonly path: string;
  readonly absolute: string;
  kind: DiskKind;
  executable = false;
  size = 0;
  mtimeMs = 0;
  ctimeMs = 0;
  ino = 0;
  mode = 0;
  /** Whether it has other names, too: what happens to those changes its ctime. */
  linked = false;
  /** Left out of versions; scans give such entries only when asked. An ignored folder's path ends in a slash. */
  ignored = false;

  constructor(path: string, absolute: string, kind: DiskKind) {
    this.path = path;
    this.absolute = absolute;
    this.kind = kind;
  }

  /** Takes over what the system says of it; gives false if that is a folder. */
  learn(stats: Stats): boolean {
    const type = stats.mode & TYPE_MASK;
    this.mode = stats.mode;
    this.size = stats.size;
    this.mtimeMs = stats.mtimeMs;
    this.ctimeMs = stats.ctimeMs;
    this.ino = stats.ino;
    this.linked = stats.nlink > 1;
    this.executable = false;
    if (type === 0o100000) {
      this.kind = FILE;
      this.executable = (stats.mode & 0o100) !== 0;
    } else if (type === 0o120000) this.kind = SYMLINK;
    else if (type === 0o040000) return false;
    else this.kind = IRREGULAR;
    return true;
  }

  /** What it is, if no tree can hold it. */
  get irregularity(): string {
    return TYPES.get(this.mode & TYPE_MASK) ?? 'neither a file, a folder nor a link';
  }
}

/** The stat of what is at `absolute`, links not followed; undefined if nothing is. */
export function findStats(absolute: string): Stats | undefined {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false });
  } catch (error) {
    // A file, or a link to itself, stands where a folder on the way should be.
    if (errnoOf(error) === 'ENOTDIR' || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  }
}

export function sameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  const sameTime = a.ctimeMs === b.ctimeMs || Number.isNaN(a.ctimeMs) || Number.isNaN(b.ctimeMs);
  return sameTime && a.size === b.size && a.mtimeMs === b.mtimeMs && a.ino === b.ino;
}
