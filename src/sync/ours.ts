/** Knows what we have of an artifact that a remote has too, also when its name is not used here any more. */
import type { ArtifactName, Fate } from '#version';
import {
  artifactOfKey,
  listVersions,
  loadArtifact,
  parseArtifactName,
  recordKeys,
  remoteKeys,
  remoteOfKey,
  saveArtifact,
  withFates,
} from '#version';
import { findArtifact } from '#repo';
import type { ArtifactIo } from '#version';
import type { RecordRow, RecordSource } from '#store';
import type { SavedArtifact } from './merge-artifacts.ts';
import type { RemoteSession } from './session.ts';

const PAGE_ROWS = 1000;

/** Every artifact there is here, deleted ones too, and those that were there when we last had it in common. */
export async function knownNames(session: RemoteSession): Promise<ArtifactName[]> {
  const { store } = session.context;
  const names = new Set<ArtifactName>();
  for await (const { key } of recordsOf(store, recordKeys.artifacts)) names.add(artifactOfKey(key)!);
  for await (const { key } of recordsOf(store, remoteKeys.of(session.remote))) {
    const name = parseArtifactName(remoteOfKey(key).name);
    if ((await session.seen(name))?.synced != null) names.add(name);
  }
  return [...names].sort();
}

/**
 * What the name stands for here. A name that was given up, by renaming, stands for what was in common with all its
 * versions deleted: so it goes there too. Undefined if it was never here.
 */
export async function oursOf(
  session: RemoteSession,
  name: ArtifactName,
  io: ArtifactIo & RecordSource,
): Promise<SavedArtifact | undefined> {
  const ours = await findArtifact(io, name);
  if (ours !== undefined) return ours as SavedArtifact;
  const synced = (await session.seen(name, io))?.synced ?? null;
  if (synced === null) return undefined;
  const { author, now } = session.context;
  const common = await loadArtifact(io, synced);
  const by = { who: author, when: now() };
  const fates = new Map<number, Fate>();
  for await (const batch of listVersions(io, common)) {
    for (const { number, commit, bytes } of batch)
      fates.set(number, { alive: false, tombstone: { number, commit, bytes, ...by } });
  }
  if (fates.size === 0) return { ...common, saved: synced };
  return saveArtifact(io, await withFates(io, common, fates, { aliases: new Map() }));
}

/** Every record whose key begins with `prefix`. */
export async function* recordsOf(source: RecordSource, prefix: string): AsyncGenerator<RecordRow, void> {
  for (let after: string | undefined; ;) {
    const page = await source.listRecords(prefix, {
      limit: PAGE_ROWS,
      ...(after !== undefined && { after }),
    });
    yield* page;
    if (page.length < PAGE_ROWS) return;
    after = page[page.length - 1].key;
  }
}
