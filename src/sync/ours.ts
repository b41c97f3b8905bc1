/** Knows what we have of an artifact that a remote has too, also when its name is not used here any more. */
import type { ArtifactName } from '#version';
import { artifactOfKey, parseArtifactName, recordKeys, remoteKeys, remoteOfKey } from '#version';
import { findArtifact, records } from '#repo';
import type { ArtifactIo } from '#version';
import type { RecordSource } from '#store';
import { goneOf } from './given-up.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import type { RemoteSession } from './session.ts';

/** Every artifact there is here, deleted ones too, and those that were there when we last had it in common. */
export async function knownNames(session: RemoteSession): Promise<ArtifactName[]> {
  const { store } = session.context;
  const names = new Set<ArtifactName>();
  for await (const { key } of records(store, recordKeys.artifacts)) names.add(artifactOfKey(key)!);
  for await (const { key } of records(store, remoteKeys.of(session.remote))) {
    const name = parseArtifactName(remoteOfKey(key).name);
    if ((await session.seen(name))?.synced != null) names.add(name);
  }
  return [...names].sort();
}

/** What the name stands for here, or for a name that was given up here; undefined if it was never here. */
export async function oursOf(
  session: RemoteSession,
  name: ArtifactName,
  io: ArtifactIo & RecordSource,
): Promise<SavedArtifact | undefined> {
  const ours = await findArtifact(io, name);
  return ours === undefined ? goneOf(session, name, io) : (ours as SavedArtifact);
}
