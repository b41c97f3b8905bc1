/** Steps through what is on the disk entry by entry, and tells whether its content is what a tree says. */
import { equalBytes } from '#base';
import { FILE, FOLDER, REFERENCE, SYMLINK, type Digest, type MapEntry } from '#object';
import type { ContentReader } from './content-reader.ts';
import type { DiskEntry } from './disk-entry.ts';
import type { StatCacheReader } from './stat-cache.ts';

export class DiskWalk implements Disposable {
  /** Where it stands; undefined once past the end. */
  entry: DiskEntry | undefined;
  readonly #batches: Generator<readonly DiskEntry[], void>;
  #batch: readonly DiskEntry[] = [];
  #at = -1;

  constructor(batches: Generator<readonly DiskEntry[], void>) {
    this.#batches = batches;
    this.advance();
  }

  get path(): string | undefined {
    return this.entry?.path;
  }

  advance(): void {
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

  [Symbol.dispose](): void {
    this.#batches.return();
  }
}

/** The content of one file on the disk, read when first asked for and only if the stat cache does not know it. */
export class DiskContent {
  readonly #content: ContentReader;
  readonly #cache: StatCacheReader | undefined;
  #entry: DiskEntry | undefined;
  #digest: Digest | undefined;
  /** Whether the digest of the entry last asked about came from the stat cache. */
  recalled = false;

  constructor(content: ContentReader, cache: StatCacheReader | undefined) {
    this.#content = content;
    this.#cache = cache;
  }

  /** Looks `entry` up in the stat cache; call it for each in key order. */
  stand(entry: DiskEntry): void {
    this.#entry = entry;
    const row = entry.kind === FILE && !entry.ignored ? this.#cache?.recall(entry) : undefined;
    this.#digest = row?.digest;
    this.recalled = row !== undefined;
  }

  /** What is known of its content without reading: undefined if nothing. */
  get known(): Digest | undefined {
    return this.#digest;
  }

  /** Whether `wanted` has the content of the file stood at; the exec bit is not part of that. */
  equals(wanted: MapEntry | undefined): boolean | Promise<boolean> {
    const entry = this.#entry;
    if (wanted === undefined || entry === undefined) return false;
    if (wanted.kind === FOLDER) return entry.kind === FOLDER;
    if (wanted.kind === REFERENCE || entry.kind !== wanted.kind) return false;
    if (entry.kind === SYMLINK) return equalBytes(this.#content.targetOf(entry), wanted.extra);
    if (entry.size !== wanted.size) return false;
    if (this.#digest !== undefined) return equalBytes(this.#digest, wanted.digest);
    const digest = this.#content.digestOf(entry);
    if (digest instanceof Promise) return digest.then((found) => this.#learned(found, wanted));
    return this.#learned(digest, wanted);
  }

  #learned(digest: Digest, wanted: MapEntry): boolean {
    this.#digest = digest;
    return equalBytes(digest, wanted.digest);
  }
}
