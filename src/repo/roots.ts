/** Knows from where everything hangs that a repository must keep. */
import { existsSync } from 'node:fs';
import { isArtError } from '#base';
import type { Digest } from '#object';
import type { NodeSource, Roots } from '#store';
import {
  decodeHeld,
  decodeOperation,
  decodePushing,
  decodeRef,
  decodeSeen,
  recordKeys,
  remoteKeys,
  remoteOfKey,
} from '#version';
import { draftRoots } from './draft-records.ts';
import { records } from './operation.ts';

/** The state of each artifact here. */
export const versionRoots: Roots = async function* (source) {
  for await (const { value } of records(source, recordKeys.artifacts)) yield decodeRef(value);
};

export interface RootsOptions {
  readonly draftsSince?: number;
  /** A remote of which nothing is to stay for its own sake. */
  readonly withoutRemote?: string;
}

/** Everything that must stay: the state of each artifact here, at remotes as last seen and on its way there, what folders hold, and what an operation since then moved. */
export function rootsSince(since: number, { draftsSince = since, withoutRemote }: RootsOptions = {}): Roots {
  return async function* (source) {
    yield* versionRoots(source);
    for await (const { key, value } of records(source, remoteKeys.all)) {
      if (remoteOfKey(key).remote === withoutRemote) continue;
      const { synced, seen } = decodeSeen(value);
      for (const state of [synced, seen]) if (state !== null) yield state;
    }
    for await (const { key, value } of records(source, remoteKeys.allPushing))
      if (remoteOfKey(key).remote !== withoutRemote) yield decodePushing(value);
    for await (const { value } of records(source, recordKeys.heldFolders)) {
      const { path, commit, tree, partial, moving } = decodeHeld(value);
      // What went on there, or only in part, is gone on with; else there is nothing that a change could be measured against.
      if (!partial && moving.length === 0 && !existsSync(path)) continue;
      yield* await present(source, [commit, tree, ...moving.flatMap((goal) => [goal.commit, goal.tree])]);
    }
    for await (const digests of draftRoots(source, draftsSince)) yield* await present(source, digests);
    for await (const { value } of records(source, recordKeys.operations)) {
      const { time, changes } = decodeOperation(value);
      if (time < since) continue;
      const moved = changes.flatMap(({ before, after }) => [before, after]);
      yield* await present(
        source,
        moved.filter((digest): digest is Digest => digest !== null),
      );
    }
  };
}

// What was freed by an earlier gc with a shorter window is not missed.
async function present(source: NodeSource, digests: readonly Digest[]): Promise<Digest[]> {
  const found: Digest[] = [];
  for (const digest of digests) {
    try {
      await source.getNodes([digest]);
      found.push(digest);
    } catch (error) {
      // Absent is fine; damaged is not: nobody could tell any more what it keeps alive.
      if (!isArtError(error, 'OBJECT_NOT_FOUND')) throw error;
    }
  }
  return found;
}
