/** Says what a push would do, by what was last seen there: nothing is fetched or sent, and no content read. */
import type { RepositoryContext } from '#repo';
import { loadArtifact } from '#version';
import type { ArtifactName } from '#version';
import { dryIo } from './dry-io.ts';
import { deletedFrom, effectOf } from './effect.ts';
import type { DeletedVersions } from './effect.ts';
import type { Failures } from './failures.ts';
import { baseOf, fixedBelow } from './integrate.ts';
import { mergeArtifacts } from './merge-artifacts.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import { oursOf } from './ours.ts';
import { done, renumberedOf, resultOf } from './pull.ts';
import type { RenumberedVersion, SyncResult } from './pull.ts';
import { countNeeded } from './push-objects.ts';
import type { Plan } from './push-plan.ts';
import type { RemoteSession } from './session.ts';

/** Raises the conflicts that the push would. */
export async function dryPush(
  session: RemoteSession,
  context: RepositoryContext,
  names: readonly ArtifactName[],
  failures: Failures,
): Promise<SyncResult> {
  const { store } = context;
  const io = {
    ...dryIo(store),
    getRecord: (key: string) => store.getRecord(key),
    listRecords: (...asked: Parameters<typeof store.listRecords>) => store.listRecords(...asked),
  };
  const plans: Pick<Plan, 'merged' | 'there'>[] = [];
  const renumbered: RenumberedVersion[] = [];
  const deleted: DeletedVersions[] = [];
  let versions = 0;
  for (const name of names) {
    const seen = await session.seen(name);
    const state = seen?.seen ?? seen?.synced ?? null;
    const there = state === null ? undefined : { ...(await loadArtifact(store, state)), saved: state };
    const merging = await failures.past(name, () => mergedOf(session, name, there, io));
    if (merging === undefined) continue;
    const effect = await effectOf(io, { before: there, after: merging.artifact });
    plans.push({ there, merged: merging.artifact });
    versions += effect.versions;
    deleted.push(...deletedFrom(name, { before: there, after: merging.artifact }, effect));
    renumbered.push(...renumberedOf(name, merging.renumbered));
  }
  const needed = await countNeeded(context, plans, io);
  const result = { ...resultOf(session, { versions, renumbered, deleted, upToDate: false }), ...needed };
  failures.raise(done(result));
  return result;
}

async function mergedOf(
  session: RemoteSession,
  name: ArtifactName,
  there: SavedArtifact | undefined,
  io: Parameters<typeof oursOf>[2],
): Promise<Pick<Awaited<ReturnType<typeof mergeArtifacts>>, 'artifact' | 'renumbered'>> {
  const ours = await oursOf(session, name, io);
  if (there === undefined) return { artifact: ours!, renumbered: [] };
  return mergeArtifacts(io, {
    base: await baseOf(session, name, io),
    ours,
    theirs: there,
    remote: session.remote,
    fixedBelow: await fixedBelow(session, name, io),
    settled: await session.settled(name, io),
  });
}
