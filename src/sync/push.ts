/** Sends versions that a remote lacks: learns what is there, sends the rest in packs, swaps pointers, merges and retries. */
import { settleAtMost } from '#base';
import type { Repository, RepositoryContext } from '#repo';
import { promisedAnything } from '#repo';
import type { ArtifactName } from '#version';
import { AilingPacks } from './ailing-packs.ts';
import type { PointerOf } from './bring-states.ts';
import { deletedFrom } from './effect.ts';
import type { DeletedVersions } from './effect.ts';
import { Failures } from './failures.ts';
import { hasAllOf } from './has-all.ts';
import { integratePublished } from './integrate-published.ts';
import { knownNames } from './ours.ts';
import { renumberedOf, resultOf, withSpent } from './pull.ts';
import type { RenumberedVersion, SyncRequest, SyncResult } from './pull.ts';
import { dryPush } from './push-dry.ts';
import { checkPromised, sendAll, sendHere } from './push-objects.ts';
import { isSame, planAll } from './push-plan.ts';
import type { Plan } from './push-plan.ts';
import { checkReliance, settleReliance } from './reliance.ts';
import { RemoteSession, namesOf, refuseTwin } from './session.ts';
import { pauseBeforeTry, pointerOrNew, swapPointer } from './swap-pointer.ts';

interface Totals {
  versions: number;
  swapped: number;
  readonly renumbered: RenumberedVersion[];
  readonly deleted: DeletedVersions[];
}

/** Requests that are under way together, each of one artifact. */
const NAMES_AT_ONCE = 8;

/**
 * Sends what the remote lacks of the artifacts asked for. If others pushed first, theirs is fetched and merged, and ours
 * follows: what got another number is told. An artifact that cannot be pushed keeps no other one back. Raises what `pull`
 * raises, and REMOTE_NOT_ART.
 */
export async function push(repository: Repository, request: SyncRequest): Promise<SyncResult> {
  const { context } = repository;
  const session = new RemoteSession(context, request.remote, request.bucket);
  const failures = new Failures();
  const totals: Totals = { versions: 0, swapped: 0, renumbered: [], deleted: [] };
  const tags = await session.pointers();
  const promised = await promisedAnything(context.disk);
  const heals = await healsPacks(context, session, promised);
  let names = await changedNames(session, request, { tags, failures, all: heals && !promised });
  const before = context.promises.spent();
  const result = () => {
    const told = withSpent(resultOf(session, { ...totals, upToDate: false }), context, before);
    failures.raise(totals.swapped > 0 ? told : undefined);
    return told;
  };
  if (heals && promised && request.dryRun !== true) {
    const healed = await healOfPromised(context, session, request);
    if (names.length === 0) return { ...result(), upToDate: !healed };
  }
  if (names.length === 0) return { ...result(), upToDate: true };
  if (request.dryRun === true && tags.size === 0 && (await session.knownBucket()) !== undefined)
    await session.openForReading(); // One that was seen and is gone takes no push.
  if (request.dryRun === true) return dryPush(session, context, names, failures);
  await checkReliance(context, names);
  const index = await session.openForWriting();
  if (tags.size === 0) await session.requirePointers();
  for (let attempt = 0; names.length > 0; attempt++) {
    if (attempt > 0) await pauseBeforeTry(attempt, context.signal);
    const pointers: PointerOf[] = [];
    const read = await settleAtMost(NAMES_AT_ONCE, names, (name) => {
      const tag = attempt === 0 ? tags.get(name) : undefined;
      return failures.past(name, async () => {
        const known = tag === undefined ? undefined : await session.pointer(name, tag);
        return known ?? (await pointerOrNew(session, name));
      });
    });
    for (const [i, one] of read.entries()) {
      if (one.status === 'rejected') throw one.reason;
      if (one.value !== undefined) pointers.push({ name: names[i], at: one.value });
    }
    // Only now: what is learned of packs must be newer than the pointers.
    await index.refresh();
    const { plans, again } = await planAll(session, pointers, failures);
    await checkPromised(context, index, plans);
    const anew = !promised && (heals || index.ailing.isPending({ promised }));
    const packs = await sendAll(context, session, index, plans, anew ? 'anew' : 'pointers');
    names = [...again, ...(await swapAll(context, session, { plans, packs, totals, failures }))];
  }
  const told = result();
  if (heals && !promised && !request.names?.length) await index.ailing.settle({ promised });
  return told;
}

/**
 * Where not all is here, what is here is sent by itself, before anything can be refused for what has been lost; says
 * whether there was any.
 */
async function healOfPromised(
  context: RepositoryContext,
  session: RemoteSession,
  request: SyncRequest,
): Promise<boolean> {
  const index = await session.openForWriting();
  await index.refresh();
  const names = request.names?.length ? namesOf(request.names) : await knownNames(session);
  const healed = await sendHere(context, session, index, names);
  if (!request.names?.length) await index.ailing.settle({ promised: true });
  return healed;
}

/** Whether packs there are known to be damaged or gone, and what is here of what they held was not sent anew. */
async function healsPacks(
  { store }: RepositoryContext,
  session: RemoteSession,
  promised: boolean,
): Promise<boolean> {
  const bucket = await session.knownBucket();
  if (bucket === undefined) return false;
  const ailing = new AilingPacks(store.cache, bucket);
  await ailing.load();
  return ailing.isPending({ promised });
}

/** Artifacts of which the remote does not have all that is here; `all` counts every one so. */
async function changedNames(
  session: RemoteSession,
  request: SyncRequest,
  {
    tags,
    failures,
    all,
  }: {
    readonly tags: ReadonlyMap<ArtifactName, string>;
    readonly failures: Failures;
    readonly all: boolean;
  },
): Promise<ArtifactName[]> {
  const asked = request.names?.length ? namesOf(request.names) : await knownNames(session);
  const changed: ArtifactName[] = [];
  for (const name of asked) {
    const hasAll = await failures.past(name, async () => {
      if ((await hasAllOf(session, name, tags.get(name))) && !all) return true;
      refuseTwin(name, tags.keys(), session.remote);
      return false;
    });
    if (hasAll === false) changed.push(name);
  }
  return changed;
}

/** Swaps every pointer and takes over what was merged; gives the names that others were faster with. */
async function swapAll(
  context: RepositoryContext,
  session: RemoteSession,
  sent: {
    readonly plans: readonly Plan[];
    readonly packs: readonly string[];
    readonly totals: Totals;
    readonly failures: Failures;
  },
): Promise<ArtifactName[]> {
  const { plans, packs, totals, failures } = sent;
  const won: Plan[] = [];
  const lost: ArtifactName[] = [];
  const swaps = await settleAtMost(NAMES_AT_ONCE, plans, async (plan) => {
    const { name, at, merged } = plan;
    const now = isSame(plan) ? at : await swapPointer(session, name, at, { state: merged.saved, packs });
    if (now === undefined) lost.push(name);
    else won.push({ ...plan, at: now });
  });
  for (const plan of won) {
    totals.versions += plan.effect.versions;
    if (!isSame(plan)) totals.swapped++;
    totals.deleted.push(...deletedFrom(plan.name, { before: plan.there, after: plan.merged }, plan.effect));
    const integrated = await failures.past(plan.name, () => integratePublished(session, plan));
    if (integrated !== undefined) totals.renumbered.push(...renumberedOf(plan.name, integrated.renumbered));
  }
  if (won.length > 0)
    await settleReliance(
      context,
      won.map(({ merged }) => merged),
    );
  // Only now: what was won is remembered whatever became of the others.
  for (const [i, swap] of swaps.entries())
    if (swap.status === 'rejected') failures.note(plans[i].name, swap.reason);
  return lost;
}
