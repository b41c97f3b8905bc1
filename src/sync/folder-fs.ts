/**
 * The calls to the file system that a folder bucket makes. On a disk of this machine's own most of them return within
 * microseconds, ten times sooner than another thread can be handed the work and give it back: they are made at once. What
 * may take long, there too, is left to other threads: syncing, and reading and writing more than a little. On a network
 * share every call may take long.
 */
import type { Dir, Dirent, Stats } from 'node:fs';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  opendirSync,
  read,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writev,
  writevSync,
} from 'node:fs';
import * as far from 'node:fs/promises';
import { promisify } from 'node:util';
import { ArtError, errnoOf } from '#base';

export interface FolderFs {
  lstat(path: string): Promise<Stats>;
  stat(path: string): Promise<Stats>;
  realpath(path: string): Promise<string>;
  chmod(path: string, mode: number): Promise<void>;
  mkdir(path: string, mode: number): Promise<unknown>;
  rmdir(path: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  open(path: string, flags: string | number, mode?: number): Promise<OpenFile>;
  /**
   * What is in a folder, in no order. Reading on, once it is open, may raise ENOENT: where a file system does not say of
   * what kind an entry is, it is asked of each, and one may have vanished.
   */
  entries(folder: string): Promise<AsyncIterable<Dirent>>;
}

/** As much of Node's FileHandle as is needed. */
export interface OpenFile {
  stat(): Promise<Stats>;
  chmod(mode: number): Promise<void>;
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
  /** Behind what was written before. */
  writev(pieces: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** `f_type` of the file systems that Linux keeps on disks of its own, and in memory. */
const NEAR = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
  0x794c7630, // overlay
]);

/** Fit for the file system that `folder` lies on. */
export async function fsFor(folder: string): Promise<FolderFs> {
  if (process.platform !== 'linux') return farFs;
  try {
    return NEAR.has((await far.statfs(folder)).type) ? nearFs : farFs;
  } catch {
    return farFs; // A file system that does not say what it is may still be read and written.
  }
}

export const farFs: FolderFs = {
  lstat: (path) => far.lstat(path),
  stat: (path) => far.stat(path),
  realpath: (path) => far.realpath(path),
  chmod: (path, mode) => far.chmod(path, mode),
  mkdir: (path, mode) => far.mkdir(path, mode),
  rmdir: (path) => far.rmdir(path),
  link: (from, to) => far.link(from, to),
  rename: (from, to) => far.rename(from, to),
  unlink: (path) => far.unlink(path),
  open: (path, flags, mode) => far.open(path, flags, mode),
  entries: (folder) => far.opendir(folder),
};

// Asynchronous in name: what they raise must come as a rejection.
export const nearFs: FolderFs = {
  lstat: async (path) => lstatSync(path),
  stat: async (path) => statSync(path),
  realpath: async (path) => realpathSync.native(path),
  chmod: async (path, mode) => chmodSync(path, mode),
  mkdir: async (path, mode) => mkdirSync(path, mode),
  rmdir: async (path) => rmdirSync(path),
  link: async (from, to) => linkSync(from, to),
  rename: async (from, to) => renameSync(from, to),
  unlink: async (path) => unlinkSync(path),
  open: async (path, flags, mode) => new NearFile(openSync(path, flags, mode)),
  entries: async (folder) => entriesIn(opendirSync(folder)),
};

async function* entriesIn(open: Dir): AsyncGenerator<Dirent, void, undefined> {
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) yield entry;
  } finally {
    open.closeSync();
  }
}

/** What is read or written at once; 64 KiB take 10 us where memory has them. */
const AT_ONCE_BYTES_MAX = 64 * 1024;

const [readLater, writevLater] = [promisify(read), promisify(writev)];
const [fdatasyncLater, fsyncLater] = [promisify(fdatasync), promisify(fsync)];

class NearFile implements OpenFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async stat(): Promise<Stats> {
    return fstatSync(this.#fd);
  }

  async chmod(mode: number): Promise<void> {
    fchmodSync(this.#fd, mode);
  }

  async read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }> {
    if (length > AT_ONCE_BYTES_MAX) return readLater(this.#fd, buffer, offset, length, position);
    return { bytesRead: readSync(this.#fd, buffer, offset, length, position) };
  }

  async writev(pieces: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }> {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    if (bytes > AT_ONCE_BYTES_MAX) return writevLater(this.#fd, pieces as Uint8Array[]);
    return { bytesWritten: writevSync(this.#fd, pieces as Uint8Array[]) };
  }

  datasync(): Promise<void> {
    return fdatasyncLater(this.#fd);
  }

  sync(): Promise<void> {
    return fsyncLater(this.#fd);
  }

  async close(): Promise<void> {
    closeSync(this.#fd);
  }
}

/** How often a folder is read anew because something in it vanished meanwhile. */
const READS_MAX = 100;

/**
 * Shows `visit` all that is in `folder`, and `begin` that it starts, perhaps once more: a listing that broke off is no
 * listing. Raises ENOENT or ENOTDIR if the folder is not there, REMOTE_FAILED if it never holds still.
 */
export async function visitEntries(
  fs: FolderFs,
  folder: string,
  by: { readonly begin: () => void; readonly visit: (entry: Dirent) => Promise<void> | void },
): Promise<void> {
  for (let tries = 0; tries < READS_MAX; tries++) {
    by.begin();
    const entries = await fs.entries(folder);
    try {
      for await (const entry of entries) {
        const waits = by.visit(entry);
        if (waits !== undefined) await waits;
      }
      return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
  throw new ArtError('REMOTE_FAILED', `${JSON.stringify(folder)} changes faster than it can be read`);
}

/** What is at `path`, which may be a link; undefined if nothing is. */
export async function find(fs: FolderFs, path: string): Promise<Stats | undefined> {
  try {
    return await fs.lstat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether there was one. */
export async function removeFile(fs: FolderFs, path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Makes the names in `folder` durable. File systems that cannot sync a folder are taken at their word. */
export async function syncFolder(fs: FolderFs, folder: string): Promise<void> {
  const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EBADF', 'EISDIR'].includes(errnoOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}
