/** Reads the clock of a file system: its ticks are coarser than ours, and a network one's may differ. */
import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs';
import { fileError } from '#base';
import { temporaryName } from './spool.ts';

/** The time in ms that a file made in `folder` now bears. Raises FOLDER_UNWRITABLE, PATH_NOT_FOUND or DISK_FULL. */
export function fileSystemNow(folder: string): number {
  const path = temporaryName(folder, 'clock');
  try {
    const fd = openSync(path, 'wx', 0o600);
    try {
      return fstatSync(fd).mtimeMs;
    } finally {
      closeSync(fd);
      unlinkSync(path);
    }
  } catch (error) {
    throw fileError(error, path);
  }
}
