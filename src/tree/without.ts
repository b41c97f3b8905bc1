/** Takes files and folders out of a tree of files. */
import { ArtError, equalBytes, utf8 } from '#base';
import { FOLDER } from '#object';
import { entries } from './cursor.ts';
import { Lookup } from './lookup.ts';
import type { FileTree } from './overlay.ts';
import { PagedEdit } from './paged-edit.ts';
import type { TreeIo } from './paged-edit.ts';
import { beginsWith } from './paths.ts';

/**
 * `tree` without `paths`, each a file's or a folder's with all that is in it (a slash at its end says that a folder is
 * meant). `what` names the tree in messages. Raises ENTRY_NOT_FOUND for a path that is not there, before anything is put.
 */
export async function without(
  io: TreeIo,
  tree: FileTree,
  paths: readonly string[],
  what: string,
): Promise<FileTree> {
  const lookup = new Lookup(io, tree.root.digest);
  const ranges = await rangesOf(lookup, paths, what);
  const edits = new PagedEdit(io, tree.root.digest);
  let { files } = tree;
  for (const { prefix, isFolder } of ranges) {
    for await (const batch of entries(io, tree.root.digest, { prefix })) {
      for (const { key, kind } of batch) {
        if (!isFolder && key.length > prefix.length) break;
        edits.add(key, undefined);
        if (kind !== FOLDER) files--;
      }
      await edits.turn();
      if (!isFolder) break;
    }
  }
  return { root: await edits.finish(), files };
}

interface Range {
  readonly prefix: Uint8Array;
  readonly isFolder: boolean;
}

/** In key order, none inside another. */
async function rangesOf(lookup: Lookup, paths: readonly string[], what: string): Promise<Range[]> {
  const found: Range[] = [];
  for (const path of paths) {
    const range = await rangeOf(lookup, path);
    if (range === undefined)
      throw new ArtError('ENTRY_NOT_FOUND', `there is no ${JSON.stringify(path)} in ${what} to remove`);
    found.push(range);
  }
  found.sort((a, b) => Buffer.compare(a.prefix, b.prefix));
  const kept: Range[] = [];
  for (const range of found) {
    const last = kept.at(-1);
    const isCovered =
      last !== undefined &&
      (last.isFolder ? beginsWith(range.prefix, last.prefix) : equalBytes(range.prefix, last.prefix));
    if (!isCovered) kept.push(range);
  }
  return kept;
}

async function rangeOf(lookup: Lookup, path: string): Promise<Range | undefined> {
  const key = utf8(path);
  if (!path.endsWith('/')) {
    const file = await lookup.firstFrom(key);
    if (file !== undefined && equalBytes(file.key, key)) return { prefix: key, isFolder: false };
  }
  const folder = utf8(path.endsWith('/') ? path : `${path}/`);
  const first = await lookup.firstFrom(folder);
  return first !== undefined && beginsWith(first.key, folder)
    ? { prefix: folder, isFolder: true }
    : undefined;
}
