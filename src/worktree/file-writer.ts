/** Writes files, links and folders below a target: under a temporary name first, then renamed into place. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  symlinkSync,
  type Stats,
} from 'node:fs';
import { ArtError, errnoOf, fileError, writeAll } from '#base';
import { findStats, sameFingerprint } from './disk-entry.ts';
import { removeQuietly, type Folders } from './folders.ts';
import { TEMPORARY_PREFIX, folderOf } from './paths.ts';
import type { PlanRow } from './plan-row.ts';

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

export class FileWriter {
  readonly #folders: Folders;
  readonly #nonce = randomBytes(6).toString('hex');
  #count = 0;

  constructor(folders: Folders) {
    this.#folders = folders;
  }

  /** Writes a small file at once; gives the stat it has in its place. */
  write(row: PlanRow, bytes: Uint8Array): Stats {
    const temporary = this.#prepare(row);
    return this.#place(row, temporary, (fd) => writeAll(fd, bytes));
  }

  /** Writes a file piece by piece. Nothing of it is seen, or stays, unless all is there. */
  async writePieces(row: PlanRow, pieces: AsyncIterable<readonly Uint8Array[]>): Promise<Stats> {
    const temporary = this.#prepare(row);
    const fd = this.#open(row, temporary);
    try {
      for await (const batch of pieces) {
        try {
          for (const piece of batch) writeAll(fd, piece);
        } catch (error) {
          throw fileError(error, this.#folders.root + row.path);
        }
      }
      return this.#rename(row, temporary, fd);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  link(row: PlanRow): Stats {
    const temporary = this.#prepare(row);
    try {
      symlinkSync(row.target as Buffer, temporary);
      renameSync(temporary, this.#folders.root + row.path);
      return lstatSync(this.#folders.root + row.path);
    } catch (error) {
      removeQuietly(temporary);
      throw this.#failed(error, row);
    }
  }

  folder(row: PlanRow): void {
    this.#folders.make(row.path);
  }

  /** Makes the folder, looks that nobody changed what the plan saw, and gives a temporary name. */
  #prepare(row: PlanRow): string {
    const folder = folderOf(row.path);
    const { isNew } = this.#folders.make(folder);
    if (!isNew) assertUnchanged(this.#folders.root + row.path, row);
    return `${this.#folders.root}${folder}${TEMPORARY_PREFIX}${this.#nonce}-${++this.#count}`;
  }

  #place(row: PlanRow, temporary: string, fill: (fd: number) => void): Stats {
    const fd = this.#open(row, temporary);
    try {
      fill(fd);
      return this.#rename(row, temporary, fd);
    } catch (error) {
      removeQuietly(temporary);
      throw this.#failed(error, row);
    } finally {
      closeSync(fd);
    }
  }

  #open(row: PlanRow, temporary: string): number {
    try {
      return openSync(temporary, FLAGS, row.executable ? 0o777 : 0o666);
    } catch (error) {
      throw this.#failed(error, row);
    }
  }

  /** The stat comes after the rename, which changes ctime, and from the open file: nobody can have swapped it. */
  #rename(row: PlanRow, temporary: string, fd: number): Stats {
    try {
      renameSync(temporary, this.#folders.root + row.path);
      return fstatSync(fd);
    } catch (error) {
      throw this.#failed(error, row);
    }
  }

  #failed(error: unknown, row: PlanRow): unknown {
    const errno = errnoOf(error);
    if (errno === 'EISDIR' || errno === 'ENOTEMPTY' || errno === 'EEXIST') {
      return new ArtError('UNCOMMITTED_CHANGES', `${JSON.stringify(row.path)} is in the way`, {
        cause: error,
      });
    }
    return fileError(error, this.#folders.root + row.path);
  }
}

/** Raises UNCOMMITTED_CHANGES if what is at `absolute` is not what the plan found there. */
export function assertUnchanged(absolute: string, row: PlanRow): void {
  const stats = findStats(absolute);
  if (stats === undefined || (row.found !== undefined && sameFingerprint(stats, row.found))) return;
  throw new ArtError('UNCOMMITTED_CHANGES', `${JSON.stringify(absolute)} changed while the checkout went on`);
}
