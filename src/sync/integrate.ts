/** Makes a remote's state part of ours: merges it in and remembers that both have it, in one step under the lock. */
import { ArtError, equalBytes, utf8 } from '#base';
import { NODE } from '#object';
import type { Digest } from '#object';
import { records } from '#repo';
import type { Draft } from '#repo';
import {
  decodeSeen,
  decodeConflicts,
  encodeBucketId,
  encodeConflicts,
  encodeSeen,
  loadArtifact,
  recordKeys,
  remoteKeys,
  remoteOfKey,
} from '#version';
import type { Artifact, ArtifactName, OpenConflict } from '#version';
import { mergeArtifacts } from './merge-artifacts.ts';
import type { MergedArtifact, SavedArtifact } from './merge-artifacts.ts';
import type { Moves, Renumbered } from './merge.ts';
import type { RemoteSession, SeenPointer } from './session.ts';
import type { LockedStore, NodeSource, RecordSource, Transaction } from '#store';

export type OpenAlias = Omit<OpenConflict, 'settled'>;

export interface Integrated {
  readonly name: ArtifactName;
  readonly artifact: SavedArtifact;
  readonly renumbered: readonly Renumbered[];
  /** What was ours before. */
  readonly before: Digest | null;
}

/** What both sides had in common last. */
export async function baseOf(
  session: RemoteSession,
  name: ArtifactName,
  source: RecordSource & NodeSource,
): Promise<Artifact | undefined> {
  const synced = (await session.seen(name, source))?.synced ?? null;
  return synced === null ? undefined : loadArtifact(source, synced);
}

/** Numbers below this are known to other remotes. */
export async function fixedBelow(
  session: RemoteSession,
  name: ArtifactName,
  source: RecordSource & NodeSource,
): Promise<number> {
  let next = 0;
  for await (const { key, value } of records(source, remoteKeys.all)) {
    const of = remoteOfKey(key);
    if (of.name !== name || of.remote === session.remote) continue;
    const { synced } = decodeSeen(value);
    if (synced !== null) next = Math.max(next, (await loadArtifact(source, synced)).state.next);
  }
  return next;
}

/** What theirs was made of, where it is what we have just published. */
export interface Published {
  /** What the name stood for then; undefined if it was given up. */
  readonly ours: SavedArtifact | undefined;
  readonly moved: Moves;
  readonly renumbered: readonly Renumbered[];
}

/**
 * Merges `theirs`, which is here with all it keeps alive, into what the name stands for now. If we have published it
 * ourselves, only what came since is merged into it: nothing of ours is in conflict with itself. Raises REF_MOVED if another
 * command here has learned more since theirs was read.
 */
export async function integrate(
  draft: Draft,
  session: RemoteSession,
  name: ArtifactName,
  theirs: { readonly artifact: SavedArtifact; readonly at: SeenPointer; readonly published?: Published },
  onConflict?: (conflict: OpenAlias) => void,
): Promise<Integrated> {
  if (theirs.published === undefined && (await session.isBehind(name, theirs.at.pointer, draft)))
    throw overtaken(name);
  const ours = (await draft.findArtifact(name)) as SavedArtifact | undefined;
  const merged = await mergedWith(draft, session, name, { ...theirs, ours }, onConflict);
  const { artifact, renumbered } = merged;
  session.tellOverruled(merged.overruled);
  // A name that was given up while it was published stays so: the next push says it there.
  const givenUp = ours === undefined && theirs.published?.ours !== undefined;
  const same = ours !== undefined && equalBytes(ours.saved, artifact.saved);
  if (!same && !givenUp) {
    await draft.adoptArtifact(artifact);
    draft.setRecord(recordKeys.merged(draft.number), utf8(session.remote));
  }
  remember(draft, session, name, theirs.at, { synced: theirs.artifact.saved });
  draft.setRecord(remoteKeys.pushing(session.remote, name), undefined);
  if ((await draft.getRecord(remoteKeys.conflicts(name, session.remote))) !== undefined)
    draft.setRecord(remoteKeys.conflicts(name, session.remote), undefined);
  return { name, artifact, renumbered, before: ours?.saved ?? null };
}

export function overtaken(name: ArtifactName): ArtError {
  return new ArtError('REF_MOVED', `another command here has brought news of "${name}" meanwhile`);
}

async function mergedWith(
  draft: Draft,
  session: RemoteSession,
  name: ArtifactName,
  sides: Parameters<typeof integrate>[3] & { readonly ours: SavedArtifact | undefined },
  onConflict?: (conflict: OpenAlias) => void,
): Promise<Omit<MergedArtifact, 'moved'>> {
  const { artifact: theirs, published, ours } = sides;
  const planned = published?.ours;
  if (published !== undefined && planned !== undefined) {
    if (ours === undefined || equalBytes(ours.saved, planned.saved))
      return { artifact: theirs, renumbered: published.renumbered, overruled: [] };
  }
  const input = {
    base: planned ?? (await baseOf(session, name, draft)),
    ours,
    theirs,
    remote: session.remote,
    fixedBelow: await fixedBelow(session, name, draft),
    settled: await session.settled(name, draft),
    ...(planned !== undefined && { moved: published!.moved }),
  };
  return mergeArtifacts(draft, input, onConflict);
}

/** Notes what a remote was seen to have. */
export function remember(
  locked: Pick<LockedStore, 'setRecord'>,
  session: RemoteSession,
  name: ArtifactName,
  { tag, bytes, pointer }: SeenPointer,
  { synced }: { readonly synced: Digest | null },
): void {
  const record = { synced, seen: pointer.state, tag, pointer: bytes };
  locked.setRecord(remoteKeys.seen(session.remote, name), encodeSeen(record));
  if (session.bucketId !== undefined)
    locked.setRecord(remoteKeys.bucket(session.remote), encodeBucketId(session.bucketId));
}

/**
 * Holds gc to a state that is about to be named by a record; what it keeps alive stays as long as it does. Raises
 * REUSED_GONE if gc was faster, as publishing `tx` does from now on: fetch it again.
 */
export function holdState(tx: Transaction, state: Digest): void {
  if (tx.has(NODE, state)) return;
  throw new ArtError('REUSED_GONE', 'gc removed what was just fetched');
}

/** Notes what these pointers are now, where that is not known. Raises REUSED_GONE as `holdState`. */
export async function rememberAll(
  session: RemoteSession,
  pointers: readonly { readonly name: ArtifactName; readonly at: SeenPointer }[],
): Promise<void> {
  const { store } = session.context;
  const changed: (typeof pointers)[number][] = [];
  for (const one of pointers) {
    const seen = await session.seen(one.name);
    if (seen === undefined || seen.tag !== one.at.tag) changed.push(one);
  }
  if (changed.length === 0) return;
  await using tx = await store.begin();
  for (const { at } of changed) if (at.pointer.state !== null) holdState(tx, at.pointer.state);
  await tx.publish(async (locked) => {
    for (const { name, at } of changed) {
      if (await session.isBehind(name, at.pointer, locked)) continue; // Another command here was faster.
      const synced = (await session.seen(name, locked))?.synced ?? null;
      remember(locked, session, name, at, { synced });
    }
  });
}

/** Notes aliases in conflict, so that somebody can settle them; what was settled for the same version stays settled. */
export async function noteConflicts(
  session: RemoteSession,
  name: ArtifactName,
  conflicts: readonly OpenAlias[],
): Promise<void> {
  if (conflicts.length === 0) return;
  await using tx = await session.context.store.begin();
  await tx.publish(async (locked) => {
    const key = remoteKeys.conflicts(name, session.remote);
    const bytes = await locked.getRecord(key);
    const before = bytes === undefined ? [] : decodeConflicts(bytes);
    const settled = before.filter(
      (one) => one.settled && !conflicts.some(({ alias }) => alias === one.alias),
    );
    const open = conflicts.map(({ alias, theirs }) => ({ alias, theirs, settled: false }));
    locked.setRecord(key, encodeConflicts([...settled, ...open]));
  });
}
