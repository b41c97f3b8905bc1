/** Keeps a bucket in a folder, on a network share too: every condition is one hard link, and nobody waits for a lock. */
import { dirname, join } from 'node:path';
import { ArtError, Pace, assert, errnoOf, throwIfAborted } from '#base';
import { bytesBody, isKey, isPointerKey, readAll } from './bucket.ts';
import type { Abortable, Body, Bucket, ByteRange, Checked, GetOptions, Got, Listed, Tag } from './bucket.ts';
import { folderError, folderMissing } from './folder-errors.ts';
import { PIECE_BYTES, openFile, readFile } from './folder-file.ts';
import { farFs, find, fsFor, removeFile, syncFolder } from './folder-fs.ts';
import type { FolderFs } from './folder-fs.ts';
import { walk } from './folder-list.ts';
import { currentOf, removeAll, swap } from './folder-pointer.ts';
import { Stage } from './folder-stage.ts';

/** How long a list may go on before others get a turn. */
const TURN_MS = 10;

export interface FolderOptions {
  /** How the file system is called; as fits the one that the folder lies on unless a test says otherwise. */
  readonly fs?: FolderFs;
  /** This machine's clock, for a folder in which nothing can be written. */
  readonly now?: () => number;
}

/** `path` is absolute; the folder exists or every method raises BUCKET_NOT_FOUND. */
export class FolderBucket implements Bucket {
  readonly url: string;
  readonly #fs: FolderFs | undefined;
  readonly #now: () => number;
  #opened: { readonly root: string; readonly fs: FolderFs; readonly stage: Stage } | undefined;

  constructor(path: string, options: FolderOptions = {}) {
    this.url = path;
    this.#fs = options.fs;
    this.#now = options.now ?? Date.now;
  }

  async get(key: string, options: GetOptions = {}): Promise<Got | undefined> {
    checked(key);
    return this.#told(`reading ${key}`, async () => {
      throwIfAborted(options.signal);
      const path = await this.#inside(key);
      if (path === undefined) return undefined;
      return isPointerKey(key) ? this.#getPointer(path, options.range) : this.#getFile(path, options);
    });
  }

  async putIfAbsent(key: string, body: Body, { signal }: Abortable = {}): Promise<Tag | undefined> {
    checked(key);
    if (isPointerKey(key)) return this.#swap(key, body, undefined, signal);
    return this.#told(`writing ${key}`, async () => {
      const { root, fs, stage } = await this.#open();
      const path = join(root, key);
      if ((await find(fs, path)) !== undefined) {
        await this.#inside(key);
        await stage.makeSure(path);
        return undefined;
      }
      return stage.with(body, signal, async (staged) => {
        const hasFolder = (await this.#standing(key)) !== undefined;
        return (await stage.place(staged, path, { hasFolder })) ? tagOf(await fs.lstat(path)) : undefined;
      });
    });
  }

  async putIfTag(key: string, body: Body, tag: Tag, { signal }: Abortable = {}): Promise<Tag | undefined> {
    assert(isPointerKey(checked(key)), 'only pointers change');
    return this.#swap(key, body, tag, signal);
  }

  async *list(
    prefix: string,
    { after = '', signal }: Abortable & { readonly after?: string } = {},
  ): AsyncGenerator<Listed, void, undefined> {
    try {
      const { root, fs } = await this.#open();
      yield* walk({ root, fs, prefix, after, signal, tagOf, pace: new Pace(TURN_MS) });
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') throw folderMissing(this.url, error);
      throw folderError(error, this.url, `listing ${prefix === '' ? 'all' : prefix}`);
    }
  }

  async delete(key: string, { tag, signal }: Abortable & { readonly tag?: Tag } = {}): Promise<boolean> {
    checked(key);
    return this.#told(`removing ${key}`, async () => {
      throwIfAborted(signal);
      const { fs } = await this.#open();
      const path = await this.#inside(key);
      if (path === undefined) return false;
      const has = isPointerKey(key) ? (await currentOf(fs, path))?.tag : tagOf(await find(fs, path));
      if (has === undefined || (tag !== undefined && tag !== has)) return false;
      if (isPointerKey(key)) await removeAll(fs, path);
      else if (!(await removeFile(fs, path))) return false; // Another was first.
      await this.#tidy(isPointerKey(key) ? path : dirname(path));
      return true;
    });
  }

  async time({ signal }: Abortable = {}): Promise<number> {
    throwIfAborted(signal);
    try {
      return await this.#told('reading the clock', async () => (await this.#open()).stage.time());
    } catch (error) {
      if (error instanceof ArtError && error.code === 'REMOTE_DENIED') return this.#now();
      throw error;
    }
  }

  async inspect({ signal }: Abortable = {}): Promise<readonly Checked[]> {
    throwIfAborted(signal);
    const ok = await this.#told('trying a hard link', async () => (await this.#open()).stage.hasLinks());
    const without = 'this file system has no hard links: nothing would stop two writers at once';
    const detail = ok ? 'a name is given to one writer only' : without;
    return [{ check: 'hard links', ok, detail, needed: 'sharing' }];
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #open(): Promise<{ readonly root: string; readonly fs: FolderFs; readonly stage: Stage }> {
    if (this.#opened !== undefined) return this.#opened;
    try {
      const root = await farFs.realpath(this.url);
      if (!(await farFs.stat(root)).isDirectory()) {
        throw new ArtError('BUCKET_NOT_FOUND', `${JSON.stringify(this.url)} is a file, not a folder`);
      }
      const fs = this.#fs ?? (await fsFor(root));
      this.#opened = { root, fs, stage: new Stage(root, fs) };
      return this.#opened;
    } catch (error) {
      throw errnoOf(error) === 'ENOENT' ? folderMissing(this.url, error) : error;
    }
  }

  /** Where a key lies; undefined if the folder it would lie in is not there. A link on the way out is refused. */
  async #inside(key: string): Promise<string | undefined> {
    const { root, fs } = await this.#open();
    const path = await this.#standing(key);
    if (path === undefined && (await find(fs, root)) === undefined) throw folderMissing(this.url);
    return path;
  }

  /** As `inside`, where the bucket's own folder was just seen to be there. */
  async #standing(key: string): Promise<string | undefined> {
    const { root, fs } = await this.#open();
    const path = join(root, key);
    const folder = isPointerKey(key) ? path : dirname(path);
    const real = await fs.realpath(folder).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
      throw error;
    });
    if (real === undefined) return undefined;
    if (real === folder) return path;
    throw new ArtError(
      'REMOTE_FAILED',
      `${JSON.stringify(folder)} is reached through a link, which is not followed`,
    );
  }

  async #swap(key: string, body: Body, tag: Tag | undefined, signal?: AbortSignal): Promise<Tag | undefined> {
    return this.#told(`writing ${key}`, async () => {
      const { root, stage } = await this.#open();
      throwIfAborted(signal);
      await this.#inside(key);
      return swap(stage, join(root, key), tag, body, signal);
    });
  }

  async #getPointer(folder: string, range: ByteRange | undefined): Promise<Got | undefined> {
    const { fs, stage } = await this.#open();
    const current = await currentOf(fs, folder);
    if (current === undefined) return undefined;
    await stage.settle(current.path);
    const { tag, size, bytes, path } = current;
    const whole = range ?? { offset: 0, length: size };
    return {
      tag,
      size,
      body: bytes === undefined ? this.#pieces(path, whole) : bytesBody(bytes).open(whole),
    };
  }

  async #getFile(path: string, options: GetOptions): Promise<Got | undefined> {
    const { range } = options;
    const { fs, stage } = await this.#open();
    const handle = await openFile(fs, path);
    if (handle === undefined) return undefined;
    try {
      await stage.settle(path);
      const found = await handle.stat();
      const offset = Math.min(range?.offset ?? 0, found.size);
      const length = Math.min(range?.length ?? found.size, found.size - offset);
      const whole = { offset, length };
      if (length > PIECE_BYTES) {
        // Opened again when it is read: what nobody reads holds no file open.
        return { tag: tagOf(found), size: found.size, body: this.#pieces(path, whole, options) };
      }
      const into = options.into ?? Buffer.allocUnsafeSlow(length);
      const bytes = await readAll(readFile(handle, path, whole, { ...options, into }), PIECE_BYTES, { into });
      return { tag: tagOf(found), size: found.size, body: bytesBody(bytes ?? new Uint8Array(0)).open() };
    } finally {
      await handle.close();
    }
  }

  async *#pieces(path: string, range: ByteRange, options: GetOptions = {}): AsyncGenerator<Uint8Array> {
    try {
      const handle = await openFile((await this.#open()).fs, path);
      if (handle === undefined)
        throw new ArtError('REMOTE_FAILED', `${JSON.stringify(path)} was removed meanwhile`);
      try {
        yield* readFile(handle, path, range, options);
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw folderError(error, this.url, 'reading');
    }
  }

  /** Syncs a folder that something was removed from, and removes it and those above if they are empty now. */
  async #tidy(folder: string): Promise<void> {
    const { root, fs } = await this.#open();
    for (let at = folder; ; at = dirname(at)) {
      await syncFolder(fs, at).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error;
      });
      // Not empty, or removed by another: either way it is as it should be.
      if (
        at === root ||
        !(await fs.rmdir(at).then(
          () => true,
          () => false,
        ))
      )
        return;
    }
  }

  async #told<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw folderError(error, this.url, doing);
    }
  }
}

function checked(key: string): string {
  assert(isKey(key), `not a key: ${JSON.stringify(key)}`);
  return key;
}

/** Objects are written once: size and time tell one from what may be put in its place. */
function tagOf(found: { readonly size: number; readonly mtimeMs: number }): Tag;
function tagOf(found: { readonly size: number; readonly mtimeMs: number } | undefined): Tag | undefined;
function tagOf(found: { readonly size: number; readonly mtimeMs: number } | undefined): Tag | undefined {
  return found && `${found.size}-${Math.floor(found.mtimeMs)}`;
}
