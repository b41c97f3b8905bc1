/** Knows what becomes, at remotes, of a name that an artifact here gave up by being renamed. */
import { findArtifact, nameSince, staleBindingText, versionsLackedBy } from '#repo';
import type { Draft } from '#repo';
import type { NodeSource, RecordSource } from '#store';
import { RENAMED_TO, listVersions, loadArtifact, remoteKeys, saveArtifact, withFates } from '#version';
import type { Artifact, ArtifactIo, ArtifactName, Fate } from '#version';
import { remember } from './integrate.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import type { RemoteSession, SeenPointer } from './session.ts';

const NAMED_MAX = 3;

/**
 * What the name stands for once it was given up: what was in common, with all its versions deleted and a word about where
 * they went. Versions that others put under it are not among them. Undefined if nothing was in common.
 */
export async function goneOf(
  session: RemoteSession,
  name: ArtifactName,
  io: ArtifactIo & RecordSource,
): Promise<SavedArtifact | undefined> {
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
  const to = await nameSince(io, name);
  const ext = { ...common.state.ext, ...(to !== undefined && { [RENAMED_TO]: to }) };
  return saveArtifact(io, await withFates(io, common, fates, { aliases: new Map(), ext }));
}

/** Whether a remote still has, under a name that is not used here, what was in common. */
export async function isToGive(session: RemoteSession, name: ArtifactName): Promise<boolean> {
  const { store } = session.context;
  const synced = (await session.seen(name))?.synced ?? null;
  return synced !== null && (await loadArtifact(store, synced)).state.versionCount > 0;
}

/**
 * Notes that the remote has what a given-up name leads to. The name stays unused here; in common is what it stood for,
 * deleted: so what others put under it is never taken away there, and using the name again beats the tombstones.
 */
export async function noteGiven(
  draft: Draft,
  session: RemoteSession,
  name: ArtifactName,
  at: SeenPointer,
): Promise<undefined> {
  const gone = await goneOf(session, name, draft);
  remember(draft, session, name, at, { synced: gone?.saved ?? null });
  draft.setRecord(remoteKeys.pushing(session.remote, name), undefined);
  if ((await draft.getRecord(remoteKeys.conflicts(name, session.remote))) !== undefined)
    draft.setRecord(remoteKeys.conflicts(name, session.remote), undefined);
}

/**
 * Whether what a remote has under a name that is not used here stays there: nothing lives in it, or it was given up here.
 * What others have put or kept under that name is told.
 */
export async function staysThere(
  session: RemoteSession,
  theirs: SavedArtifact,
  source: NodeSource,
): Promise<boolean> {
  const { store } = session.context;
  const name = theirs.state.name as ArtifactName;
  if (theirs.state.versionCount === 0) return true;
  const since = await nameSince(store, name);
  const ours = since && (await findArtifact(store, since));
  const synced = (await session.seen(name))?.synced ?? null;
  const wasCommon = synced !== null;
  const lacked = await versionsLackedBy(source, theirs, ours);
  if (!wasCommon && lacked.size === theirs.state.versionCount) return false;
  const isTold = wasCommon && (await loadArtifact(store, synced)).state.versionCount === 0;
  if (lacked.size > 0 || !wasCommon || isTold) {
    const kept = isTold ? await numbersIn(source, theirs) : [];
    session.context.onWarning?.(leftText(session.remote, name, since, { lacked: [...lacked], kept }));
  }
  return true;
}

function leftText(
  remote: string,
  name: ArtifactName,
  since: ArtifactName | undefined,
  { lacked, kept }: { readonly lacked: readonly number[]; readonly kept: readonly number[] },
): string {
  const was = since === undefined ? `"${name}" is not here any more` : `"${name}" is "${since}" here`;
  const what =
    lacked.length === 0
      ? `${remote} still has ${kept.length === 0 ? 'it' : versionsText(kept)} under the old name`
      : `${remote} has ${versionsText(lacked)} under the old name, which is not here`;
  return `${was}, and ${what}: \`art pull ${remote} ${name}\` brings it as "${name}"`;
}

async function numbersIn(source: NodeSource, artifact: Artifact): Promise<number[]> {
  const numbers: number[] = [];
  for await (const batch of listVersions(source, artifact))
    numbers.push(...batch.map(({ number }) => number));
  return numbers;
}

/** `v3, v4, v5 and 2 more`. */
function versionsText(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const more = sorted.length - NAMED_MAX;
  const named = sorted.slice(0, NAMED_MAX).map((number) => `v${number}`);
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Tells that others gave another name to what was renamed here: each keeps its own, and they go apart. */
export async function tellTwoNames(session: RemoteSession, { state }: Artifact): Promise<void> {
  const name = state.name as ArtifactName;
  const [ours, theirs] = [await nameSince(session.context.store, name), state.ext[RENAMED_TO]];
  if (ours === undefined || typeof theirs !== 'string' || theirs === ours) return;
  session.context.onWarning?.(
    `"${name}" is called "${ours}" here and "${theirs}" at ${session.remote}: both stay, and go apart from now on`,
  );
}

/** Tells that others renamed what was here under the old name; `before` is what it was. */
export function tellRenamed(session: RemoteSession, before: Artifact | undefined, { state }: Artifact): void {
  const to = state.ext[RENAMED_TO];
  if (typeof to !== 'string' || before === undefined || before.state.ext[RENAMED_TO] === to) return;
  const kept = state.versionCount === 0 ? '' : `; versions that only you had stay under "${state.name}"`;
  const stale = staleBindingText(session.context, state.name as ArtifactName);
  const binds = stale === undefined ? '' : `; ${stale}`;
  session.context.onWarning?.(`"${state.name}" is called "${to}" at ${session.remote} now${kept}${binds}`);
}
