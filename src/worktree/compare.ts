/** Tells how a folder differs from a tree: what `status`, `verify` and `diff` show. */
import { realpathSync } from 'node:fs';
import { compareUtf8, fileError, isArtError } from '#base';
import { FILE, FOLDER, REFERENCE, type Digest, type MapEntry } from '#object';
import type { NodeSource } from '#store';
import { ContentReader } from './content-reader.ts';
import { IRREGULAR, findStats, type DiskEntry } from './disk-entry.ts';
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
  /**
   * `absent` (for `status`: what the next version would leave out counts as removed), or `compared` (for `verify`:
   * what the tree has is looked at all the same, other ignored files are no difference). Default `absent`.
   */
  readonly ignored?: 'absent' | 'compared';
}

/** One difference, as seen from the tree: `added` is on the disk alone. */
export interface FolderChange {
  /** That of an empty folder ends in a slash. */
  readonly path: string;
  readonly change: 'added' | 'modified' | 'removed';
  /** Bytes; absent where there is nothing. */
  readonly sizeBefore?: number;
  readonly sizeAfter?: number;
  /** What the tree has there; a view of its leaf. */
  readonly wanted?: MapEntry;
  /** What lies there on the disk; absent for a name that is not UTF-8. */
  readonly found?: DiskEntry;
}

/**
 * Yields what differs between `dir` and the tree, in key order, in batches. The exec bit and a link's target count.
 * A socket or pipe counts as added; a reference only has to exist.
 * A `dir` that does not exist is empty. Raises FILE_UNREADABLE, TREE_UNSAFE, INTERRUPTED.
 */
export async function* compareFolder(
  options: CompareOptions,
): AsyncGenerator<readonly FolderChange[], void, undefined> {
  const filter = new PathFilter(options.paths);
  const work = new Work(options);
  const invalid: string[] = [];
  using cache = options.statCache === undefined ? undefined : StatCacheReader.open(options.statCache);
  using disk = new DiskWalk(batchesOf(options, filter, invalid));
  await using tree = await TreeWalk.open(options.source, options.tree, filter);
  const content = new DiskContent(readerFor(options, work), cache);
  let changes: FolderChange[] = [];
  for (let n = 0; disk.entry !== undefined || tree.path !== undefined; n++) {
    const side = sideOf(disk.path, tree.path);
    const wanted = side === 'disk' ? undefined : tree.entry;
    const found = side === 'tree' ? disk.inIgnoredFolder(tree.path!) : disk.entry;
    const path = (found?.path ?? tree.path)!;
    if (found !== undefined && wanted !== undefined) {
      content.stand(found);
      const same = equal(content, found, wanted);
      if (!(same instanceof Promise ? await same : same)) changes.push(changeOf(path, found, wanted));
    } else if (
      found !== undefined
        ? !found.ignored && filter.matches(path) && !wasFilled(found, tree.path)
        : isMissing(options.dir, path, wanted!)
    ) {
      changes.push(changeOf(path, found, wanted));
    }
    if (side !== 'tree') disk.advance();
    const more = wanted === undefined ? undefined : tree.advance();
    if (more !== undefined) await more;
    work.files++;
    if (changes.length >= CHANGES_A_BATCH) {
      yield changes;
      changes = [];
    }
    const turn = n % ENTRIES_A_LOOK === 0 ? work.turn() : undefined;
    if (turn !== undefined) await turn;
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

function* batchesOf(
  options: CompareOptions,
  filter: PathFilter,
  invalid: string[],
): Generator<DiskEntry[], void> {
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
    ignored: options.ignored === 'compared' ? 'report' : 'skip',
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

function sideOf(disk: string | undefined, tree: string | undefined): 'disk' | 'tree' | 'both' {
  if (disk === tree) return 'both';
  if (disk === undefined) return 'tree';
  return tree === undefined || compareUtf8(disk, tree) < 0 ? 'disk' : 'tree';
}

function equal(content: DiskContent, found: DiskEntry, wanted: MapEntry): boolean | Promise<boolean> {
  if (found.kind === IRREGULAR) return false;
  if (wanted.kind === REFERENCE) return found.kind === FILE;
  if (found.executable !== wanted.executable && wanted.kind === FILE) return false;
  try {
    const reading = content.resolve(wanted);
    if (reading === undefined) return content.equals(wanted);
    return reading.then(() => content.equals(wanted), changedMeanwhile);
  } catch (error) {
    return changedMeanwhile(error);
  }
}

/** A file that somebody is writing is not what the tree says. */
function changedMeanwhile(error: unknown): false {
  if (isArtError(error, 'FILE_CHANGED')) return false;
  throw error;
}

/** An empty folder is new only if the tree has nothing in it, which would come next: else what went is the difference. */
function wasFilled({ kind, path }: DiskEntry, next: string | undefined): boolean {
  return kind === FOLDER && next?.startsWith(path) === true;
}

/** An empty folder is missing only if it is gone: with files in it, those are the difference. */
function isMissing(dir: string, path: string, wanted: MapEntry): boolean {
  if (wanted.kind !== FOLDER) return true;
  return findStats(`${dir}/${path.slice(0, -1)}`)?.isDirectory() !== true;
}

function changeOf(path: string, found: DiskEntry | undefined, wanted: MapEntry | undefined): FolderChange {
  if (found === undefined) return { path, change: 'removed', sizeBefore: wanted!.size, wanted: wanted! };
  if (wanted === undefined) return { path, change: 'added', sizeAfter: found.size, found };
  return { path, change: 'modified', sizeBefore: wanted.size, sizeAfter: found.size, wanted, found };
}
