/** Writes files, links and folders below a target: under a temporary name first, then renamed into place. */
import { closeSync, fstatSync, lstatSync, openSync, renameSync, symlinkSync, type Stats } from 'node:fs';
import { ArtError, WriteBehind, errnoOf, fileError, nonce } from '#base';
import type { Fingerprint } from './disk-entry.ts';
import { removeQuietly, type Folders } from './folders.ts';
import type { LinkedFiles } from './linked-files.ts';
import { folderOf } from './paths.ts';
import type { Placer } from './placer.ts';
import { CHANGED, NEW_FILE, printAt, type PlacementFailure } from './placing.ts';
import type { PlanRow } from './plan-row.ts';

/** Bytes of a large file that are written at once. */
const PIECES_BYTES = 8 * 1024 * 1024;

export class FileWriter {
  readonly #folders: Folders;
  readonly #linked: LinkedFiles;
  readonly #temporaryPrefix: string;
  /** Memory for bytes on their way into large files. */
  readonly #free: Buffer<ArrayBuffer>[] = [];
  #count = 0;

  /** `unfinished`: what the names of unfinished files begin with. */
  constructor(folders: Folders, unfinished: string, linked: LinkedFiles) {
    this.#folders = folders;
    this.#linked = linked;
    this.#temporaryPrefix = `${unfinished}${nonce(6)}-`;
  }

  /** Writes small files, whole; gives the stat that each has in its place. The bytes are copied before it returns. */
  writeAll(
    rows: readonly PlanRow[],
    contents: readonly Uint8Array[],
    placer: Placer,
  ): Promise<readonly Fingerprint[]> {
    const names = rows.map((row) => this.#names(row));
    let end = 0;
    const ends = contents.map((bytes) => (end += bytes.length));
    const bytes = placer.room(end);
    contents.forEach((content, i) => bytes.set(content, ends[i] - content.length));
    const placed = placer.place({
      paths: rows.map(({ path }) => this.#folders.root + path),
      temporaries: names.map(({ temporary }) => temporary),
      executables: rows.map(({ executable }) => executable),
      found: rows.map(({ found }) => found && fingerprintOf(found)),
      looks: names.map(({ isNew }) => !isNew),
      ends,
      bytes,
    });
    return placed.then((done) => {
      if (done.failure !== undefined) throw this.#placementFailed(done.failure, rows);
      return rows.map((_, i) => printAt(done, i));
    });
  }

  /** Writes a file piece by piece. Nothing of it is seen, or stays, unless all is there. */
  async writePieces(row: PlanRow, pieces: AsyncIterable<readonly Uint8Array[]>): Promise<Stats> {
    const temporary = this.#prepare(row);
    const fd = this.#open(row, temporary);
    const behind = new WriteBehind(fd);
    try {
      let position = 0;
      for await (const batch of pieces) {
        const { room, bytes } = this.#copied(batch);
        await behind.settled();
        behind.check();
        void behind.write(room.subarray(0, bytes), position).then(() => this.#free.push(room));
        position += bytes;
      }
      await behind.settled();
      behind.check();
      return this.#rename(row, temporary, fd);
    } catch (error) {
      removeQuietly(temporary);
      throw fileError(error, this.#folders.root + row.path);
    } finally {
      await behind.settled();
      closeSync(fd);
    }
  }

  link(row: PlanRow): Stats {
    const temporary = this.#prepare(row);
    try {
      symlinkSync(row.target as Buffer, temporary);
      this.#place(row, temporary);
      return lstatSync(this.#folders.root + row.path);
    } catch (error) {
      removeQuietly(temporary);
      throw this.#failed(error, row);
    }
  }

  folder(row: PlanRow): void {
    this.#folders.make(row.path);
  }

  /** Copies `batch`, as its bytes are somebody's scratch. */
  #copied(batch: readonly Uint8Array[]): { readonly room: Buffer<ArrayBuffer>; readonly bytes: number } {
    const bytes = batch.reduce((sum, piece) => sum + piece.length, 0);
    let room = this.#free.pop();
    if (room === undefined || room.length < bytes)
      room = Buffer.allocUnsafeSlow(Math.max(bytes, PIECES_BYTES));
    let end = 0;
    for (const piece of batch) {
      room.set(piece, end);
      end += piece.length;
    }
    return { room, bytes };
  }

  /** Makes the folder, looks that nobody changed what the plan saw, and gives a temporary name. */
  #prepare(row: PlanRow): string {
    const { temporary, isNew } = this.#names(row);
    if (!isNew) assertUnchanged(this.#folders.root + row.path, row, this.#linked);
    return temporary;
  }

  /** Makes the folder; gives a temporary name in it, and whether nothing but ours can be there. */
  #names(row: PlanRow): { readonly temporary: string; readonly isNew: boolean } {
    const folder = folderOf(row.path);
    const { isNew } = this.#folders.make(folder);
    return { temporary: `${this.#folders.root}${folder}${this.#temporaryPrefix}${++this.#count}`, isNew };
  }

  #placementFailed({ index, code, message }: PlacementFailure, rows: readonly PlanRow[]): unknown {
    const row = rows[index];
    if (code === CHANGED) return changedMeanwhile(this.#folders.root + row.path);
    return this.#failed(Object.assign(new Error(message), { code }), row);
  }

  #open(row: PlanRow, temporary: string): number {
    try {
      return openSync(temporary, NEW_FILE, row.executable ? 0o777 : 0o666);
    } catch (error) {
      throw this.#failed(error, row);
    }
  }

  /** The stat comes after the rename, which changes ctime, and from the open file: nobody can have swapped it. */
  #rename(row: PlanRow, temporary: string, fd: number): Stats {
    try {
      this.#place(row, temporary);
      return fstatSync(fd);
    } catch (error) {
      throw this.#failed(error, row);
    }
  }

  #place(row: PlanRow, temporary: string): void {
    const absolute = this.#folders.root + row.path;
    this.#linked.during(absolute, row, () => renameSync(temporary, absolute));
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
export function assertUnchanged(absolute: string, row: PlanRow, linked: LinkedFiles): void {
  if (!linked.isUnchanged(absolute, row)) throw changedMeanwhile(absolute);
}

function changedMeanwhile(absolute: string): ArtError {
  return new ArtError(
    'UNCOMMITTED_CHANGES',
    `${JSON.stringify(absolute)} changed while the checkout went on`,
  );
}

/** Plain numbers, so that a thread can be told. */
function fingerprintOf({ size, mtimeMs, ctimeMs, ino }: Fingerprint): Fingerprint {
  return { size, mtimeMs, ctimeMs, ino };
}
