/** Walks a folder in the order of a tree's keys and tells what is in it, in batches. */
import { lstatSync } from 'node:fs';
import { ArtError, errnoOf } from '#base';
import { FOLDER, SYMLINK } from '#object';
import { DiskEntry, IRREGULAR } from './disk-entry.ts';
import { escapeName, readNames } from './folder-names.ts';
import { IgnoreRules, readRules, rulesAbove } from './ignore.ts';
import { PathFilter } from './path-filter.ts';
import { mayBeReserved, reservedName } from './paths.ts';

const BATCH = 512;
/** What the root of a repository has beside the files; neither is ever part of a version. */
const ROOT_FILES: ReadonlySet<string> = new Set(['art.toml', 'art.lock']);
const NOTHING: DiskEntry[] = [];

export interface ScanOptions {
  /** The folder, absolute, without links in it. */
  readonly folder: string;
  /** What paths begin with: '' or a folder of the tree with its slash. */
  readonly dest?: string;
  /** Takes the sorted runs of very large folders. */
  readonly tmpDir: string;
  /** The repository's root: `.artignore` files count from there down, and its own two files are left out. */
  readonly stopAt?: string;
  /** Looks at these paths and the files that stand where one of their folders should be. */
  readonly filter?: PathFilter;
  /**
   * `refuse`: what no version can hold is an error (FILE_UNSUPPORTED, PATH_INVALID_UTF8), and so is what vanishes
   * meanwhile (FILE_CHANGED). `report`: the first comes as an IRREGULAR entry (but for names that are not UTF-8, which
   * `onInvalid` is told of), the second not at all.
   */
  readonly irregular: 'refuse' | 'report';
  /** Gives what is left out too, marked `ignored`; an ignored folder as itself, not what is in it. */
  readonly ignored?: 'skip' | 'report';
  /** Told of each of our unfinished files. */
  readonly onTemporary?: (absolute: string) => void;
  /** Told of each folder that is a repository of its own: it is left out, as if it were ignored. */
  readonly onRepository?: (path: string) => void;
  /** Told of each path that is not UTF-8, its bytes escaped. */
  readonly onInvalid?: (path: string) => void;
  readonly namesMax?: number;
}

interface Frame {
  readonly folder: string;
  readonly prefix: string;
  readonly names: Iterator<string, undefined>;
  readonly rules: IgnoreRules | undefined;
  readonly isRepositoryRoot: boolean;
}

/**
 * Yields entries in key order, batches of at most a few hundred, now and then an empty one so that the caller can
 * give others a turn. Folders come as entries only when there is no name in them at all (our unfinished files do not
 * count): a folder of ignored files alone is not part of a version. Links are never followed.
 * Raises FILE_UNREADABLE naming what cannot be read.
 */
export function* scan(options: ScanOptions): Generator<DiskEntry[], void> {
  yield* new Scan(options).batches();
}

class Scan {
  readonly #options: ScanOptions;
  readonly #filter: PathFilter;
  readonly #dest: string;
  readonly #frames: Frame[] = [];
  #batch: DiskEntry[] = [];

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#filter = options.filter ?? new PathFilter();
    this.#dest = options.dest ?? '';
  }

  *batches(): Generator<DiskEntry[], void> {
    const { folder, stopAt } = this.#options;
    try {
      yield* this.#enter(withSlash(folder), this.#dest, rulesAbove(folder, stopAt), folder === stopAt);
      for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
        const next = frame.names.next();
        if (next.done === true) {
          this.#frames.pop();
          continue;
        }
        const name = next.value;
        if (name.charCodeAt(name.length - 1) === 0x2f) yield* this.#folder(frame, name);
        else this.#file(frame, name);
        if (this.#batch.length >= BATCH) yield this.#take();
      }
      if (this.#batch.length > 0) yield this.#take();
    } finally {
      for (const frame of this.#frames) frame.names.return?.();
    }
  }

  *#folder(frame: Frame, name: string): Generator<DiskEntry[], void> {
    const path = frame.prefix + name;
    if (!this.#filter.all && !this.#filter.reaches(path)) return;
    const absolute = frame.folder + name;
    if (this.#leftOut(frame, name, path)) this.#leaveOut(path, absolute);
    else yield* this.#enter(absolute, path, frame.rules, false);
  }

  #leaveOut(path: string, absolute: string): void {
    if (this.#options.ignored !== 'report') return;
    const entry = new DiskEntry(path, absolute, FOLDER);
    entry.ignored = true;
    this.#batch.push(entry);
  }

  #file(frame: Frame, name: string): void {
    const path = frame.prefix + name;
    if (!this.#filter.all && !this.#filter.matches(path) && !this.#filter.reaches(`${path}/`)) return;
    const ignored = this.#leftOut(frame, name, path);
    if (ignored && this.#options.ignored !== 'report') return;
    const entry = new DiskEntry(path, frame.folder + name, SYMLINK);
    let isFile: boolean;
    try {
      isFile = entry.learn(lstatSync(entry.absolute));
    } catch (error) {
      this.#cannotRead(error, entry.absolute);
      return;
    }
    if (!isFile) {
      if (this.#options.irregular === 'refuse') throw changed(entry.absolute);
      return;
    }
    entry.ignored = ignored;
    if (entry.kind === IRREGULAR && !ignored && this.#options.irregular === 'refuse') {
      throw new ArtError('FILE_UNSUPPORTED', `${JSON.stringify(entry.absolute)} is ${entry.irregularity}`);
    }
    this.#batch.push(entry);
  }

  #leftOut(frame: Frame, name: string, path: string): boolean {
    if (frame.isRepositoryRoot && ROOT_FILES.has(name)) return true;
    const plain = mayBeReserved(name) ? reservedName(name.replace(/\/$/, '')) : undefined;
    if (plain === 'art' || plain === 'temporary') return true;
    if (frame.rules === undefined) return plain === 'git';
    const verdict = frame.rules.verdict(path.slice(this.#dest.length));
    return verdict === 'ignored' || (plain === 'git' && verdict !== 'kept');
  }

  *#enter(
    folder: string,
    prefix: string,
    outer: IgnoreRules | undefined,
    isRepositoryRoot: boolean,
  ): Generator<DiskEntry[], void> {
    const reading = readNames(folder, this.#options);
    let step: ReturnType<typeof reading.next>;
    try {
      for (step = reading.next(); step.done !== true; step = reading.next()) yield NOTHING;
    } catch (error) {
      this.#cannotRead(error, folder.slice(0, -1));
      return;
    }
    const found = step.value;
    // Whoever names a folder means it; below it others keep what is theirs.
    if (found.isRepository && prefix !== this.#dest && folder.slice(0, -1) !== this.#options.stopAt) {
      found.names.return?.();
      this.#options.onRepository?.(prefix);
      this.#leaveOut(prefix, folder);
      return;
    }
    for (const name of found.temporary) this.#options.onTemporary?.(folder + name);
    if (found.invalid.length > 0 && this.#options.irregular === 'refuse') {
      const shown = escapeName(folder, found.invalid[0]);
      throw new ArtError('PATH_INVALID_UTF8', `the name "${shown}" is not valid UTF-8`);
    }
    for (const name of found.invalid) this.#options.onInvalid?.(escapeName(prefix, name));
    if (found.count === 0 && prefix !== '') this.#batch.push(new DiskEntry(prefix, folder, FOLDER));
    const text = found.hasIgnoreFile ? readRules(folder) : undefined;
    const place = { above: '', below: prefix.length - this.#dest.length };
    const rules = text === undefined ? outer : new IgnoreRules(text, place, outer);
    this.#frames.push({ folder, prefix, names: found.names, rules, isRepositoryRoot });
  }

  #cannotRead(error: unknown, absolute: string): void {
    const errno = errnoOf(error);
    if (errno === undefined || error instanceof ArtError) throw error;
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      if (this.#options.irregular === 'refuse') throw changed(absolute);
      return;
    }
    throw new ArtError('FILE_UNREADABLE', `cannot read ${JSON.stringify(absolute)} (${errno})`, {
      cause: error,
    });
  }

  #take(): DiskEntry[] {
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }
}

function changed(absolute: string): ArtError {
  return new ArtError('FILE_CHANGED', `${JSON.stringify(absolute)} vanished while its folder was read`);
}

function withSlash(folder: string): string {
  return folder.endsWith('/') ? folder : `${folder}/`;
}
