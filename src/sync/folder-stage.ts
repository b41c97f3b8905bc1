/** Brings files into a folder bucket whole, durably, and only where nothing stands: temporary file, sync, hard link. */
import type { Dirent } from 'node:fs';
import { dirname, join } from 'node:path';
import { ArtError, assert, errnoOf, nonce, throwIfAborted } from '#base';
import type { Body } from './bucket.ts';
import { folderMissing, isSilence } from './folder-errors.ts';
import { find, removeFile, syncFolder, visitEntries } from './folder-fs.ts';
import type { FolderFs, OpenFile } from './folder-fs.ts';

/** `+` stands in no key, so that what lies here is never listed. */
const STAGE = '+tmp';
/** No push holds one file open this long; younger ones may belong to somebody. */
const STALE_MS = 24 * 3600 * 1000;
/** What is handed to the system in one go, so that a whole pack costs one wait, and at most in so many pieces. */
const WRITE_BYTES = 32 * 1024 * 1024;
const WRITE_PIECES = 1024;
/** How often folders are made anew that others remove as they are empty. */
const TRIES = 5;
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export class Stage {
  readonly fs: FolderFs;
  readonly #root: string;
  /** Made once, also for many who begin at the same time. */
  #ready: Promise<void> | undefined;
  /** Who may do what with the bucket's folder: looked at once. */
  #mode: number | undefined;
  /** Whether new files have to be given that; a umask may take some of it away. */
  #givesMode: boolean | undefined;
  /** Folders whose names are durable for sure, each with what tells it from one that is made in its place. */
  readonly #sure = new Map<string, string>();
  /** Folders with names of which it is not known that they are durable, and how often that was found. */
  readonly #unsure = new Map<string, number>();

  /** `root` is the bucket's folder, which exists. */
  constructor(root: string, fs: FolderFs) {
    this.#root = root;
    this.fs = fs;
  }

  /** Writes `body` to a temporary file, runs `use` with its path once it is durable, and removes it. */
  async with<T>(body: Body, signal: AbortSignal | undefined, use: (path: string) => Promise<T>): Promise<T> {
    await this.#prepared();
    const path = join(this.#root, STAGE, nonce(12));
    try {
      await this.#write(path, body, signal);
      throwIfAborted(signal);
      return await use(path);
    } finally {
      await removeFile(this.fs, path);
    }
  }

  async #write(path: string, body: Body, signal: AbortSignal | undefined): Promise<void> {
    // Whoever may read and write the bucket's folder may read and write its files, whatever the umask of the writer.
    const mode = (this.#mode ??= ((await this.fs.stat(this.#root)).mode & 0o666) | 0o600);
    const handle = await this.fs.open(path, 'wx', mode);
    try {
      this.#givesMode ??= ((await handle.stat()).mode & 0o777) !== mode;
      if (this.#givesMode) await handle.chmod(mode).catch(() => undefined);
      await writeBody(handle, body, signal);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  /**
   * Gives the file at `from` the name `to`, durably, if nothing has it. Gives false if something has, which is durable then.
   * `hasFolder`: whether the folder was seen to be there, for where it was not it is made first. Raises REMOTE_UNCERTAIN if it
   * cannot be told.
   */
  async place(from: string, to: string, { hasFolder = true } = {}): Promise<boolean> {
    if (!hasFolder) await this.#makeFolders(dirname(to));
    const isPlaced = await this.#give(from, to);
    await this.makeSure(to);
    return isPlaced;
  }

  /**
   * Makes the name of what is at `path` durable, and those of the folders on the way there: whoever made them may not have come
   * to that. What a file has in it was durable before it got its name. Raises REMOTE_UNCERTAIN.
   */
  async makeSure(path: string): Promise<void> {
    const folder = dirname(path);
    const before = this.#unsure.get(folder);
    try {
      await this.#syncUpFrom(path);
    } catch (error) {
      throw this.#uncertain(path, error);
    }
    // What was found meanwhile may be of a name that came too late for this sync.
    if (this.#unsure.get(folder) === before) this.#unsure.delete(folder);
  }

  #uncertain(path: string, cause: unknown): ArtError {
    const folder = dirname(path);
    this.#unsure.set(folder, (this.#unsure.get(folder) ?? 0) + 1);
    const message = `it is not known whether ${JSON.stringify(path)} was written`;
    return new ArtError('REMOTE_UNCERTAIN', message, { cause });
  }

  /** For whoever reads what is at `path` again because of that: it is not shown before it is durable. Raises REMOTE_UNCERTAIN. */
  async settle(path: string): Promise<void> {
    if (this.#unsure.has(dirname(path))) await this.makeSure(path);
  }

  async #syncUpFrom(path: string): Promise<void> {
    const changed = new Set([dirname(path)]);
    const unsure = new Map<string, string | undefined>();
    for (let at = dirname(path); at !== this.#root; at = dirname(at)) {
      const { ino, birthtimeMs } = await this.fs.lstat(at);
      const made = birthtimeMs > 0 ? `${ino} ${birthtimeMs}` : undefined;
      if (made !== undefined && this.#sure.get(at) === made) continue;
      unsure.set(at, made);
      changed.add(dirname(at));
    }
    await syncFolders(this.fs, changed);
    for (const [at, made] of unsure) if (made !== undefined) this.#sure.set(at, made);
  }

  async #give(from: string, to: string): Promise<boolean> {
    for (let tries = 0; ; tries++) {
      try {
        await this.fs.link(from, to);
        return true;
      } catch (error) {
        // A share may have done it and lost the reply; asked again it says that the name is taken: by us.
        if (await this.#isLinked(from)) return true;
        const errno = errnoOf(error);
        if (errno === 'EEXIST') return false;
        if (errno === 'ENOENT' && tries < TRIES) await this.#makeFolders(dirname(to));
        else if (NO_LINKS.has(errno ?? '') && !(await this.hasLinks())) return this.#renameInto(from, to);
        else throw isSilence(error) ? this.#uncertain(to, error) : error;
      }
    }
  }

  /** Tells whether this file system knows hard links, by making one. */
  async hasLinks(): Promise<boolean> {
    await this.#prepared();
    const path = join(this.#root, STAGE, nonce(12));
    try {
      await (await this.fs.open(path, 'wx')).close();
      await this.fs.link(path, `${path}.link`);
      return true;
    } catch (error) {
      if (NO_LINKS.has(errnoOf(error) ?? '')) return false;
      throw error;
    } finally {
      await removeFile(this.fs, path);
      await removeFile(this.fs, `${path}.link`);
    }
  }

  /** The file system's own clock, seen in a new file; milliseconds since 1970. */
  async time(): Promise<number> {
    await this.#prepared();
    return this.#clock();
  }

  async #clock(): Promise<number> {
    const path = join(this.#root, STAGE, nonce(12));
    try {
      const handle = await this.fs.open(path, 'wx');
      try {
        await handle.writev([Buffer.from('t')]);
      } finally {
        await handle.close();
      }
      return (await this.fs.stat(path)).mtimeMs;
    } finally {
      await removeFile(this.fs, path);
    }
  }

  // Without hard links nothing refuses a second writer between the look and the rename.
  async #renameInto(from: string, to: string): Promise<boolean> {
    await this.#makeFolders(dirname(to));
    if ((await find(this.fs, to)) !== undefined) return false;
    await this.fs.rename(from, to);
    return true;
  }

  #prepared(): Promise<void> {
    return (this.#ready ??= this.#prepare().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    }));
  }

  async #prepare(): Promise<void> {
    const folder = join(this.#root, STAGE);
    await this.#makeFolders(folder);
    assert((await this.fs.lstat(folder)).isDirectory(), 'makeFolders makes folders');
    await this.#reap(folder);
  }

  /** What killed pushes left, by the clock of the file system itself. */
  async #reap(folder: string): Promise<void> {
    const now = await this.#clock();
    const visit = async ({ name }: Dirent) => {
      const path = join(folder, name);
      const found = await find(this.fs, path).catch(() => undefined);
      if (found?.isFile() && now - found.mtimeMs > STALE_MS) await removeFile(this.fs, path);
    };
    await visitEntries(this.fs, folder, { begin: () => {}, visit });
  }

  /**
   * Makes `folder` and what is missing above it, each as open as the bucket's own folder, which is not made: where that is gone
   * a disk may have been taken out. Raises BUCKET_NOT_FOUND then, and REMOTE_FAILED where a link stands on the way.
   */
  async #makeFolders(folder: string): Promise<void> {
    const down: string[] = [];
    for (let at = folder; at !== this.#root; at = dirname(at)) down.unshift(at);
    for (let tries = 0; ; tries++) {
      try {
        for (const at of down) await this.#makeFolder(at);
        return;
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        if ((await find(this.fs, this.#root)) === undefined) throw folderMissing(this.#root, error);
        if (tries === TRIES) throw error;
        // Else one on the way was just removed, as it was empty.
      }
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    const { mode } = await this.fs.stat(this.#root);
    const wanted = mode & 0o7777;
    try {
      await this.fs.mkdir(folder, wanted);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      return this.#refuseLink(folder);
    }
    const made = await this.fs.stat(folder);
    if ((made.mode & 0o7777) !== wanted) await this.fs.chmod(folder, wanted).catch(() => undefined);
  }

  async #refuseLink(folder: string): Promise<void> {
    if ((await this.fs.lstat(folder)).isDirectory()) return;
    throw new ArtError(
      'REMOTE_FAILED',
      `${JSON.stringify(folder)} should be a folder of the bucket, and is none`,
    );
  }

  async #isLinked(path: string): Promise<boolean> {
    const found = await find(this.fs, path).catch(() => undefined);
    return found !== undefined && found.nlink > 1;
  }
}

/** All at once: a journal of the file system's takes them together. */
async function syncFolders(fs: FolderFs, folders: Iterable<string>): Promise<void> {
  const synced = await Promise.allSettled(Array.from(folders, (folder) => syncFolder(fs, folder)));
  for (const one of synced) if (one.status === 'rejected') throw one.reason;
}

async function writeBody(handle: OpenFile, body: Body, signal: AbortSignal | undefined): Promise<void> {
  let size = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const flush = async () => {
    throwIfAborted(signal);
    await writeAll(handle, held);
    size += heldBytes;
    held = [];
    heldBytes = 0;
  };
  for await (const piece of body.open()) {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes >= WRITE_BYTES || held.length === WRITE_PIECES) await flush();
  }
  await flush();
  assert(size === body.size, 'a body has the size it says');
}

async function writeAll(handle: OpenFile, pieces: readonly Uint8Array[]): Promise<void> {
  for (let left = pieces; left.length > 0;) {
    let { bytesWritten } = await handle.writev(left);
    const whole = left.findIndex(({ length }) => (bytesWritten -= length) < 0);
    if (whole < 0) return;
    const rest = left[whole].subarray(left[whole].length + bytesWritten);
    left = [rest, ...left.slice(whole + 1)];
  }
}
