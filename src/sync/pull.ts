/** Fetches what a remote has, and merges it. */
import { ArtError, equalBytes, isArtError, settleAtMost, suggest } from '#base';
import type { Repository, RepositoryContext, Spent } from '#repo';
import { artifactNames, findArtifact, promisedAnything, publishOperation, versionsLackedBy } from '#repo';
import type { NodeSource } from '#store';
import type { ArtifactIo, ArtifactName } from '#version';
import { listVersions, loadArtifact } from '#version';
import { bringAll } from './bring-all.ts';
import type { Bucket } from './bucket.ts';
import { bringStates, peekStates } from './bring-states.ts';
import type { PointerOf, Theirs } from './bring-states.ts';
import { eitherNodes } from './either-nodes.ts';
import { Failures } from './failures.ts';
import {
  baseOf,
  fixedBelow,
  holdState,
  integrate,
  noteConflicts,
  overtaken,
  rememberAll,
} from './integrate.ts';
import type { Integrated } from './integrate.ts';
import { mergeArtifacts } from './merge-artifacts.ts';
import type { MergedArtifact, SavedArtifact } from './merge-artifacts.ts';
import { dryIo } from './dry-io.ts';
import { lossOf } from './effect.ts';
import type { DeletedVersions, MovedAlias } from './effect.ts';
import { staysThere, tellRenamed } from './given-up.ts';
import { checkReliance } from './reliance.ts';
import { RemoteSession, namesOf } from './session.ts';

const POINTERS_AT_ONCE = 8;
/** How often a pull begins anew because another command here was faster. */
const TRIES = 5;

export interface SyncRequest {
  /** The name the remote has here. */
  readonly remote: string;
  readonly bucket: Bucket;
  /** Absent: every artifact. */
  readonly names?: readonly string[];
  /**
   * For pull. True: from now on only history comes from this remote, and the bytes when they are read. False: all of them
   * come now, those left there before too. Absent: as it was.
   */
  readonly lazy?: boolean;
  /** Change nothing here and there; what would be sent is counted, not sent. */
  readonly dryRun?: boolean;
}

export interface RenumberedVersion {
  readonly name: string;
  /** `v3`. */
  readonly from: string;
  readonly to: string;
}

export interface SyncResult {
  readonly remote: string;
  /** How many versions are new to whoever lacked them. */
  readonly versions: number;
  readonly renumbered: readonly RenumberedVersion[];
  /** What the remote has no more by a push, and what is here no more by a pull. */
  readonly deleted: readonly DeletedVersions[];
  /** Aliases here that others have moved, by a pull. */
  readonly moved: readonly MovedAlias[];
  readonly objects: number;
  /** Bytes that went over the wire, both ways. */
  readonly bytes: number;
  readonly requests: number;
  /** Whether there was nothing to do. */
  readonly upToDate: boolean;
}

/** Records the state and history that the remote has, and the bytes; merges nothing. Raises REMOTE_EMPTY, REMOTE_CORRUPT. */
export async function fetch(repository: Repository, request: SyncRequest): Promise<SyncResult> {
  const session = new RemoteSession(repository.context, request.remote, request.bucket);
  if (request.dryRun !== true) await warnOfBroken(repository.context);
  const failures = new Failures();
  const source = sourceOf(session, request);
  const { fetched, versions } = await fetchTheirs(session, request, source, failures);
  const result = resultOf(session, { versions, renumbered: [], upToDate: fetched.length === 0 });
  failures.raise(done(result));
  return result;
}

/**
 * Fetches, and merges into ours in one step: their versions keep their numbers. Raises REMOTE_EMPTY, REMOTE_CORRUPT,
 * ALIAS_CONFLICT, DELETE_CONFLICT, NUMBERS_DIVERGED, REMOTE_REWRITTEN, TYPE_MISMATCH, NAME_TAKEN.
 */
export async function pull(repository: Repository, request: SyncRequest): Promise<SyncResult> {
  const { context } = repository;
  const session = new RemoteSession(context, request.remote, request.bucket);
  if (request.dryRun === true) return merge(session, request);
  await warnOfBroken(context);
  if (request.lazy === true) await session.setLazy({ lazy: true });
  const result = await merge(session, request);
  if (request.lazy !== false || !(await promisedAnything(context.disk))) return result;
  const before = context.promises.spent();
  await bringVersions(context, request);
  if (!request.names?.length) await session.setLazy({ lazy: false });
  return withSpent(resultOf(session, result), context, before);
}

/** What local versions lack is told, and keeps nobody from hearing news: they may bring it. */
async function warnOfBroken(context: RepositoryContext): Promise<void> {
  try {
    await checkReliance(context);
  } catch (error) {
    if (!isArtError(error, 'PROMISE_BROKEN')) throw error;
    context.onWarning?.(error.message);
  }
}

async function bringVersions(context: RepositoryContext, request: SyncRequest): Promise<void> {
  const names = request.names?.length ? namesOf(request.names) : await artifactNames(context.store);
  for (const name of names) {
    const artifact = await findArtifact(context.store, name);
    if (artifact === undefined) continue;
    for await (const batch of listVersions(context.store, artifact))
      await bringAll(
        context,
        batch.map(({ commit }) => commit),
      );
  }
}

/** Where states are read: a dry run brings nothing here, and looks at what is there. */
function sourceOf(session: RemoteSession, { dryRun }: SyncRequest): NodeSource {
  const { store } = session.context;
  return dryRun === true ? eitherNodes(store, () => session.openForReading()) : store;
}

/** Begins anew where another command here was faster. */
async function merge(session: RemoteSession, request: SyncRequest): Promise<SyncResult> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await mergeOnce(session, request);
    } catch (error) {
      if (!isArtError(error, 'REF_MOVED') || attempt === TRIES) throw error;
    }
  }
}

async function mergeOnce(session: RemoteSession, request: SyncRequest): Promise<SyncResult> {
  const { context } = session;
  const failures = new Failures();
  const source = sourceOf(session, request);
  const { theirs } = await fetchTheirs(session, request, source, failures);
  const asked = new Set(namesOf(request.names));
  const unmerged: Theirs[] = [];
  for (const one of theirs) {
    const seen = await session.seen(one.name);
    const here = await findArtifact(context.store, one.name);
    const synced = seen?.synced ?? null;
    const same = synced !== null && equalBytes(synced, one.artifact.saved);
    if (here === undefined && !asked.has(one.name) && (await staysThere(session, one.artifact, source)))
      continue;
    if (here === undefined || !same) unmerged.push(one);
  }
  if (request.dryRun === true) return resultOf(session, await tried(session, unmerged, source, failures));
  const mergeable: Theirs[] = [];
  for (const one of unmerged) {
    try {
      await refuseConflicts(session, one);
      mergeable.push(one);
    } catch (error) {
      if (Failures.ofOne(error) && (await session.isBehind(one.name, one.at.pointer)))
        throw overtaken(one.name);
      failures.note(one.name, error);
    }
  }
  const integrated = await integrateAll(session, mergeable, failures);
  for (const { before, artifact } of integrated)
    tellRenamed(session, before === null ? undefined : await loadArtifact(source, before), artifact);
  const result = resultOf(session, await outcomeOf(source, integrated));
  failures.raise(done(result));
  return result;
}

type Outcome = Pick<SyncResult, 'versions' | 'renumbered' | 'deleted' | 'moved' | 'upToDate'>;

/** What merging would do to ours; nothing is kept of it. Raises the conflicts that a pull would. */
async function tried(
  session: RemoteSession,
  theirs: readonly Theirs[],
  source: NodeSource,
  failures: Failures,
): Promise<Outcome> {
  const io = dryIo(source);
  const integrated: Integrated[] = [];
  for (const one of theirs) {
    const before = (await findArtifact(session.context.store, one.name))?.saved ?? null;
    const merged = await failures.past(one.name, () => tryMerge(session, one, io));
    if (merged !== undefined) integrated.push({ name: one.name, before, ...merged });
  }
  const outcome = await outcomeOf(io, integrated);
  failures.raise(done(resultOf(session, outcome)));
  return outcome;
}

async function outcomeOf(source: NodeSource, integrated: readonly Integrated[]): Promise<Outcome> {
  const changed = integrated.filter(
    ({ before, artifact }) => before === null || !equalBytes(before, artifact.saved),
  );
  let versions = 0;
  const deleted: DeletedVersions[] = [];
  const moved: MovedAlias[] = [];
  for (const { name, before, artifact, renumbered: rows } of changed) {
    const ours = before === null ? undefined : await loadArtifact(source, before);
    versions += (await versionsLackedBy(source, artifact, ours)).size;
    if (ours === undefined) continue;
    const to = new Map(rows.map((row) => [row.from, row.to]));
    const loss = await lossOf(source, name, { before: ours, after: artifact }, to);
    deleted.push(...loss.deleted);
    moved.push(...loss.moved);
  }
  const renumbered = integrated.flatMap(({ name, renumbered: rows }) => renumberedOf(name, rows));
  return { versions, renumbered, deleted, moved, upToDate: changed.length === 0 };
}

/** In one operation; where one of them has come into conflict since it was looked at, each in one of its own. */
async function integrateAll(
  session: RemoteSession,
  theirs: readonly Theirs[],
  failures: Failures,
): Promise<readonly Integrated[]> {
  if (theirs.length === 0) return [];
  const { context } = session;
  try {
    await using tx = await context.store.begin();
    for (const { artifact } of theirs) holdState(tx, artifact.saved);
    return await publishOperation(tx, context, async (draft) => {
      const done: Integrated[] = [];
      for (const one of theirs) done.push(await integrate(draft, session, one.name, one));
      return done;
    });
  } catch (error) {
    if (theirs.length === 1) failures.note(theirs[0].name, error);
    else if (!Failures.ofOne(error)) throw error;
  }
  const done: Integrated[] = [];
  if (theirs.length > 1)
    for (const one of theirs) done.push(...(await integrateAll(session, [one], failures)));
  return done;
}

/** What `from` and `to` are called. */
export function renumberedOf(
  name: string,
  rows: readonly { readonly from: number; readonly to: number }[],
): RenumberedVersion[] {
  return rows.map(({ from, to }) => ({ name, from: `v${from}`, to: `v${to}` }));
}

export function resultOf(
  session: RemoteSession,
  result: Pick<SyncResult, 'versions' | 'renumbered' | 'upToDate'> &
    Partial<Pick<SyncResult, 'deleted' | 'moved'>>,
): SyncResult {
  const { remote, objects, cost } = session;
  const { versions, renumbered, deleted = [], moved = [], upToDate } = result;
  return { remote, versions, renumbered, deleted, moved, objects, ...cost, upToDate };
}

/** What is told beside what did not go through: nothing if nothing else did. */
export function done(result: SyncResult): SyncResult | undefined {
  return result.upToDate ? undefined : result;
}

/** Adds what promises have cost since `before`. */
export function withSpent(
  result: SyncResult,
  { promises }: Pick<RepositoryContext, 'promises'>,
  before: Spent,
): SyncResult {
  const now = promises.spent();
  const objects = result.objects + now.objects - before.objects;
  const bytes = result.bytes + now.bytes - before.bytes;
  const requests = result.requests + now.requests - before.requests;
  const upToDate = result.upToDate && now.objects === before.objects;
  return { ...result, objects, bytes, requests, upToDate };
}

/** Merges outside the lock first, only to learn of conflicts and to note them. */
export async function refuseConflicts(
  session: RemoteSession,
  theirs: Pick<Theirs, 'name' | 'artifact'>,
): Promise<void> {
  const conflicts: { readonly alias: string; readonly theirs: number }[] = [];
  try {
    await tryMerge(session, theirs, dryIo(session.context.store), (conflict) => conflicts.push(conflict));
  } finally {
    await noteConflicts(session, theirs.name, conflicts);
  }
}

/** What merging theirs would give. Raises as `mergeArtifacts`. */
async function tryMerge(
  session: RemoteSession,
  { name, artifact }: Pick<Theirs, 'name' | 'artifact'>,
  io: ArtifactIo,
  onConflict?: Parameters<typeof mergeArtifacts>[2],
): Promise<MergedArtifact> {
  const { store } = session.context;
  const input = {
    base: await baseOf(session, name, store),
    ours: (await findArtifact(store, name)) as SavedArtifact | undefined,
    theirs: artifact,
    remote: session.remote,
    fixedBelow: await fixedBelow(session, name, store),
    settled: await session.settled(name),
  };
  return mergeArtifacts(io, input, onConflict);
}

async function fetchTheirs(
  session: RemoteSession,
  request: SyncRequest,
  source: NodeSource,
  failures: Failures,
): Promise<{
  readonly theirs: readonly Theirs[];
  readonly fetched: readonly ArtifactName[];
  readonly versions: number;
}> {
  const tags = await session.pointers();
  const vanished = await session.vanished(tags); // Read to be told that they were seen there.
  let names: readonly ArtifactName[] = request.names?.length
    ? namesOf(request.names)
    : [...tags.keys(), ...vanished];
  if (tags.size === 0) {
    await session.openForReading(); // Tells a bucket without artifacts from none at all.
    await session.requirePointers();
  }
  const theirs: Theirs[] = [];
  for (let again = false; names.length > 0; again = true) {
    const pointers: PointerOf[] = [];
    for (const name of names)
      if (!tags.has(name) && !vanished.has(name)) throw notThere(name, tags.keys(), session.remote);
    const read = await settleAtMost(POINTERS_AT_ONCE, names, (name) =>
      failures.past(name, () => session.pointer(name, again ? undefined : tags.get(name))),
    );
    for (const [i, one] of read.entries()) {
      if (one.status === 'rejected') throw one.reason;
      const [name, at] = [names[i], one.value];
      if (at !== undefined && at.pointer.state !== null) pointers.push({ name, at });
      else if (request.names?.length && !failures.has(name))
        throw notThere(name, tags.keys(), session.remote);
    }
    const brought =
      request.dryRun === true
        ? { theirs: await peekStates(session, pointers, source), moved: [] }
        : await bringStates(session, pointers, failures, (all) => rememberAll(session, all));
    theirs.push(...brought.theirs);
    names = brought.moved;
  }
  const fetched = theirs.filter(({ fresh }) => fresh).map(({ name }) => name);
  return { theirs, fetched, versions: theirs.reduce((sum, one) => sum + one.versions, 0) };
}

function notThere(name: ArtifactName, known: Iterable<string>, remote: string): ArtError {
  const meant = suggest(name, known);
  return new ArtError('ARTIFACT_NOT_FOUND', `there is no artifact "${name}" at ${remote}`, {
    ...(meant !== undefined && { hint: `Did you mean "${meant}"?` }),
  });
}
