/** Plans what each artifact's pointer is to become: merges what is there with what is here, and holds gc to the outcome. */
import { equalBytes, isArtError } from '#base';
import { findArtifact } from '#repo';
import { encodePushing, remoteKeys } from '#version';
import type { ArtifactName } from '#version';
import { bringStates } from './bring-states.ts';
import type { Brought, PointerOf } from './bring-states.ts';
import { effectOf } from './effect.ts';
import type { Effect } from './effect.ts';
import { Failures } from './failures.ts';
import { tellTwoNames } from './given-up.ts';
import { baseOf, fixedBelow, holdState, remember } from './integrate.ts';
import type { Published } from './integrate.ts';
import { mergeArtifacts } from './merge-artifacts.ts';
import type { MergedArtifact, SavedArtifact } from './merge-artifacts.ts';
import { oursOf } from './ours.ts';
import { refuseConflicts } from './pull.ts';
import type { RemoteSession } from './session.ts';

/** What one artifact's pointer is to become. */
export interface Plan extends PointerOf {
  /** What the remote has. */
  readonly there: SavedArtifact | undefined;
  /** What it gets: the same if it has all of ours already. */
  readonly merged: SavedArtifact;
  /** What that was made of here. */
  readonly published: Published;
  readonly effect: Effect;
}

export interface Planned {
  readonly plans: readonly Plan[];
  /** What is to begin again, with its pointer. */
  readonly again: readonly ArtifactName[];
}

/** Plans for all of `pointers` that nothing is wrong with; the others go to `failures`. */
export async function planAll(
  session: RemoteSession,
  pointers: readonly PointerOf[],
  failures: Failures,
): Promise<Planned> {
  // Noted with the plan: each step under the lock is one more in which another pusher is faster.
  const brought = await bringStates(session, pointers, failures, async () => {});
  const again = [...brought.moved];
  const plans: Plan[] = [];
  for (const one of pointers) {
    if (failures.has(one.name) || again.includes(one.name)) continue;
    try {
      plans.push(await planOf(session, one, brought));
    } catch (error) {
      // What another command here has learned since is no conflict with what was read before.
      const isOld = Failures.ofOne(error) && (await session.isBehind(one.name, one.at.pointer));
      if (isOld || isArtError(error, 'REUSED_GONE')) again.push(one.name);
      else failures.note(one.name, error);
    }
  }
  return { plans, again };
}

export function isSame({ there, merged }: Pick<Plan, 'there' | 'merged'>): boolean {
  return there !== undefined && equalBytes(there.saved, merged.saved);
}

async function planOf(session: RemoteSession, { name, at }: PointerOf, brought: Brought): Promise<Plan> {
  const { store } = session.context;
  const there = brought.theirs.find((theirs) => theirs.name === name)?.artifact;
  if (there !== undefined) await refuseConflicts(session, { name, artifact: there });
  await using tx = await store.begin();
  if (there !== undefined) holdState(tx, there.saved);
  const { ours, merged } = await tx.publish(async (locked) => {
    const mine = await oursOf(session, name, locked);
    const merging: MergedArtifact =
      there === undefined
        ? { artifact: mine!, renumbered: [], moved: new Map(), overruled: [] }
        : await mergeArtifacts(locked, {
            base: await baseOf(session, name, locked),
            ours: mine,
            theirs: there,
            remote: session.remote,
            fixedBelow: await fixedBelow(session, name, locked),
            settled: await session.settled(name, locked),
          });
    // From here on both are alive, whatever becomes of ours until it is published.
    if (there !== undefined && !(await session.isBehind(name, at.pointer, locked))) {
      const synced = (await session.seen(name, locked))?.synced ?? null;
      remember(locked, session, name, at, { synced });
    }
    if (!isSame({ there, merged: merging.artifact }))
      locked.setRecord(remoteKeys.pushing(session.remote, name), encodePushing(merging.artifact.saved));
    const isHere = (await findArtifact(locked, name)) !== undefined;
    return { ours: isHere ? mine : undefined, merged: merging };
  });
  const { artifact, moved, renumbered } = merged;
  session.tellOverruled(merged.overruled);
  if (ours === undefined && there !== undefined) await tellTwoNames(session, there);
  const effect = await effectOf(store, { before: there, after: artifact });
  return { name, at, there, merged: artifact, published: { ours, moved, renumbered }, effect };
}
