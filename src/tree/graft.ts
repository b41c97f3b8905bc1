/** Puts part of one map into another, reading only what differs. */
import type { Digest } from '#object';
import { diff } from './diff.ts';
import type { MapRoot } from './levels.ts';
import { PagedEdit } from './paged-edit.ts';
import type { TreeIo } from './paged-edit.ts';

/** `root` with all keys that begin with one of `prefixes` as `from` has them. Prefixes ascend, none begins another. */
export async function graft(
  io: TreeIo,
  root: Digest,
  from: Digest,
  prefixes: readonly Uint8Array[],
): Promise<MapRoot> {
  const edits = new PagedEdit(io, root);
  for (const prefix of prefixes) {
    for await (const batch of diff(io, root, from, { prefix })) {
      for (const { key, after } of batch) edits.add(key, after);
      await edits.turn();
    }
  }
  return edits.finish();
}
