/** Tells how a folder differs from a tree: what `status`, `verify` and `diff` show. */
import { lstatSync, realpathSync } from 'node:fs';
import { compareUtf8, fileError, isArtError } from '#base';
import { FILE, FOLDER, REFERENCE, type Digest, type MapEntry } from '#object';
import type { NodeSource } from '#store';
import { ContentReader } from './content-reader.ts';
import { IRREGULAR, type DiskEntry } from './disk-entry.ts';
import { DiskContent, DiskWalk } from './disk-walk.ts';
import { PathFilter } from './path-filter.ts';
import { Work, type Watched } from './progress.ts';
import { scan } from './scan.ts';
import { StatCacheReader } from './stat-cache.ts';
import { TreeWalk } from './tree-walk.ts';

const CHANGES_A_BATCH = 256;
const ENTRIES_A_LOOK = 64;

export interface CompareOptions extends Watched {
  /** Absolute; a link that stands there itself is followed. */
  readonly dir: string;
  /** The root of a tree; undefined for an empty one. */
  readonly tree: Digest | undefined;
  readonly source: NodeSource;
  /** Tells what need not be read; absent (as in `verify`): every file of the same size is read. */
  readonly statCache?: string;
  readonly tmpDir: string;
  readonly stopAt?: string;
  readonly paths?: readonly string[];
}

/** One difference, as seen from the tree: `added` is on the disk alone. */
export interface FolderChange {
  /** That of an empty folder ends in a slash. */
  readonly path: string;
  readonly change: 'added' | 'modified' | 'removed';
  /** Bytes; absent where there is nothing. */
  readonly sizeBefore?: number;
  readonly sizeAfter?: number;
}

/**
 * Yields what differs between `dir` and the tree, in key order, in batches. The exec bit and a link's target count.
 * What `.artignore` leaves out is not there. A socket or pipe counts as added; a reference only has to exist.
 * A `dir` that does not exist is empty. Raises FILE_UNREADABLE, TREE_UNSAFE, INTERRUPTED.
 */
export async function* compareFolder(options: CompareOptions): AsyncGenerator<readonly FolderChange[], void, undefined> {
  const filter = new PathFilter(options.paths);
  const work = new Work(options);
  const invalid: string[] = [];
  using cache = options.statCache === undefined ? undefined : StatCacheReader.open(options.statCache);
  using disk = new DiskWalk(batchesOf(options, filter, invalid));
  await using tree = await TreeWalk.open(options.source, options.tree, filter);
  const content = new DiskContent(readerFor(options, work), cache);
  let changes: FolderChange[] = [];
  for (let n = 0; disk.entry !== undefined || tree.path !== undefined; n++) {
    const change = await step(disk, tree, content);
    if (change !== undefined) changes.push(change);
    work.files++;
    if (changes.length >= CHANGES_A_BATCH) {
      yield changes;
      changes = [];
    }
    if (n % ENTRIES_A_LOOK === 0) await work.turn();
  }
  changes.push(...invalid.map((path) => ({ path, change: 'added' }) as const));
  work.end();
  if (changes.length > 0) yield changes;
}

/** Whether `dir` holds exactly the tree: stops at the first difference. */
export async function folderEquals(options: CompareOptions): Promise<boolean> {
  for await (const changes of compareFolder(options)) if (changes.length > 0) return false;
  return true;
}

function* batchesOf(options: CompareOptions, filter: PathFilter, invalid: string[]): Generator<DiskEntry[], void> {
  let folder: string;
  try {
    folder = realpathSync(options.dir);
  } catch (error) {
    const known = fileError(error, options.dir);
    if (isArtError(known, 'PATH_NOT_FOUND')) return;
    throw known;
  }
  yield* scan({
    folder,
    tmpDir: options.tmpDir,
    filter,
    irregular: 'report',
    onInvalid: (path) => invalid.push(path),
    ...(options.stopAt === undefined ? {} : { stopAt: options.stopAt }),
  });
}

function readerFor(options: CompareOptions, work: Work): ContentReader {
  const { signal } = options;
  return new ContentReader({
    pause: (bytes) => {
      work.bytes += bytes;
      return work.turn({ now: true });
    },
    ...(signal === undefined ? {} : { signal }),
  });
}
