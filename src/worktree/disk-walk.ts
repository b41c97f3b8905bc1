/** Steps through what is on the disk entry by entry, and tells whether its content is what a tree says. */
import { equalBytes } from '#base';
import { FILE, FOLDER, REFERENCE, SYMLINK, type Digest, type MapEntry } from '#object';
import type { ContentReader } from './content-reader.ts';
import { DiskEntry, findStats } from './disk-entry.ts';
import type { StatCacheReader } from './stat-cache.ts';

export class DiskWalk implements Disposable {
  /** Where it stands; undefined once past the end. */
  entry: DiskEntry | undefined;
  readonly #batches: Generator<readonly DiskEntry[], void>;
  #batch: readonly DiskEntry[] = [];
  #at = -1;
  #ignoredFolder: DiskEntry | undefined;

  constructor(batches: Generator<readonly DiskEntry[], void>) {
    this.#batches = batches;
    this.advance();
  }

  get path(): string | undefined {
    return this.entry?.path;
  }

  advance(): void {
    if (this.entry?.ignored === true && this.entry.kind === FOLDER) this.#ignoredFolder = this.entry;
    while (++this.#at >= this.#batch.length) {
      const next = this.#batches.next();
      if (next.done === true) {
        this.entry = undefined;
        return;
      }
      this.#batch = next.value;
      this.#at = -1;
    }
    this.entry = this.#batch[this.#at];
  }

  /** What lies at `path` in the ignored folder passed last, into which no scan goes; undefined outside of it. */
  inIgnoredFolder(path: string): DiskEntry | undefined {
    const folder = this.#ignoredFolder;
    if (folder === undefined || !path.startsWith(folder.path)) return undefined;
    const entry = new DiskEntry(path, folder.absolute + path.slice(folder.path.length), FOLDER);
    const stats = findStats(entry.absolute.replace(/\/$/, ''));
    if (stats === undefined || entry.learn(stats) === path.endsWith('/')) return undefined;
    entry.ignored = true;
    return entry;
  }

  [Symbol.dispose](): void {
    this.#batches.return();
  }
}

/** The content of one file on the disk, read only if it may matter and the stat cache does not know it. */
export class DiskContent {
  readonly #content: ContentReader;
  readonly #cache: StatCacheReader | undefined;
  #entry: DiskEntry | undefined;
  #digest: Digest | undefined;
  #target: Uint8Array | undefined;
  #recalled = false;

  constructor(content: ContentReader, cache: StatCacheReader | undefined) {
    this.#content = content;
    this.#cache = cache;
  }

  /** Turns to `entry` and looks it up in the stat cache; in key order. */
  stand(entry: DiskEntry): void {
    const row = entry.kind === FILE ? this.#cache?.recall(entry) : undefined;
    this.#entry = entry;
    this.#digest = row?.digest;
    this.#target = undefined;
    this.#recalled = row !== undefined;
  }

  /** The digest that the stat cache knew. */
  get recalled(): Digest | undefined {
    return this.#recalled ? this.#digest : undefined;
  }

  /** Reads the file if one of `candidates` could have its content; wait for what it gives before asking `equals`. */
  resolve(...candidates: readonly (MapEntry | undefined)[]): Promise<void> | undefined {
    const entry = this.#entry!;
    if (entry.kind === SYMLINK) {
      if (candidates.some((candidate) => candidate?.kind === SYMLINK))
        this.#target ??= this.#content.targetOf(entry);
      return undefined;
    }
    const unknown = entry.kind === FILE && this.#digest === undefined;
    if (!unknown || !candidates.some((other) => other?.kind === FILE && other.size === entry.size))
      return undefined;
    const digest = this.#content.digestOf(entry);
    if (digest instanceof Promise) return digest.then((found) => void (this.#digest = found));
    this.#digest = digest;
    return undefined;
  }

  /** Whether the file stood at has the content of `other`, which `resolve` was told of; the exec bit is no content. */
  equals(other: MapEntry | undefined): boolean {
    const entry = this.#entry!;
    if (other === undefined || other.kind === REFERENCE || entry.kind !== other.kind) return false;
    if (entry.kind === FOLDER) return true;
    if (entry.kind === SYMLINK) return this.#target !== undefined && equalBytes(this.#target, other.extra);
    return entry.size === other.size && this.#digest !== undefined && equalBytes(this.#digest, other.digest);
  }
}
