/** Fetches what a remote has, and merges it. */
import { ArtError, equalBytes, isArtError, suggest } from '#base';
import type { Digest } from '#object';
import type { Context, Repository, RepositoryContext, Spent } from '#repo';
import { artifactNames, findArtifact, promisedAnything, publishOperation } from '#repo';
import type { ArtifactName } from '#version';
import { changedNumbers, listVersions, loadArtifact } from '#version';
import { bringAll } from './bring-all.ts';
import type { Bucket } from './bucket.ts';
import { baseOf, fixedBelow, integrate, noteConflicts, rememberAll } from './integrate.ts';
import { mergeArtifacts } from './merge-artifacts.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import { dryIo } from './dry-io.ts';
import { checkReliance } from './reliance.ts';
import { RemoteSession, namesOf } from './session.ts';
import type { SeenPointer } from './session.ts';

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
  readonly objects: number;
  /** Bytes that went over the wire, both ways. */
  readonly bytes: number;
  readonly requests: number;
  /** Whether there was nothing to do. */
  readonly upToDate: boolean;
}

interface Theirs {
  readonly name: ArtifactName;
  readonly at: SeenPointer;
  readonly artifact: SavedArtifact;
}

/** Records the state and history that the remote has, and the bytes; merges nothing. Raises REMOTE_EMPTY, REMOTE_CORRUPT. */
export async function fetch(repository: Repository, request: SyncRequest): Promise<SyncResult> {
  const session = new RemoteSession(repository.context, request.remote, request.bucket);
  if (request.dryRun !== true) await warnOfBroken(repository.context);
  const { fetched, versions } = await fetchTheirs(session, request);
  return resultOf(session, { versions, renumbered: [], upToDate: fetched.length === 0 });
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

async function merge(session: RemoteSession, request: SyncRequest): Promise<SyncResult> {
  const { context } = session;
  const { theirs, versions } = await fetchTheirs(session, request);
  const unmerged: Theirs[] = [];
  for (const one of theirs) {
    const seen = await session.seen(one.name);
    const here = await findArtifact(context.store, one.name);
    const synced = seen?.synced ?? null;
    const same = synced !== null && equalBytes(synced, one.artifact.saved);
    if (here === undefined && synced !== null) {
      // Given up here: what others did there since does not bring it back.
      if (!same)
        context.onWarning?.(
          `"${one.name}" is not here any more and was left out; a push deletes it there too`,
        );
    } else if (here === undefined || !same) unmerged.push(one);
  }
  if (unmerged.length === 0 || request.dryRun === true)
    return resultOf(session, { versions, renumbered: [], upToDate: unmerged.length === 0 && versions === 0 });
  for (const one of unmerged) await refuseConflicts(session, one);
  await using tx = await context.store.begin();
  const integrated = await publishOperation(tx, context, async (draft) => {
    const done = [];
    for (const one of unmerged) done.push(await integrate(draft, session, one.name, one));
    return done;
  });
  const renumbered = integrated.flatMap(({ name, renumbered: rows }) => renumberedOf(name, rows));
  const moved = integrated.some(
    ({ before, artifact }) => before === null || !equalBytes(before, artifact.saved),
  );
  return resultOf(session, { versions, renumbered, upToDate: !moved && versions === 0 });
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
  result: Pick<SyncResult, 'versions' | 'renumbered' | 'upToDate'>,
): SyncResult {
  const { remote, objects, cost } = session;
  const { versions, renumbered, upToDate } = result;
  return { remote, versions, renumbered, objects, ...cost, upToDate };
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
  { name, artifact }: Pick<Theirs, 'name' | 'artifact'>,
): Promise<void> {
  const { store } = session.context;
  const conflicts: { readonly alias: string; readonly theirs: number }[] = [];
  try {
    const ours = (await findArtifact(store, name)) as SavedArtifact | undefined;
    await mergeArtifacts(
      dryIo(store),
      {
        base: await baseOf(session, name, store),
        ours,
        theirs: artifact,
        remote: session.remote,
        fixedBelow: await fixedBelow(session, name, store),
        settled: await session.settled(name),
      },
      (conflict) => conflicts.push(conflict),
    );
  } finally {
    await noteConflicts(session, name, conflicts);
  }
}

async function fetchTheirs(
  session: RemoteSession,
  request: SyncRequest,
): Promise<{
  readonly theirs: Theirs[];
  readonly fetched: readonly ArtifactName[];
  readonly versions: number;
}> {
  const tags = await session.pointers();
  const names = request.names?.length ? namesOf(request.names) : [...tags.keys()];
  if (tags.size === 0) await session.openForReading(); // Tells a bucket without artifacts from none at all.
  const pointers: { readonly name: ArtifactName; readonly at: SeenPointer; readonly state: Digest }[] = [];
  for (const name of names) {
    const tag = tags.get(name);
    const at = tag === undefined ? undefined : await session.pointer(name, tag);
    if (at !== undefined && at.pointer.state !== null) pointers.push({ name, at, state: at.pointer.state });
    else if (request.names?.length) throw notThere(name, tags.keys(), session.remote);
  }
  const fresh: typeof pointers = [];
  for (const one of pointers) {
    const seen = (await session.seen(one.name))?.seen ?? null;
    if (seen === null || !equalBytes(seen, one.state)) fresh.push(one);
  }
  if (request.dryRun === true) return { theirs: [], fetched: [], versions: fresh.length };
  await session.fetch(
    fresh.map(({ state }) => state),
    fresh.flatMap(({ at }) => at.pointer.packs),
  );
  const theirs: Theirs[] = [];
  let versions = 0;
  for (const one of pointers) {
    const artifact = await session.load(one.name, one.state);
    theirs.push({ ...one, artifact });
    if (fresh.includes(one)) versions += await newVersions(session.context, session, one.name, artifact);
  }
  await rememberAll(session, pointers);
  return { theirs, fetched: fresh.map(({ name }) => name), versions };
}

// Versions of theirs that neither we nor what was seen before has.
async function newVersions(
  { store }: Context,
  session: RemoteSession,
  name: ArtifactName,
  theirs: SavedArtifact,
): Promise<number> {
  const seen = (await session.seen(name))?.seen ?? null;
  const before = seen === null ? await findArtifact(store, name) : await loadArtifact(store, seen);
  let count = 0;
  for (const number of await changedNumbers(store, before, theirs))
    if (number >= (before?.state.next ?? 0)) count++;
  return count;
}

function notThere(name: ArtifactName, known: Iterable<string>, remote: string): ArtError {
  const meant = suggest(name, known);
  return new ArtError('ARTIFACT_NOT_FOUND', `there is no artifact "${name}" at ${remote}`, {
    ...(meant !== undefined && { hint: `Did you mean "${meant}"?` }),
  });
}
