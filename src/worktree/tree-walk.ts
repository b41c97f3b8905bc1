/** Steps through a tree entry by entry, with paths as text, for merging with what is on the disk. */
import { ArtError, utf8 } from '#base';
import { FILE, FOLDER, REFERENCE, SYMLINK, type Digest, type MapEntry } from '#object';
import type { NodeSource } from '#store';
import { entries } from '#tree';
import type { PathFilter } from './path-filter.ts';
import { textOfKey } from './paths.ts';

const NONE: readonly MapEntry[] = [];

export class TreeWalk implements AsyncDisposable {
  /** Where it stands; undefined once past the end. */
  path: string | undefined;
  entry: MapEntry | undefined;
  readonly #batches: AsyncGenerator<readonly MapEntry[], void, undefined>;
  #batch = NONE;
  #at = -1;

  private constructor(batches: AsyncGenerator<readonly MapEntry[], void, undefined>) {
    this.#batches = batches;
  }

  /** Stands at the first entry that `filter` selects; no root is an empty tree. */
  static async open(source: NodeSource, root: Digest | undefined, filter: PathFilter): Promise<TreeWalk> {
    const walk = new TreeWalk(selected(source, root, filter));
    await walk.advance();
    return walk;
  }

  /** Goes to the next entry; wait for what it gives, if anything. Raises TREE_UNSAFE for what is no entry of files. */
  advance(): Promise<void> | undefined {
    if (++this.#at >= this.#batch.length) return this.#refill();
    this.#stand();
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#batches.return();
  }

  async #refill(): Promise<void> {
    this.#at = 0;
    this.#batch = NONE;
    while (this.#batch.length === 0) {
      const next = await this.#batches.next();
      if (next.done === true) {
        this.path = this.entry = undefined;
        return;
      }
      this.#batch = next.value;
    }
    this.#stand();
  }

  #stand(): void {
    const entry = this.#batch[this.#at];
    const path = textOfKey(entry.key);
    const { kind } = entry;
    const known = kind === FILE || kind === SYMLINK || kind === FOLDER || kind === REFERENCE;
    if (!known || path.endsWith('/') !== (kind === FOLDER)) {
      throw new ArtError(
        'TREE_UNSAFE',
        `the path ${JSON.stringify(path)} is not what its entry says (kind ${kind})`,
      );
    }
    this.entry = entry;
    this.path = path;
  }
}

async function* selected(
  source: NodeSource,
  root: Digest | undefined,
  filter: PathFilter,
): AsyncGenerator<readonly MapEntry[], void, undefined> {
  if (root === undefined) return;
  if (filter.all) yield* entries(source, root);
  else for (const prefix of filter.prefixes) yield* entries(source, root, { prefix: utf8(prefix) });
}
