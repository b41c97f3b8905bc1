/** Brings what pointers lead to: all of it together, and where something is damaged each by itself. */
import { equalBytes, isArtError } from '#base';
import type { Digest } from '#object';
import { findArtifact } from '#repo';
import { changedNumbers, loadArtifact } from '#version';
import type { NodeSource } from '#store';
import type { ArtifactName } from '#version';
import type { Failures } from './failures.ts';
import type { SavedArtifact } from './merge-artifacts.ts';
import type { RemoteSession, SeenPointer } from './session.ts';

/** An artifact at a remote, and its pointer. */
export interface PointerOf {
  readonly name: ArtifactName;
  readonly at: SeenPointer;
}

/** One that is here, with all it keeps alive. */
export interface Theirs extends PointerOf {
  readonly artifact: SavedArtifact;
  /** Whether it was never seen before, and how many of its versions were not. */
  readonly fresh: boolean;
  readonly versions: number;
}

export interface Brought {
  readonly theirs: readonly Theirs[];
  /** Those whose pointer has moved on, which may be why what it led to is not there any more. */
  readonly moved: readonly ArtifactName[];
}

/** How often it begins anew because gc took what was just fetched. */
const TRIES = 5;

/**
 * Pointers without a state are passed over. What is damaged goes to `failures`. `keep` notes what came as seen, so that
 * gc keeps it; it may leave that to whoever builds on it in a step of its own.
 */
export async function bringStates(
  session: RemoteSession,
  pointers: readonly PointerOf[],
  failures: Failures,
  keep: (pointers: readonly PointerOf[]) => Promise<void>,
): Promise<Brought> {
  const full = pointers.filter(({ at }) => at.pointer.state !== null);
  try {
    return { theirs: await bringTogether(session, full, keep), moved: [] };
  } catch (error) {
    if (!isArtError(error, 'REMOTE_CORRUPT')) throw error;
  }
  const theirs: Theirs[] = [];
  const moved: ArtifactName[] = [];
  for (const one of full) {
    try {
      theirs.push(...(await bringTogether(session, [one], keep)));
    } catch (error) {
      if (!isArtError(error, 'REMOTE_CORRUPT')) throw error;
      const now = await failures.past(one.name, () => session.pointer(one.name));
      if (now !== undefined && now.tag !== one.at.tag) moved.push(one.name);
      else failures.note(one.name, error);
    }
  }
  return { theirs, moved };
}

/** The same of what is not brought here and not noted: its nodes are read through `source`. */
export async function peekStates(
  session: RemoteSession,
  pointers: readonly PointerOf[],
  source: NodeSource,
): Promise<Theirs[]> {
  const theirs: Theirs[] = [];
  for (const { name, at } of pointers) {
    const { state } = at.pointer;
    if (state === null) continue;
    const artifact = await session.load(name, state, source);
    const seen = (await session.seen(name))?.seen ?? null;
    const fresh = seen === null || !equalBytes(seen, state);
    const versions = fresh ? await newVersions(session, name, seen, artifact, source) : 0;
    theirs.push({ name, at, artifact, fresh, versions });
  }
  return theirs;
}

async function bringTogether(
  session: RemoteSession,
  pointers: readonly PointerOf[],
  keep: (pointers: readonly PointerOf[]) => Promise<void>,
): Promise<Theirs[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const theirs = await bringOnce(session, pointers);
      await keep(pointers);
      return theirs;
    } catch (error) {
      const taken = isArtError(error, 'REUSED_GONE') || isArtError(error, 'OBJECT_NOT_FOUND');
      if (!taken || attempt === TRIES) throw error;
    }
  }
}

async function bringOnce(session: RemoteSession, pointers: readonly PointerOf[]): Promise<Theirs[]> {
  const known = new Map<ArtifactName, Digest | null>();
  for (const { name } of pointers) known.set(name, (await session.seen(name))?.seen ?? null);
  const states = pointers.map(({ name, at }) => ({ name, at, state: at.pointer.state! }));
  const fresh = states.filter(({ name, state }) => {
    const seen = known.get(name) ?? null;
    return seen === null || !equalBytes(seen, state);
  });
  await session.fetch(
    fresh.map(({ state }) => state),
    fresh.flatMap(({ at }) => at.pointer.packs),
  );
  const theirs: Theirs[] = [];
  for (const one of states) {
    const artifact = await session.load(one.name, one.state);
    const isFresh = fresh.includes(one);
    const versions = isFresh
      ? await newVersions(session, one.name, known.get(one.name) ?? null, artifact)
      : 0;
    theirs.push({ name: one.name, at: one.at, artifact, fresh: isFresh, versions });
  }
  return theirs;
}

// Versions of theirs that neither we nor what was seen before has.
async function newVersions(
  { context: { store } }: RemoteSession,
  name: ArtifactName,
  seen: Digest | null,
  theirs: SavedArtifact,
  source: NodeSource = store,
): Promise<number> {
  const before = seen === null ? await findArtifact(store, name) : await loadArtifact(store, seen);
  let count = 0;
  for (const number of await changedNumbers(source, before, theirs))
    if (number >= (before?.state.next ?? 0)) count++;
  return count;
}
