/** Compares two versions, or a version and the folder that holds its artifact. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, ByteWriter, isArtError, throwIfAborted, utf8 } from '#base';
import { FOLDER, SYMLINK, hash } from '#object';
import { diff as diffTrees, entries, pathOfKey, prefixOf } from '#tree';
import type { MapChange } from '#tree';
import { decodeHeld, recordKeys } from '#version';
import type { ArtifactName, Held, Version } from '#version';
import { ContentReader, DiskEntry, PathFilter, Spool, compareFolder, findStats } from '#worktree';
import type { FolderChange } from '#worktree';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { DiffContent } from './diff-content.ts';
import type { ContentChange } from './diff-content.ts';
import { decodeChange, encodeChange, sideOfDisk, sideOfEntry } from './diff-side.ts';
import type { DiffSide, SideChange } from './diff-side.ts';
import { findHeld, getSpec } from './find.ts';
import type { FoundVersion } from './find.ts';
import { Renames } from './renames.ts';
import { unfinishedText } from './unfinished.ts';
import { boundFolder, readWanted } from './wanted-files.ts';

export interface DiffRequest {
  readonly before: string;
  /** Absent: the folder that holds the artifact. */
  readonly after?: string;
  readonly paths?: readonly string[];
}

/** One difference, as seen from `before`. A path that ends in a slash is an empty folder. */
export interface DiffRow {
  readonly path: string;
  readonly change: 'added' | 'modified' | 'removed' | 'renamed';
  /** Where it was, if it was renamed. */
  readonly from: string | null;
  readonly sizeBefore: number | null;
  readonly sizeAfter: number | null;
}

/** A row with what stands on both sides; for a rename `before` is what stood at `from`. */
export interface DiffChange extends DiffRow {
  readonly before: DiffSide | undefined;
  readonly after: DiffSide | undefined;
}

/** One side as a whole. */
export interface DiffEnd {
  /** `NAME:vN`, or the absolute folder. */
  readonly label: string;
  readonly kind: 'version' | 'folder';
  /** Of a version. */
  readonly files: number | null;
  readonly bytes: number | null;
}

const BATCH = 512;

/** Sets up a comparison; nothing is compared before its rows are asked for. Raises what finding versions raises. */
export async function openDiff(context: Context, request: DiffRequest): Promise<Comparison> {
  const before = await getSpec(context.store, request.before);
  const after =
    request.after === undefined
      ? await holdingFolder(context, before)
      : await getSpec(context.store, request.after);
  return new Comparison(context, before, after, new PathFilter(request.paths));
}

/** Two sides and what differs between them. Go through `changes` once, and ask for content meanwhile or later. */
export class Comparison implements Disposable {
  readonly before: DiffEnd;
  readonly after: DiffEnd;
  readonly #context: Context;
  readonly #old: FoundVersion;
  readonly #new: FoundVersion | string;
  readonly #filter: PathFilter;
  readonly #spool: Spool;
  readonly #renames = new Renames();
  readonly #content: DiffContent;

  constructor(context: Context, before: FoundVersion, after: FoundVersion | string, filter: PathFilter) {
    this.#context = context;
    this.#old = before;
    this.#new = after;
    this.#filter = filter;
    this.before = endOf(before);
    this.after = endOf(after);
    this.#content = new DiffContent(context, typeof after === 'string' ? after : undefined);
    this.#spool = new Spool(context.tmp, 'diff');
  }

  /** Whether more was removed than renames are looked for among; known once `changes` ended. */
  get renamesBounded(): boolean {
    return this.#renames.bounded;
  }

  /**
   * Yields every difference in key order, in batches. Changes are spooled to a file first, because a rename is known
   * only when all are: memory does not grow with them but for what `Renames` states.
   */
  async *changes(): AsyncGenerator<readonly DiffChange[], void, undefined> {
    const positions = await this.#collect();
    if (positions.removed > 0 && positions.added > 0) await this.#pair();
    let batch: DiffChange[] = [];
    let row = 0;
    for (const record of this.#spool.records()) {
      const change = this.#rowOf(decodeChange(Buffer.from(record)), row++);
      if (change === undefined) continue;
      batch.push(change);
      if (batch.length < BATCH) continue;
      throwIfAborted(this.#context.signal);
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /** Those of the paths asked for that nothing begins with, on either side. */
  async unmatched(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const prefix of this.#filter.prefixes) if (!(await this.#hasPath(prefix))) found.push(prefix);
    return found;
  }

  async #hasPath(prefix: string): Promise<boolean> {
    const { store } = this.#context;
    const after = this.#new;
    const trees = [this.#old, ...(typeof after === 'string' ? [] : [after])].map(({ commit }) => commit.tree);
    for (const tree of trees)
      for await (const batch of entries(store, tree, { prefix: prefixOf(prefix) }))
        if (batch.length > 0) return true;
    return typeof after === 'string' && isOnDisk(after, prefix);
  }

  /** How the content of a change differs; reads what it must. Raises what reading raises. */
  content(change: DiffChange): Promise<ContentChange> {
    return this.#content.of(change);
  }

  [Symbol.dispose](): void {
    this.#spool[Symbol.dispose]();
  }

  async #collect(): Promise<{ readonly added: number; readonly removed: number }> {
    const writer = new ByteWriter();
    const counts = { added: 0, removed: 0 };
    let row = 0;
    for await (const batch of withoutFilled(this.#sideChanges())) {
      throwIfAborted(this.#context.signal);
      for (const change of batch) {
        const position = this.#spool.add(encodeChange(writer, change));
        if (change.after === undefined) this.#renames.addSource(change.path, change.before!, row, position);
        if (change.after === undefined) counts.removed++;
        if (change.before === undefined) counts.added++;
        row++;
      }
      this.#context.onProgress?.({ files: row, bytes: 0, what: 'difference' });
    }
    return counts;
  }

  async #pair(): Promise<void> {
    const reader = new ContentReader(signalOf(this.#context));
    let row = 0;
    for (const record of this.#spool.records()) {
      const { path, before, after } = decodeChange(record);
      if (before === undefined && this.#renames.mayHaveSource(after!)) {
        const side = after!.digest === undefined ? await this.#named(reader, path, after!) : after!;
        this.#renames.addTarget(path, side, row);
      }
      row++;
    }
  }

  /** A thing on the disk with the digest that a tree would have for it; without, if it changes meanwhile. */
  async #named(reader: ContentReader, path: string, side: DiffSide): Promise<DiffSide> {
    const absolute = join(this.#new as string, path);
    const entry = new DiskEntry(path, absolute, side.kind as DiskEntry['kind']);
    const stats = findStats(absolute);
    if (stats === undefined || !entry.learn(stats) || entry.kind !== side.kind) return side;
    try {
      if (side.kind === SYMLINK) return { ...side, digest: hash(reader.targetOf(entry)) };
      return { ...side, digest: await reader.digestOf(entry) };
    } catch (error) {
      if (isArtError(error, 'FILE_CHANGED')) return side;
      throw error;
    }
  }

  #rowOf({ path, before, after }: SideChange, row: number): DiffChange | undefined {
    if (after === undefined) {
      if (this.#renames.isSource(row)) return undefined;
      return { path, change: 'removed', from: null, ...sizes(before, after), before, after };
    }
    if (before !== undefined)
      return { path, change: 'modified', from: null, ...sizes(before, after), before, after };
    const position = this.#renames.sourceOf(row);
    if (position === undefined)
      return { path, change: 'added', from: null, ...sizes(before, after), before, after };
    const source = decodeChange(this.#spool.at(position));
    const moved = { before: source.before, after };
    return { path, change: 'renamed', from: source.path, ...sizes(source.before, after), ...moved };
  }

  async *#sideChanges(): AsyncGenerator<readonly SideChange[], void, undefined> {
    const { store, tmp, root } = this.#context;
    const after = this.#new;
    if (typeof after !== 'string') {
      const { prefixes } = this.#filter;
      for (const prefix of this.#filter.all ? [''] : prefixes) {
        const range = { prefix: utf8(prefix) };
        for await (const batch of diffTrees(store, this.#old.commit.tree, after.commit.tree, range))
          yield batch.map(ofTrees);
      }
      return;
    }
    const compared = compareFolder({
      dir: after,
      tree: this.#old.commit.tree,
      source: store,
      statCache: statCacheOf(this.#context, [after]),
      tmpDir: tmp,
      stopAt: root,
      paths: this.#filter.prefixes,
      ...watched(this.#context),
    });
    for await (const batch of compared) yield batch.map(ofFolder);
  }
}

/** Whether a path in the folder begins with `prefix`. */
function isOnDisk(folder: string, prefix: string): boolean {
  const cut = prefix.lastIndexOf('/') + 1;
  const parent = join(folder, prefix.slice(0, cut));
  if (!existsSync(parent)) return false;
  return cut === prefix.length || readdirSync(parent).some((name) => name.startsWith(prefix.slice(cut)));
}

/** Leaves out an empty folder that is one no more, or is one now: it stands on both sides, and what is in it tells. */
async function* withoutFilled(
  batches: AsyncIterable<readonly SideChange[]>,
): AsyncGenerator<readonly SideChange[], void, undefined> {
  // What is in a folder follows it at once, in this batch or the next.
  let folder: SideChange | undefined;
  for await (const batch of batches) {
    const kept: SideChange[] = [];
    for (const change of batch) {
      if (folder !== undefined && !change.path.startsWith(folder.path)) kept.push(folder);
      folder = (change.before ?? change.after)!.kind === FOLDER ? change : undefined;
      if (folder === undefined) kept.push(change);
    }
    yield kept;
  }
  if (folder !== undefined) yield [folder];
}

function ofTrees({ key, before, after }: MapChange): SideChange {
  const folder = (before ?? after)!.kind === FOLDER;
  return {
    path: folder ? `${pathOfKey(key)}/` : pathOfKey(key),
    before: before && sideOfEntry(before),
    after: after && sideOfEntry(after),
  };
}

function ofFolder({ path, change, wanted, found }: FolderChange): SideChange {
  const unnamable: DiffSide = { kind: -1, executable: false, size: 0, digest: undefined, target: utf8('') };
  const after = found === undefined ? unnamable : sideOfDisk(found);
  return {
    path,
    before: wanted && sideOfEntry(wanted),
    after: change === 'removed' ? undefined : after,
  };
}

function sizes(
  before: DiffSide | undefined,
  after: DiffSide | undefined,
): { readonly sizeBefore: number | null; readonly sizeAfter: number | null } {
  return { sizeBefore: before?.size ?? null, sizeAfter: after?.size ?? null };
}

function endOf(end: FoundVersion | string): DiffEnd {
  if (typeof end === 'string') return { label: end, kind: 'folder', files: null, bytes: null };
  const { artifact, version, commit } = end;
  const label = `${artifact.state.name}:v${version.number}`;
  return { label, kind: 'version', files: commit.files, bytes: commit.bytes };
}

function signalOf({ signal }: Context): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The bound folder, else the one folder that art last put the artifact into. Raises BINDING_NOT_FOUND, PATH_NOT_FOUND. */
async function holdingFolder(context: Context, { artifact, version }: FoundVersion): Promise<string> {
  const name = artifact.state.name as ArtifactName;
  const binding = readWanted(context.root).bindings.get(name);
  if (binding !== undefined) {
    const folder = boundFolder(context.root, binding);
    if (!existsSync(folder))
      throw new ArtError(
        'PATH_NOT_FOUND',
        `"${name}" is bound to ${JSON.stringify(folder)}, which does not exist`,
        {
          hint: `\`art checkout ${name}\` brings it back.`,
        },
      );
    await tellHeld(context, await findHeld(context.store, folder), version, binding.path);
    return folder;
  }
  const folders = await foldersHolding(context, name);
  if (folders.length === 1) {
    await tellHeld(context, folders[0], version);
    return folders[0].path;
  }
  const which =
    folders.length === 0
      ? `no folder holds "${name}"`
      : `${folders.length} folders hold "${name}", and it is bound to none`;
  throw new ArtError('BINDING_NOT_FOUND', which, {
    hint: `Name two versions (\`art diff ${name}~1 ${name}\`), or bind a folder (\`art checkout ${name}\`).`,
  });
}

/** `path`: what the folder is called in `art.toml`, if it is bound. */
async function tellHeld(
  context: Context,
  held: Held | undefined,
  { number, commit }: Version,
  path?: string,
): Promise<void> {
  if (held === undefined) return;
  const unfinished = await unfinishedText(context, held, path);
  if (unfinished !== undefined) context.onWarning?.(unfinished);
  else if (held.partial)
    context.onWarning?.(
      `${JSON.stringify(held.path)} holds only a part of v${held.number}: the rest counts as removed`,
    );
  else if (Buffer.compare(held.commit, commit) !== 0)
    context.onWarning?.(`the folder holds v${held.number}; it is compared with v${number}`);
}

async function foldersHolding({ store }: Context, name: ArtifactName): Promise<Held[]> {
  const found: Held[] = [];
  const limit = 1000;
  for (let after: string | undefined; ;) {
    const rows = await store.listRecords(recordKeys.heldFolders, {
      limit,
      ...(after !== undefined && { after }),
    });
    for (const { value } of rows) {
      const held = decodeHeld(value);
      if (held.artifact === name && existsSync(held.path)) found.push(held);
    }
    if (rows.length < limit) return found;
    after = rows[rows.length - 1].key;
  }
}
