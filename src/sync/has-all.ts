/** Tells, before a push, whether a remote has all that is here of an artifact; fetches nothing to keep. */
import { equalBytes } from '#base';
import { findArtifact, getArtifact } from '#repo';
import { loadArtifact } from '#version';
import type { ArtifactName } from '#version';
import type { Tag } from './bucket.ts';
import { dryIo } from './dry-io.ts';
import { eitherNodes } from './either-nodes.ts';
import { isToGive } from './given-up.ts';
import { mergeArtifacts } from './merge-artifacts.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import { rememberAll } from './integrate.ts';
import type { RemoteSession } from './session.ts';

/**
 * What is remembered decides only while the pointer has the tag it had; else it is read, and the history it leads to.
 * Raises ARTIFACT_NOT_FOUND for a name that was never here, and what `merge` raises for a remote that was put back.
 */
export async function hasAllOf(
  session: RemoteSession,
  name: ArtifactName,
  tag: Tag | undefined,
): Promise<boolean> {
  const { store } = session.context;
  const known = await session.seen(name);
  const synced = known?.synced ?? null;
  const ours = (await findArtifact(store, name)) as SavedArtifact | undefined;
  if (ours === undefined && synced === null) await getArtifact(store, name); // Says that there is none.
  if (ours === undefined) return tag === undefined || !(await isToGive(session, name));
  if (synced === null || !equalBytes(ours.saved, synced)) return false;
  if (tag === undefined) return false;
  const at = await session.pointer(name, tag);
  const state = at?.pointer.state ?? null;
  if (at === undefined || state === null) return false;
  if (!equalBytes(state, synced) && !(await isIn(session, ours, { state, packs: at.pointer.packs })))
    return false;
  // It was fenced by gc: next time its tag says all again.
  if (known!.tag !== at.tag && known!.seen !== null && equalBytes(state, known!.seen))
    await rememberAll(session, [{ name, at }]);
  return true;
}

async function isIn(
  session: RemoteSession,
  ours: SavedArtifact,
  there: { readonly state: Uint8Array; readonly packs: readonly string[] },
): Promise<boolean> {
  const reader = async () => {
    const index = await session.openIndex();
    if (!index.fresh) await index.take(there.packs);
    return session.openForReading();
  };
  const source = dryIo(eitherNodes(session.context.store, reader));
  const theirs = { ...(await loadArtifact(source, there.state)), saved: there.state };
  const { artifact } = await mergeArtifacts(source, {
    base: ours,
    ours,
    theirs,
    remote: session.remote,
    fixedBelow: 0,
    settled: new Map(),
  });
  return equalBytes(artifact.saved, theirs.saved);
}
