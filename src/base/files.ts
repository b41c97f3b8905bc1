/** Writes files so that they survive a crash. */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ArtError, errnoOf } from './errors.ts';

/** Makes the names in `folder` durable. File systems that cannot sync a folder are taken at their word. */
export function syncFolder(folder: string): void {
  let fd: number;
  try {
    fd = openSync(folder, 'r');
  } catch (error) {
    if (errnoOf(error) === 'EISDIR' || errnoOf(error) === 'EPERM') return;
    throw error;
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    if (errnoOf(error) !== 'EINVAL' && errnoOf(error) !== 'ENOTSUP') throw error;
  } finally {
    closeSync(fd);
  }
}

/** Writes all of `bytes`, however often the system writes short. */
export function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

/** Removes a file, if it is there. `rmSync` of node:fs looks at it twice first, with a module that takes 0.5 ms to load. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    // Where nothing may be written the system says that, rather than that there is nothing.
    const isGone = errnoOf(error) === 'ENOENT' || lstatSync(path, { throwIfNoEntry: false }) === undefined;
    if (!isGone) throw error;
  }
}

/**
 * Makes a folder, and those that lie above it, where they are not there. `mkdirSync` of node:fs never returns where a
 * folder says ENOENT to whoever makes something in it, as /proc does; here that raises FOLDER_UNWRITABLE.
 */
export function makeFolders(path: string): void {
  for (const attempt of ['first', 'again']) {
    try {
      mkdirSync(path);
      return;
    } catch (error) {
      if (isFolderAt(path)) return;
      if (IN_THE_WAY.has(errnoOf(error) ?? '')) throw standsInTheWay(path);
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (attempt === 'again' || dirname(path) === path)
        throw new ArtError('FOLDER_UNWRITABLE', `no folder can be made at ${JSON.stringify(path)}`);
      makeFolders(dirname(path));
    }
  }
}

const IN_THE_WAY = new Set(['EEXIST', 'ENOTDIR', 'ELOOP']);

function standsInTheWay(path: string): ArtError {
  const isLink = isLinkAt(path);
  const what = isLink ? 'is a link to nothing' : 'is no folder, or lies below what is none';
  return new ArtError('FOLDER_UNWRITABLE', `${JSON.stringify(path)} ${what}`, {
    hint: 'Remove it, or name another folder.',
  });
}

function isFolderAt(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function isLinkAt(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** What unfinished files are called, wherever they lie: never scanned, and removed by a later checkout. */
export const TEMPORARY_PREFIX = '.art-tmp-';

/** Replaces `path` whole or not at all, durably: temporary file, sync, rename, sync of the folder. */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const folder = dirname(path);
  const temporary = join(
    folder,
    `${TEMPORARY_PREFIX}${process.pid}-${Math.random().toString(36).slice(2, 10)}`,
  );
  const fd = openSync(temporary, 'wx');
  try {
    try {
      writeAll(fd, bytes);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
  syncFolder(folder);
}
