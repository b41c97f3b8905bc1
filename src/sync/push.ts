/** Sends versions that a remote lacks: learns what is there, sends the rest in packs, swaps pointers, merges and retries. */
import { join } from 'node:path';
import { equalBytes, isArtError } from '#base';
import type { Digest, ObjectId } from '#object';
import type { Repository, RepositoryContext } from '#repo';
import { findArtifact, promisedAnything, publishOperation } from '#repo';
import type { ObjectStore } from '#store';
import { changedNumbers, findVersion, loadArtifact } from '#version';
import type { ArtifactName } from '#version';
import { hasAllOf } from './has-all.ts';
import { baseOf, fixedBelow, integrate } from './integrate.ts';
import type { Integrated } from './integrate.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import { mergeArtifacts } from './merge-artifacts.ts';
import { neededObjects } from './needed.ts';
import type { Needed } from './needed.ts';
import { PackUploader } from './pack-uploader.ts';
import type { PackIndex } from './pack-index.ts';
import { refuseConflicts, renumberedOf, resultOf, withSpent } from './pull.ts';
import type { RenumberedVersion, SyncRequest, SyncResult } from './pull.ts';
import { checkReliance, settleReliance } from './reliance.ts';
import { RecentDigests } from './recent-digests.ts';
import { knownNames, oursOf } from './ours.ts';
import { RemoteSession, namesOf, refuseTwin } from './session.ts';
import type { SeenPointer } from './session.ts';
import { pauseBeforeTry, pointerOrNew, swapPointer } from './swap-pointer.ts';

/** What one artifact's pointer is to become. */
interface Plan {
  readonly name: ArtifactName;
  readonly at: SeenPointer;
  /** What the remote has. */
  readonly there: SavedArtifact | undefined;
  /** What it gets: the same if it has all of ours already. */
  readonly merged: SavedArtifact;
}

interface Totals {
  versions: number;
  bytes: number;
  readonly renumbered: RenumberedVersion[];
}

/**
 * Sends what the remote lacks of the artifacts asked for. If others pushed first, theirs is fetched and merged, and ours
 * follows: what got another number is told. Raises what `pull` raises, and REMOTE_NOT_ART.
 */
export async function push(repository: Repository, request: SyncRequest): Promise<SyncResult> {
  const { context } = repository;
  const session = new RemoteSession(context, request.remote, request.bucket);
  const totals: Totals = { versions: 0, bytes: 0, renumbered: [] };
  const tags = await session.pointers();
  let names = await changedNames(session, request, tags);
  const before = context.promises.spent();
  const result = () => withSpent(resultOf(session, { ...totals, upToDate: false }), context, before);
  if (names.length === 0) return { ...result(), upToDate: true };
  for (const name of names) refuseTwin(name, tags.keys(), session.remote);
  if (request.dryRun === true) return dryRun(context, session, names, totals);
  await checkReliance(context, names);
  const index = await session.openForWriting();
  for (let attempt = 0; names.length > 0; attempt++) {
    if (attempt > 0) await pauseBeforeTry(attempt, context.signal);
    const pointers = new Map<ArtifactName, SeenPointer>();
    for (const name of names) {
      const tag = attempt === 0 ? tags.get(name) : undefined;
      const known = tag === undefined ? undefined : await session.pointer(name, tag);
      pointers.set(name, known ?? (await pointerOrNew(session, name)));
    }
    // Only now: what is learned of packs must be newer than the pointers.
    await index.refresh();
    let plans: Plan[];
    try {
      plans = await planAll(session, pointers);
    } catch (error) {
      // What a pointer led to may have been deleted, and swept, since it was read.
      if (isArtError(error, 'REMOTE_CORRUPT') && (await haveMoved(session, pointers))) continue;
      throw error;
    }
    await checkPromised(context, index, plans);
    const packs = await sendAll(context, session, index, plans);
    names = await swapAll(context, session, plans, packs, totals);
  }
  return result();
}

/** Artifacts of which the remote does not have all that is here. */
async function changedNames(
  session: RemoteSession,
  request: SyncRequest,
  tags: ReadonlyMap<ArtifactName, string>,
): Promise<ArtifactName[]> {
  const asked = request.names?.length ? namesOf(request.names) : await knownNames(session);
  const changed: ArtifactName[] = [];
  for (const name of asked) if (!(await hasAllOf(session, name, tags.get(name)))) changed.push(name);
  return changed;
}

async function haveMoved(
  session: RemoteSession,
  pointers: ReadonlyMap<ArtifactName, SeenPointer>,
): Promise<boolean> {
  const tags = await session.pointers();
  return [...pointers].some(([name, { tag }]) => tags.get(name) !== tag);
}

async function planAll(
  session: RemoteSession,
  pointers: ReadonlyMap<ArtifactName, SeenPointer>,
): Promise<Plan[]> {
  const states = [...pointers.values()].flatMap(({ pointer }) => pointer.state ?? []);
  await session.fetch(states);
  const plans: Plan[] = [];
  for (const [name, at] of pointers) plans.push(await planOf(session, name, at));
  return plans;
}

async function planOf(session: RemoteSession, name: ArtifactName, at: SeenPointer): Promise<Plan> {
  const { store } = session.context;
  const { state } = at.pointer;
  const there = state === null ? undefined : await session.load(name, state);
  if (there !== undefined) await refuseConflicts(session, { name, artifact: there });
  await using tx = await store.begin();
  const artifact = await tx.publish(async (locked) => {
    const ours = await oursOf(session, name, locked);
    if (there === undefined) return ours!;
    const { artifact: merged } = await mergeArtifacts(locked, {
      base: await baseOf(session, name, locked),
      ours,
      theirs: there,
      remote: session.remote,
      fixedBelow: await fixedBelow(session, name, locked),
      settled: await session.settled(name, locked),
    });
    return merged;
  });
  return { name, at, there, merged: artifact };
}

/** Sends what the plans need and no usable pack holds; gives the new packs. */
async function sendAll(
  context: RepositoryContext,
  session: RemoteSession,
  index: PackIndex,
  plans: readonly Plan[],
): Promise<readonly string[]> {
  const { bucket } = session;
  const { now, signal, onProgress } = context;
  let sentBytes = 0;
  const uploader = await PackUploader.make(bucket, index, {
    journal: join(context.tmp, `push-${session.remote}`),
    now,
    ...(signal && { signal }),
    onSent: (objects, bytes) => {
      session.objects += objects;
      sentBytes += bytes;
      onProgress?.({ files: session.objects, bytes: sentBytes, what: 'object' });
    },
  });
  try {
    for await (const { ids, bytes } of absentObjects(context, index, plans))
      for (const [i, { kind, digest }] of ids.entries()) await uploader.put(kind, digest, bytes[i]);
    await uploader.finish();
  } finally {
    await uploader.settle();
  }
  return uploader.packs;
}

/** What chunks are read in one go: at 256 KiB each this is 16 MiB. */
const CHUNKS_AT_ONCE = 64;

async function* absentObjects(
  { store, disk, promises }: RepositoryContext,
  index: PackIndex | undefined,
  plans: readonly Pick<Plan, 'merged' | 'there'>[],
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<{ readonly ids: readonly ObjectId[]; readonly bytes: readonly Uint8Array[] }> {
  const reader = store.reader();
  const promised = await promisedAnything(disk);
  for await (const { ids: absent, nodes } of absentIds(store, index, plans, options)) {
    if (nodes !== undefined) yield { ids: absent, bytes: nodes };
    else {
      if (promised) await promises.bring(absent); // All in one go, not as they are read.
      for (let i = 0; i < absent.length; i += CHUNKS_AT_ONCE) {
        const page = absent.slice(i, i + CHUNKS_AT_ONCE);
        yield { ids: page, bytes: await reader.getMany(page) };
      }
    }
  }
}

/** What no usable pack holds; with the bytes of nodes, as they were read already. */
async function* absentIds(
  store: ObjectStore,
  index: PackIndex | undefined,
  plans: readonly Pick<Plan, 'merged' | 'there'>[],
  options: { readonly signal?: AbortSignal },
): AsyncGenerator<Needed> {
  const done = new RecentDigests();
  for (const { merged, there } of plans) {
    if (there !== undefined && equalBytes(there.saved, merged.saved)) continue;
    for await (const { ids, nodes } of neededObjects(store, merged, there, done, options)) {
      const usable = index === undefined ? ids.map(() => false) : await index.reusable(ids);
      yield { ids: ids.filter((_, i) => !usable[i]), nodes: nodes?.filter((_, i) => !usable[i]) };
    }
  }
}

/** Before anything is sent: is what is not here where it was promised? Raises PROMISE_BROKEN. */
async function checkPromised(
  { store, disk, promises, signal }: RepositoryContext,
  index: PackIndex,
  plans: readonly Plan[],
): Promise<void> {
  if (!(await promisedAnything(disk))) return;
  for await (const { ids, nodes } of absentIds(store, index, plans, { ...(signal && { signal }) }))
    if (nodes === undefined) await promises.check(ids);
}

// Of what is only promised the length is not known, and nothing is brought to learn it.
async function bytesHere({ disk }: RepositoryContext, ids: readonly ObjectId[]): Promise<number> {
  const absent = new Set(await disk.missing(ids));
  const here = ids.filter((id) => !absent.has(id));
  const reader = disk.reader();
  let bytes = 0;
  for (let i = 0; i < here.length; i += CHUNKS_AT_ONCE)
    bytes += lengthOf(await reader.getMany(here.slice(i, i + CHUNKS_AT_ONCE)));
  return bytes;
}

function lengthOf(contents: readonly Uint8Array[]): number {
  return contents.reduce((sum, { length }) => sum + length, 0);
}

/** Swaps every pointer and takes over what was merged; gives the names that others were faster with. */
async function swapAll(
  context: RepositoryContext,
  session: RemoteSession,
  plans: readonly Plan[],
  packs: readonly string[],
  totals: Totals,
): Promise<ArtifactName[]> {
  const won: { readonly plan: Plan; readonly at: SeenPointer }[] = [];
  const lost: ArtifactName[] = [];
  await Promise.all(
    plans.map(async (plan) => {
      const { name, at, there, merged } = plan;
      const same = there !== undefined && equalBytes(there.saved, merged.saved);
      const swapped = same ? at : await swapPointer(session, name, at, { state: merged.saved, packs });
      if (swapped === undefined) lost.push(name);
      else won.push({ plan, at: swapped });
    }),
  );
  if (won.length === 0) return lost;
  await using tx = await context.store.begin();
  const integrated = await publishOperation(tx, context, async (draft) => {
    const done: Integrated[] = [];
    for (const { plan, at } of won)
      done.push(await integrate(draft, session, plan.name, { artifact: plan.merged, at }));
    return done;
  });
  for (const { name, renumbered } of integrated) totals.renumbered.push(...renumberedOf(name, renumbered));
  await settleReliance(
    context,
    won.map(({ plan }) => plan.merged),
  );
  for (const { plan } of won) totals.versions += await newVersions(session, plan);
  return lost;
}

async function newVersions(
  { context }: RemoteSession,
  { there, merged }: Pick<Plan, 'merged' | 'there'>,
): Promise<number> {
  let count = 0;
  for (const number of await changedNumbers(context.store, there, merged)) {
    const before = there && (await findVersion(context.store, there, number));
    if (before === undefined && (await findVersion(context.store, merged, number)) !== undefined) count++;
  }
  return count;
}

/** Counts what a push would send, as far as that can be told from what was last seen: nothing is fetched or merged. */
async function dryRun(
  context: RepositoryContext,
  session: RemoteSession,
  names: readonly ArtifactName[],
  totals: Totals,
): Promise<SyncResult> {
  const { store } = context;
  const plans: Pick<Plan, 'merged' | 'there'>[] = [];
  for (const name of names) {
    const seen = await session.seen(name);
    const state: Digest | null = seen?.seen ?? seen?.synced ?? null;
    const there = state === null ? undefined : ((await loadArtifact(store, state)) as SavedArtifact);
    const merged = (await findArtifact(store, name)) as SavedArtifact | undefined;
    if (merged !== undefined) plans.push({ there, merged });
  }
  let objects = 0;
  let bytes = 0;
  for await (const { ids, nodes } of absentIds(store, undefined, plans, session.options)) {
    objects += ids.length;
    bytes += nodes === undefined ? await bytesHere(context, ids) : lengthOf(nodes);
  }
  for (const plan of plans) totals.versions += await newVersions(session, plan);
  return { ...resultOf(session, { ...totals, upToDate: false }), objects, bytes };
}
