/** Lays one tree of files over another, reading and rewriting only what the upper one touches. */
import { ArtError, equalBytes } from '#base';
import { FOLDER } from '#object';
import type { Digest, MapEntry } from '#object';
import { entries } from './cursor.ts';
import type { MapRoot } from './levels.ts';
import { Lookup } from './lookup.ts';
import { PagedEdit } from './paged-edit.ts';
import type { TreeIo } from './paged-edit.ts';
import { beginsWith, pathOfKey } from './paths.ts';

/** A tree of files, and how many of its entries are files, links and references. */
export interface FileTree {
  readonly root: MapRoot;
  readonly files: number;
}

export interface OverlayOptions {
  /** What the lower tree is called in messages. */
  readonly below: string;
  /** Files of the lower tree give way; without it one that has other content is an error. */
  readonly overwrite?: boolean;
  /** Awaited between pieces of work. */
  readonly pause?: () => Promise<void> | undefined;
}

const SLASH = 0x2f;
const SLASHES = Uint8Array.of(SLASH);
const NAMED_MAX = 20;

/**
 * Everything in `below` and in `above`. An empty folder of the one with something in it in the other is no longer empty.
 * Raises PATH_TAKEN where both have a file with different content (naming the first of them, unless `overwrite`), and
 * where what is a file in the one is a folder in the other.
 */
export async function overlay(
  io: TreeIo,
  below: FileTree,
  above: Digest,
  options: OverlayOptions,
): Promise<FileTree> {
  const pass = new OverlayPass(io, below, options);
  for await (const batch of entries(io, above)) {
    for (const entry of batch) {
      const laying = pass.lay(entry);
      if (laying !== undefined) await laying;
    }
    await pass.turn();
    await options.pause?.();
  }
  return pass.finish();
}

class OverlayPass {
  readonly #options: OverlayOptions;
  readonly #edits: PagedEdit;
  readonly #own: Lookup;
  /** Looks at what begins the current path, which lies elsewhere. */
  readonly #folders: Lookup;
  /** The folder of the last entry, with its slash: it and those above it are no files below. */
  #goodFolder: Uint8Array = new Uint8Array(0);
  #files: number;
  #taken: string[] = [];
  #takenCount = 0;

  constructor(io: TreeIo, below: FileTree, options: OverlayOptions) {
    this.#options = options;
    this.#edits = new PagedEdit(io, below.root.digest);
    this.#own = new Lookup(io, below.root.digest);
    this.#folders = new Lookup(io, below.root.digest);
    this.#files = below.files;
  }

  /** In key order; wait for what it gives, if it gives anything. */
  lay(entry: MapEntry): Promise<void> | undefined {
    const { key } = entry;
    const folder = key.subarray(0, key.lastIndexOf(SLASH) + 1);
    if (!equalBytes(folder, this.#goodFolder)) return this.#layInto(folder, entry);
    const first = this.#own.firstFrom(key);
    return first instanceof Promise
      ? first.then((found) => this.#place(entry, found))
      : this.#place(entry, first);
  }

  turn(): Promise<void> | undefined {
    return this.#edits.turn();
  }

  async finish(): Promise<FileTree> {
    if (this.#takenCount > 0) {
      const shown = this.#taken.map((path) => JSON.stringify(path)).join(', ');
      const more = this.#takenCount - this.#taken.length;
      throw new ArtError(
        'PATH_TAKEN',
        `${this.#options.below} has ${shown}${more > 0 ? ` and ${more} more` : ''} with other content`,
      );
    }
    return { root: await this.#edits.finish(), files: this.#files };
  }

  async #layInto(folder: Uint8Array, entry: MapEntry): Promise<void> {
    await this.#enter(folder, entry);
    await this.#place(entry, await this.#own.firstFrom(entry.key));
  }

  /** `first` is the first entry of the lower tree whose key is at least that of `entry`. */
  #place(entry: MapEntry, first: MapEntry | undefined): Promise<void> | undefined {
    const { key, kind } = entry;
    if (kind === FOLDER) {
      if (first === undefined || !beginsWith(first.key, key)) this.#edits.add(key, entry);
    } else if (first !== undefined && equalBytes(first.key, key)) this.#replace(first, entry);
    else {
      const folder = Buffer.concat([key, SLASHES]);
      const inside = this.#folders.firstFrom(folder);
      if (inside instanceof Promise) return inside.then((found) => this.#addFile(entry, folder, found));
      this.#addFile(entry, folder, inside);
    }
    return undefined;
  }

  #replace(old: MapEntry, entry: MapEntry): void {
    const sameContent =
      old.kind === entry.kind &&
      old.size === entry.size &&
      equalBytes(old.digest, entry.digest) &&
      equalBytes(old.extra, entry.extra);
    if (sameContent && old.executable === entry.executable) return;
    if (!sameContent && this.#options.overwrite !== true) {
      if (++this.#takenCount <= NAMED_MAX) this.#taken.push(pathOfKey(entry.key));
    } else this.#edits.add(entry.key, entry);
  }

  #addFile(entry: MapEntry, folder: Uint8Array, inside: MapEntry | undefined): void {
    if (inside !== undefined && beginsWith(inside.key, folder)) {
      const path = pathOfKey(entry.key);
      throw clash(`${JSON.stringify(path)} is a folder in ${this.#options.below}, not a file`, path);
    }
    this.#edits.add(entry.key, entry);
    this.#files++;
  }

  /** Looks at each folder on the way to `entry` that the last one was not in. */
  async #enter(folder: Uint8Array, { key, kind }: MapEntry): Promise<void> {
    for (let end = folder.indexOf(SLASH); end >= 0; end = folder.indexOf(SLASH, end + 1)) {
      const path = folder.subarray(0, end + 1);
      // An empty folder's own key says of itself that it is empty; those above it no longer are.
      const own = kind === FOLDER && path.length === key.length;
      if (!beginsWith(this.#goodFolder, path)) await this.#check(path, { own });
    }
    this.#goodFolder = Uint8Array.from(folder);
  }

  async #check(folder: Uint8Array, { own }: { readonly own: boolean }): Promise<void> {
    const name = folder.subarray(0, -1);
    const file = await this.#folders.firstFrom(name);
    if (file !== undefined && equalBytes(file.key, name)) {
      const path = pathOfKey(name);
      throw clash(`${JSON.stringify(path)} is a file in ${this.#options.below}, not a folder`, path);
    }
    const empty = own ? undefined : await this.#folders.firstFrom(folder);
    if (empty !== undefined && equalBytes(empty.key, folder))
      this.#edits.add(Uint8Array.from(folder), undefined);
  }
}

function clash(message: string, path: string): ArtError {
  return new ArtError('PATH_TAKEN', message, {
    hint: `Choose another DEST, or take the old one out with --remove ${JSON.stringify(path)}.`,
  });
}
