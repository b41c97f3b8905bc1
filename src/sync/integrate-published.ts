/** Makes what we have just published ours, with what was done here meanwhile. */
import { isArtError } from '#base';
import { publishOperation } from '#repo';
import { remoteKeys } from '#version';
import { Failures } from './failures.ts';
import { noteGiven, staysThere } from './given-up.ts';
import { baseOf, holdState, integrate, noteConflicts, remember } from './integrate.ts';
import type { Integrated } from './integrate.ts';
import type { OpenAlias } from './integrate.ts';
import type { Plan } from './push-plan.ts';
import type { RemoteSession } from './session.ts';

/** How often it begins anew because gc took what it builds on. */
const TRIES = 5;

/**
 * In a step of its own, so that what keeps one artifact from it keeps no other. What somebody did here since may be in
 * conflict with what others did there: that is raised as by `pull`, and what was published is remembered all the same.
 * Undefined for a name that was given up: nothing of it becomes ours.
 */
export async function integratePublished(
  session: RemoteSession,
  plan: Plan,
): Promise<Integrated | undefined> {
  const { context } = session;
  const { name, at, merged, published } = plan;
  for (let attempt = 1; ; attempt++) {
    const conflicts: OpenAlias[] = [];
    try {
      await using tx = await context.store.begin();
      holdState(tx, merged.saved);
      const theirs = { artifact: merged, at, ...(attempt < TRIES && { published }) };
      const integrated = await publishOperation(tx, context, async (draft) =>
        published.ours === undefined
          ? noteGiven(draft, session, name, at)
          : integrate(draft, session, name, theirs, (conflict) => conflicts.push(conflict)),
      );
      if (integrated === undefined) await staysThere(session, merged, context.store);
      return integrated;
    } catch (error) {
      if (Failures.ofOne(error)) {
        await noteConflicts(session, name, conflicts);
        await rememberPublished(session, plan);
      }
      const taken = isArtError(error, 'REUSED_GONE') || isArtError(error, 'OBJECT_NOT_FOUND');
      if (!taken || attempt === TRIES) throw error;
      await session.fetch([merged.saved], at.pointer.packs); // The remote has it by now.
    }
  }
}

/** Both sides have in common what was published of ours, as long as it was not moved to other numbers. */
async function rememberPublished(
  session: RemoteSession,
  { name, at, merged, published }: Plan,
): Promise<void> {
  const { store } = session.context;
  await using tx = await store.begin();
  holdState(tx, merged.saved);
  const ours = published.moved.size === 0 ? published.ours?.saved : undefined;
  if (ours !== undefined) holdState(tx, ours);
  await tx.publish(async (locked) => {
    const synced = ours ?? (await baseOf(session, name, locked))?.saved ?? null;
    remember(locked, session, name, at, { synced });
    locked.setRecord(remoteKeys.pushing(session.remote, name), undefined);
  });
}
