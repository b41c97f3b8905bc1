/** Steps through a tree entry by entry, with paths as text, for merging with what is on the disk. */
import { ArtError, utf8 } from '#base';
import { FILE, FOLDER, REFERENCE, SYMLINK, type Digest, type MapEntry } from '#object';
import type { NodeSource } from '#store';
import { leaves, type LeafRows } from '#tree';
import type { PathFilter } from './path-filter.ts';
import { textOfKey } from './paths.ts';

export class TreeWalk implements AsyncDisposable {
  /** Where it stands; undefined once past the end. */
  path: string | undefined;
  entry: MapEntry | undefined;
  readonly #leaves: AsyncGenerator<LeafRows, void, undefined>;
  #rows: LeafRows | undefined;
  #row = 0;

  private constructor(found: AsyncGenerator<LeafRows, void, undefined>) {
    this.#leaves = found;
  }

  /** Stands at the first entry that `filter` selects; no root is an empty tree. */
  static async open(source: NodeSource, root: Digest | undefined, filter: PathFilter): Promise<TreeWalk> {
    const walk = new TreeWalk(selected(source, root, filter));
    await walk.advance();
    return walk;
  }

  /** Goes to the next entry; wait for what it gives, if anything. Raises TREE_UNSAFE for what is no entry of files. */
  advance(): Promise<void> | undefined {
    if (this.#rows === undefined || ++this.#row >= this.#rows.end) return this.#refill();
    this.#stand(this.#rows);
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leaves.return();
  }

  async #refill(): Promise<void> {
    const next = await this.#leaves.next();
    if (next.done === true) {
      this.#rows = this.path = this.entry = undefined;
      return;
    }
    this.#rows = next.value;
    this.#row = next.value.start;
    this.#stand(next.value);
  }

  // One entry at a time: all of a leaf at once would grow old before the last is looked at.
  #stand({ leaf }: LeafRows): void {
    const entry = leaf.entryAt(this.#row);
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
): AsyncGenerator<LeafRows, void, undefined> {
  if (root === undefined) return;
  if (filter.all) yield* leaves(source, root);
  else for (const prefix of filter.prefixes) yield* leaves(source, root, { prefix: utf8(prefix) });
}
