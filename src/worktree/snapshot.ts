/** Turns folders and files into a tree: scan them, recall what is unchanged, store what is not, build. */
import { realpathSync, lstatSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { ArtError, EMPTY_BYTES, compareUtf8, fileError } from '#base';
import { CHUNK, FILE, FOLDER, NODE, SYMLINK, contentKind, hash, type Digest, type MapEntry } from '#object';
import type { Transaction } from '#store';
import { MapBuilder, type MapRoot } from '#tree';
import { fileSystemNow } from './clock.ts';
import { ContentReader } from './content-reader.ts';
import { DiskEntry, IRREGULAR } from './disk-entry.ts';
import { checkTreePath } from './paths.ts';
import { Work, type Watched } from './progress.ts';
import { scan } from './scan.ts';
import { StatCacheReader } from './stat-cache.ts';
import { StatCacheWriter } from './stat-cache-writer.ts';
import type { StatRow } from './stat-row.ts';

/** So many small files between two looks at the clock: at most 8 MiB. */
const FILES_A_LOOK = 32;

export interface SnapshotSource {
  /** Absolute; a link that stands there itself is followed. */
  readonly path: string;
  /** Where it goes in the tree: a path without a slash at its end, or '' for a folder whose contents are the root. */
  readonly dest: string;
}

export interface SnapshotOptions extends Watched {
  /** None may lie inside another's dest. */
  readonly sources: readonly SnapshotSource[];
  readonly tx: Transaction;
  /** A file to recall unchanged files from, and to write for the next time; absent: everything is read. */
  readonly statCache?: string;
  /** Same file system as `statCache`; takes files that live as long as this call. */
  readonly tmpDir: string;
  /** The repository's root: where `.artignore` files stop to count. */
  readonly stopAt?: string;
  /** Told of each folder that is left out because it is a repository of its own. */
  readonly onRepository?: (path: string) => void;
  /** For tests: so many names of one folder are sorted in memory. */
  readonly namesMax?: number;
}

/** Dispose of it when done: until it is published the stat cache vouches for nothing that it names. */
export interface Snapshot extends Disposable {
  readonly root: MapRoot;
  /** Files and links. */
  readonly files: number;
  readonly bytes: number;
  /** Those of them that were not read, because the stat cache knew them. */
  readonly recalled: number;
  /** Says that the transaction was published: what the stat cache names is in the store from now on. */
  published(): void;
}

/** The epoch of a stat cache whose files may not be in the store: no store is ever in it, so that each is looked up. */
const NO_EPOCH = -1;

/**
 * Stores what `sources` hold as a tree, in one transaction that the caller publishes. Exec bit, links and empty
 * folders are kept; owners, other mode bits and times are not.
 * Raises PATH_NOT_FOUND, FILE_CHANGED, FILE_UNREADABLE, FILE_UNSUPPORTED, PATH_INVALID_UTF8, USAGE (overlapping
 * dests), TREE_UNSAFE (an impossible dest), INTERRUPTED.
 */
export async function snapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { tx, statCache, tmpDir } = options;
  const stamp = fileSystemNow(tmpDir);
  const next = statCache === undefined ? undefined : new StatCacheWriter(statCache, tmpDir);
  try {
    using cache = statCache === undefined ? undefined : StatCacheReader.open(statCache);
    const pass = new SnapshotPass(options, cache, next);
    for (const source of located(options.sources)) await pass.add(source);
    return {
      ...pass.finish(),
      published: () => next?.finish({ epoch: tx.epoch, stamp }),
      [Symbol.dispose]: () => next?.finish({ epoch: NO_EPOCH, stamp }),
    };
  } catch (error) {
    next?.[Symbol.dispose]();
    throw error;
  }
}

/** A source with the link followed that stands there. */
export interface Located extends SnapshotSource {
  readonly isFolder: boolean;
  readonly size: number;
}

/** In key order, links that were named followed. Raises PATH_NOT_FOUND, USAGE, TREE_UNSAFE. */
export function located(sources: readonly SnapshotSource[]): Located[] {
  const found = sources.map(({ path, dest }) => {
    if (dest !== '') checkTreePath(dest, { git: true });
    const real = followed(path);
    const stats = lstatSync(real);
    return { path: real, dest, isFolder: stats.isDirectory(), size: stats.size };
  });
  const key = ({ dest, isFolder }: Located) => (isFolder && dest !== '' ? `${dest}/` : dest);
  found.sort((a, b) => compareUtf8(key(a), key(b)));
  const dests = found.map(({ dest }) => dest).sort(compareUtf8);
  const taken = new Set<string>();
  for (const dest of dests) {
    for (let above = dest; ; above = dirname(above)) {
      if (taken.has(above)) throw new ArtError('USAGE', `two things would go to "${dest}" in one version`);
      if (above === '' || !above.includes('/')) break;
    }
    taken.add(dest);
  }
  if (found.length > 1 && taken.has('')) throw new ArtError('USAGE', 'a folder taken as the root goes alone');
  return found;
}

function followed(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

/** One snapshot under way: one entry object and one key buffer serve all files. */
class SnapshotPass {
  readonly #options: SnapshotOptions;
  readonly #cache: StatCacheReader | undefined;
  readonly #next: StatCacheWriter | undefined;
  readonly #cacheIsCurrent: boolean;
  readonly #builder: MapBuilder;
  readonly #content: ContentReader;
  readonly #work: Work;
  readonly #entry: { -readonly [K in keyof MapEntry]: MapEntry[K] };
  /** What an entry says that has no content: a folder. */
  readonly #emptyDigest = hash(EMPTY_BYTES);
  #key = Buffer.allocUnsafe(4096);
  #recalled = 0;

  constructor(
    options: SnapshotOptions,
    cache: StatCacheReader | undefined,
    next: StatCacheWriter | undefined,
  ) {
    const { tx, signal } = options;
    this.#options = options;
    this.#cache = cache;
    this.#next = next;
    this.#cacheIsCurrent = cache?.epoch === tx.epoch;
    this.#builder = new MapBuilder(tx);
    this.#work = new Work(options, { rest: () => tx.breathe() });
    this.#content = new ContentReader({
      sink: {
        chunk: (digest, bytes) => void tx.put(CHUNK, digest, bytes),
        node: (digest, bytes) => void tx.put(NODE, digest, bytes),
      },
      pause: (bytes) => this.#paused(bytes),
      ...(signal === undefined ? {} : { signal }),
    });
    const nothing = { key: EMPTY_BYTES, digest: this.#emptyDigest, extra: EMPTY_BYTES };
    this.#entry = { ...nothing, kind: FILE, executable: false, size: 0 };
  }

  async add(source: Located): Promise<void> {
    const { tmpDir, stopAt, namesMax, onRepository } = this.#options;
    if (!source.isFolder) return this.#addBatch([single(source)]);
    const batches = scan({
      folder: source.path,
      dest: source.dest === '' ? '' : `${source.dest}/`,
      tmpDir,
      irregular: 'refuse',
      ...(stopAt === undefined ? {} : { stopAt }),
      ...(namesMax === undefined ? {} : { namesMax }),
      ...(onRepository === undefined ? {} : { onRepository }),
    });
    for (const batch of batches) await this.#addBatch(batch);
  }

  finish(): Omit<Snapshot, 'published' | typeof Symbol.dispose> {
    const root = this.#builder.finish();
    this.#work.end();
    return { root, files: this.#work.files, bytes: root.bytes, recalled: this.#recalled };
  }

  async #addBatch(batch: readonly DiskEntry[]): Promise<void> {
    let n = 0;
    for (const found of batch) {
      const row = found.kind === FOLDER ? undefined : this.#recall(found);
      if (row !== undefined) this.#put(found, row.digest, row.target);
      else if (found.kind === FILE) {
        const before = this.#work.bytes;
        const digest = this.#content.digestOf(found);
        this.#put(found, digest instanceof Uint8Array ? digest : await digest, EMPTY_BYTES, before);
      } else this.#addOther(found);
      if (++n % FILES_A_LOOK === 0) {
        const turn = this.#work.turn();
        if (turn !== undefined) await turn;
      }
    }
    const turn = this.#work.turn();
    if (turn !== undefined) await turn;
  }

  #addOther(found: DiskEntry): void {
    if (found.kind === FOLDER) return this.#put(found, this.#emptyDigest, EMPTY_BYTES);
    const target = this.#content.targetOf(found);
    found.size = target.length;
    this.#put(found, hash(target), target);
  }

  #recall(found: DiskEntry): StatRow | undefined {
    const row = this.#cache?.recall(found);
    if (row === undefined) return undefined;
    if (row.kind === FILE) {
      const { tx } = this.#options;
      const kind = contentKind(row.size);
      if (this.#cacheIsCurrent) tx.rely(kind, row.digest);
      else if (!tx.has(kind, row.digest)) return undefined;
    }
    this.#recalled++;
    return row;
  }

  #put(found: DiskEntry, digest: Digest, target: Uint8Array, bytesBefore = this.#work.bytes): void {
    const { path } = found;
    if (path.length * 3 > this.#key.length) this.#key = Buffer.allocUnsafe(path.length * 3);
    const entry = this.#entry;
    entry.key = this.#key.subarray(0, this.#key.write(path, 0, 'utf8'));
    entry.kind = found.kind === IRREGULAR ? FILE : found.kind;
    entry.executable = found.executable;
    entry.size = found.size;
    entry.digest = digest;
    entry.extra = target;
    this.#builder.add(entry);
    if (found.kind === FOLDER) return;
    this.#work.files++;
    this.#work.bytes = bytesBefore + found.size;
    this.#next?.add(path, found.kind, found.executable, found, digest, target);
  }

  #paused(bytes: number): Promise<void> | undefined {
    this.#work.bytes += bytes;
    return this.#work.turn({ now: true });
  }
}

function single({ path, dest }: Located): DiskEntry {
  const entry = new DiskEntry(dest === '' ? basename(path) : dest, path, SYMLINK);
  entry.learn(lstatSync(path));
  if (entry.kind === IRREGULAR) {
    throw new ArtError('FILE_UNSUPPORTED', `${JSON.stringify(path)} is ${entry.irregularity}`);
  }
  return entry;
}

/** The sources that commit several paths under their base names. */
export function sourcesByName(paths: readonly string[]): SnapshotSource[] {
  return paths.map((path) => ({ path, dest: basename(resolve(path)) }));
}
