/** Takes the parts that a version is put together from, and lays them over what it begins with. */
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ArtError, Closing, fileError, isArtError, nonce, throwIfAborted, writeAll } from '#base';
import { NODE } from '#object';
import type { Digest } from '#object';
import type { Transaction } from '#store';
import { MapBuilder, overlay, rootOf, without } from '#tree';
import type { FileTree, TreeIo } from '#tree';
import { checkTreePath, snapshot } from '#worktree';
import type { Snapshot, SnapshotSource } from '#worktree';
import { pathMissing } from './commit-plan.ts';
import type { Addition, CommitRequest } from './commit-request.ts';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { NestedRepositories } from './nested.ts';

/** Sources that do not overlap, so that one snapshot can take them all. */
export type Batch = readonly SnapshotSource[];

/**
 * Where everything goes that is to be added, in the order given. Streams are written to the disk first, so that nobody
 * waits for them with the store open; `closing` removes that again.
 * Raises PATH_NOT_FOUND, USAGE (a DEST that may not be), DISK_FULL, INTERRUPTED.
 */
export async function prepareParts(
  context: Context,
  additions: readonly Addition[],
  closing: Closing,
): Promise<readonly Batch[]> {
  const placed = additions.map((addition) =>
    'path' in addition ? placedPath(context, addition.path, addition.dest) : addition,
  );
  const sources: SnapshotSource[] = [];
  for (const part of placed) {
    if ('path' in part) sources.push(part);
    else
      sources.push({
        path: await spool(context, part.content, closing),
        dest: checkedDest(part.dest, part.dest),
      });
  }
  return batchesOf(sources);
}

/** Stores every batch as a tree of its own; say of each when it is published. */
export async function takeParts(
  context: Context,
  tx: Transaction,
  batches: readonly Batch[],
  closing: Closing,
): Promise<Snapshot[]> {
  const { root, tmp } = context;
  const trees: Snapshot[] = [];
  const nested = new NestedRepositories(context.folder);
  for (const sources of batches) {
    const hasFolder = sources.some(({ path }) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
    const places = sources.map(({ path, dest }) => (dest === '' ? path : `${dest}=${path}`));
    const taken = await snapshot({
      sources,
      tx,
      tmpDir: tmp,
      stopAt: root,
      onRepository: nested.onRepository,
      ...(hasFolder && { statCache: statCacheOf(context, places) }),
      ...watched(context),
    });
    closing.defer(() => taken[Symbol.dispose]());
    trees.push(taken);
  }
  nested.tell(context);
  return trees;
}

/**
 * Takes out what the request removes and lays `parts` over the rest, one after the other. `what` names `start` in
 * messages. Raises ENTRY_NOT_FOUND, PATH_TAKEN.
 */
export async function layParts(
  io: TreeIo,
  start: FileTree,
  parts: readonly FileTree[],
  request: CommitRequest,
  by: { readonly what: string; readonly pause?: () => Promise<void> | undefined },
): Promise<FileTree> {
  const { remove = [], overwrite } = request;
  let tree = remove.length === 0 ? start : await without(io, start, remove, by.what);
  for (const part of parts) {
    if (tree.root.count === 0) tree = part;
    else
      tree = await overlay(io, tree, part.root.digest, {
        below: by.what,
        ...(overwrite !== undefined && { overwrite }),
        ...(by.pause !== undefined && { pause: by.pause }),
      });
  }
  return tree;
}

/** The tree of a version or a draft, to build on: gc is held to it until the transaction ends. */
export async function builtOn(tx: Transaction, tree: Digest, files: number): Promise<FileTree> {
  const root = await rootOf(tx, tree); // First: it may have to be brought.
  if (!tx.has(NODE, tree)) throw new ArtError('REUSED_GONE', 'the version to build on was removed meanwhile');
  return { root, files };
}

export function emptyTree(tx: Transaction): FileTree {
  return { root: new MapBuilder(tx).finish(), files: 0 };
}

function placedPath(context: Context, given: string, dest: string | undefined): SnapshotSource {
  const path = resolve(context.folder, given);
  if (!existsSync(path)) throw pathMissing(path);
  const name = basename(path);
  if (name === '' && dest === undefined)
    throw new ArtError('USAGE', `${JSON.stringify(given)} has no name to be added under`, {
      hint: `Say where it goes: --add DEST=${given}`,
    });
  if (dest === undefined) return { path, dest: checkedDest(name, name) };
  const isFolder = statSync(path).isDirectory();
  const folder = dest === '.' ? '' : dest.endsWith('/') ? dest.slice(0, -1) : undefined;
  if (folder === undefined) return { path, dest: checkedDest(dest, dest) };
  const place = isFolder ? folder : folder === '' ? name : `${folder}/${name}`;
  return { path, dest: place === '' && dest === '.' ? '' : checkedDest(place, dest) };
}

// Asked of a person, an impossible path is a wrong word and no hostile version.
function checkedDest(path: string, given: string): string {
  try {
    checkTreePath(path);
    if (path.endsWith('/')) throw new ArtError('TREE_UNSAFE', 'a file cannot have the name of a folder');
    return path;
  } catch (error) {
    if (!isArtError(error, 'TREE_UNSAFE')) throw error;
    throw new ArtError('USAGE', `nothing can be added as ${JSON.stringify(given)}: ${error.message}`, {
      hint: 'DEST is a path inside the version, like `train/a.csv`; `.` is its root.',
    });
  }
}

/** As few batches as their order allows. */
function batchesOf(sources: readonly SnapshotSource[]): Batch[] {
  const batches: SnapshotSource[][] = [];
  let taken = new Set<string>();
  let above = new Set<string>();
  for (const source of sources) {
    const folders = foldersOf(source.dest);
    const overlaps =
      taken.has(source.dest) || above.has(source.dest) || folders.some((folder) => taken.has(folder));
    if (overlaps || batches.length === 0) {
      batches.push([]);
      [taken, above] = [new Set(), new Set()];
    }
    batches.at(-1)!.push(source);
    taken.add(source.dest);
    for (const folder of folders) above.add(folder);
  }
  return batches;
}

/** The folders that `dest` lies in; the root is `''`, and lies in nothing. */
function foldersOf(dest: string): string[] {
  if (dest === '') return [];
  const folders = [''];
  for (let end = dest.indexOf('/'); end >= 0; end = dest.indexOf('/', end + 1))
    folders.push(dest.slice(0, end));
  return folders;
}

async function spool(
  { tmp, signal, onProgress }: Context,
  content: AsyncIterable<Uint8Array>,
  closing: Closing,
): Promise<string> {
  const path = join(tmp, `stream-${nonce(8)}`);
  let bytes = 0;
  try {
    const fd = openSync(path, 'wx', 0o644);
    closing.defer(() => rmSync(path, { force: true }));
    try {
      for await (const piece of content) {
        throwIfAborted(signal);
        writeAll(fd, piece);
        bytes += piece.length;
        onProgress?.({ files: 0, bytes });
      }
      throwIfAborted(signal);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // A stream that was broken off by the signal says so in its own way.
    throwIfAborted(signal);
    throw fileError(error, path);
  }
  return path;
}
