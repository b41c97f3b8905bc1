/** Reads files whole and unchanged, and names what is in them; stores their chunks when given where to. */
import { closeSync, constants, fstatSync, lstatSync, openSync, read, readSync, readlinkSync } from 'node:fs';
import { ArtError, errnoOf, nextTurn, throwIfAborted, utf8 } from '#base';
import { CHUNK_BYTES_MAX, Chunker, FILE, FileNodeBuilder, contentHasher, hash, type Digest } from '#object';
import { sameFingerprint, type DiskEntry } from './disk-entry.ts';

// A pipe that took the file's place must not make us wait, nor a link lead us elsewhere.
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const ATTEMPTS = 3;

export interface ContentSink {
  chunk(digest: Digest, bytes: Uint8Array): void;
  node(digest: Digest, bytes: Uint8Array): void;
}

export interface ContentReaderOptions {
  /** Takes chunks and file nodes, children first; without it content is only named. */
  readonly sink?: ContentSink;
  /** Called about every 4 MiB of a large file: the place to let others have their turn. */
  readonly pause?: (bytesRead: number) => Promise<void> | undefined;
  readonly signal?: AbortSignal;
}

/** Reads one file at a time; buffers are made once. */
export class ContentReader {
  readonly #sink: ContentSink | undefined;
  readonly #pause: ((bytesRead: number) => Promise<void> | undefined) | undefined;
  readonly #signal: AbortSignal | undefined;
  /** One byte more than a small file may have, to see that it grew. */
  readonly #small = Buffer.allocUnsafeSlow(CHUNK_BYTES_MAX + 1);
  #chunker: Chunker | undefined;
  #hasher: ReturnType<typeof contentHasher> | undefined;

  constructor(options: ContentReaderOptions = {}) {
    this.#sink = options.sink;
    this.#pause = options.pause;
    this.#signal = options.signal;
  }

  /**
   * The digest a tree entry has for the file `entry`: at once for a small one. A file that changes meanwhile is read
   * again, its new stat taken over into `entry`, and refused with FILE_CHANGED when it does not come to rest.
   * Raises FILE_UNREADABLE if it cannot be read.
   */
  digestOf(entry: DiskEntry): Digest | Promise<Digest> {
    if (entry.size > CHUNK_BYTES_MAX) return this.#patiently(entry);
    return this.#guarded(entry, () => this.#readSmall(entry)) ?? this.#patiently(entry);
  }

  /** A link's target as bytes. */
  targetOf(entry: DiskEntry): Uint8Array {
    const target = this.#guarded(entry, () => {
      const text = readlinkSync(entry.absolute);
      return text.includes('\ufffd') ? readlinkSync(entry.absolute, { encoding: 'buffer' }) : utf8(text);
    });
    if (target === undefined) throw changed(entry);
    return target;
  }

  async #patiently(entry: DiskEntry): Promise<Digest> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) {
        await nextTurn();
        const isFile = this.#guarded(
          entry,
          () => entry.learn(lstatSync(entry.absolute)) && entry.kind === FILE,
        );
        if (isFile !== true) break;
      }
      const digest =
        entry.size > CHUNK_BYTES_MAX
          ? await this.#readLarge(entry)
          : this.#guarded(entry, () => this.#readSmall(entry));
      if (digest !== undefined) return digest;
    }
    throw changed(entry);
  }

  /** Undefined if the file is not, or is no longer, what `entry` says. */
  #readSmall(entry: DiskEntry): Digest | undefined {
    const fd = openSync(entry.absolute, READ_FLAGS);
    let got: number;
    try {
      got = readSync(fd, this.#small, 0, entry.size + 1, null);
      if (got !== entry.size || !sameFingerprint(fstatSync(fd), entry)) return undefined;
    } finally {
      closeSync(fd);
    }
    const bytes = this.#small.subarray(0, got);
    const digest = hash(bytes);
    this.#sink?.chunk(digest, bytes);
    return digest;
  }

  async #readLarge(entry: DiskEntry): Promise<Digest | undefined> {
    const fd = this.#guarded(entry, () => openSync(entry.absolute, READ_FLAGS));
    if (fd === undefined) return undefined;
    const chunker = (this.#chunker ??= new Chunker());
    const hasher = (this.#hasher ??= contentHasher());
    chunker.reset();
    hasher.reset();
    const node = new FileNodeBuilder((digest, bytes) => this.#sink?.node(digest, bytes));
    let space = chunker.space();
    let reading = readSome(fd, space);
    try {
      for (let done = 0, last = false; !last;) {
        const got = this.#guarded(entry, outcomeOf(await reading));
        if (got === undefined) return undefined;
        done += got;
        last = got === 0;
        // Some file systems end a file early and say nothing of it.
        if (last ? done !== entry.size : done > entry.size) return undefined;
        hasher.update(space.subarray(0, got));
        const count = chunker.take(got, { last });
        if (!last) reading = readSome(fd, (space = chunker.space()));
        for (let i = 0; i < count; i++) {
          const chunk = chunker.chunk(i);
          const digest = hash(chunk);
          this.#sink?.chunk(digest, chunk);
          node.add(digest, chunk.length);
        }
        throwIfAborted(this.#signal);
        const pause = this.#pause?.(got);
        if (pause !== undefined) await pause;
      }
      const after = this.#guarded(entry, () => fstatSync(fd));
      if (after === undefined || !sameFingerprint(after, entry)) return undefined;
      return node.finish({ content: hasher.digest() }).digest;
    } finally {
      await reading; // It would go on into a space that serves the next file.
      closeSync(fd);
    }
  }

  /** Does `work`; gives undefined if the file is no longer there as a file. */
  #guarded<T>(entry: DiskEntry, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || error instanceof ArtError) throw error;
      if (GONE.has(errno)) return undefined;
      const shown = JSON.stringify(entry.absolute);
      throw new ArtError('FILE_UNREADABLE', `cannot read ${shown} (${errno})`, { cause: error });
    }
  }
}

/** What the system says of a path that was a file or link a moment ago: vanished, replaced, a pipe without a writer. */
const GONE: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EISDIR',
  'ENXIO',
  'EAGAIN',
  'EINVAL',
]);

/** Reads ahead, beside the caller: gives how many bytes came, or what failed, and never rejects. */
function readSome(fd: number, space: Uint8Array): Promise<number | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    read(fd, space, 0, space.length, null, (error, got) => resolve(error ?? got));
  });
}

function outcomeOf(read: number | NodeJS.ErrnoException): () => number {
  return () => {
    if (typeof read === 'number') return read;
    throw read;
  };
}

function changed(entry: DiskEntry): ArtError {
  return new ArtError('FILE_CHANGED', `${JSON.stringify(entry.absolute)} changes while it is read`);
}
