/** Reads the versions of an artifact from its sorted map: one, the newest, or all in either direction. */
import { CHUNK, hasHashPrefix, parseHashPrefix } from '#object';
import type { Digest, MapEntry } from '#object';
import type { NodeSource } from '#store';
import { entries, find } from '#tree';
import type { Artifact } from './artifact.ts';
import { numberOfKey, tombstoneOf, versionKey, versionsOf } from './version.ts';
import type { Tombstone, Version } from './version.ts';

export interface ListOptions {
  /** By number, downwards; without it upwards. */
  readonly newestFirst?: boolean;
  /** Only numbers below this. */
  readonly before?: number;
  /** At most so many. */
  readonly limit?: number;
}

/** Walking downwards looks at so many numbers at first, and at more where few are left. */
const WINDOW = 64;
const WINDOW_USUAL = 256;
/** So many entries are kept of one window at most. */
const KEPT_MAX = 1024;

/** The live version `number`, or undefined. */
export async function findVersion(
  source: NodeSource,
  artifact: Artifact,
  number: number,
): Promise<Version | undefined> {
  const { versions } = artifact.state;
  const entry = versions === null ? undefined : await find(source, versions, versionKey(number));
  return entry === undefined ? undefined : versionOf(source, entry);
}

/** The newest live version, or undefined if there is none. Reads a few nodes, however many versions there are. */
export async function findLatest(source: NodeSource, artifact: Artifact): Promise<Version | undefined> {
  for await (const [entry] of newestEntries(source, artifact, artifact.state.next))
    return versionOf(source, entry);
  return undefined;
}

/** The tombstone of a deleted version, or undefined. */
export async function findTombstone(
  source: NodeSource,
  artifact: Artifact,
  number: number,
): Promise<Tombstone | undefined> {
  const { tombstones } = artifact.state;
  const entry = tombstones === null ? undefined : await find(source, tombstones, versionKey(number));
  return entry === undefined ? undefined : tombstoneOf(entry);
}

/**
 * The live version whose commit is `commit`: the newest, should several have it. `hint` is looked at first: where it
 * once was. Without a good hint it reads the whole map.
 */
export async function findVersionOfCommit(
  source: NodeSource,
  artifact: Artifact,
  commit: Digest,
  hint: number | null = null,
): Promise<Version | undefined> {
  const hinted = hint === null ? undefined : await findVersion(source, artifact, hint);
  if (hinted && Buffer.compare(hinted.commit, commit) === 0) return hinted;
  for await (const batch of newestEntries(source, artifact, artifact.state.next)) {
    const entry = batch.find(({ digest }) => Buffer.compare(digest, commit) === 0);
    if (entry) return versionOf(source, entry);
  }
  return undefined;
}

/** Live versions whose hash begins as `hash` says, newest first, at most `limit`, and none with the same commit twice. */
export async function findByHash(
  source: NodeSource,
  artifact: Artifact,
  hash: string,
  limit: number,
): Promise<readonly Version[]> {
  const prefix = parseHashPrefix(hash);
  const found: MapEntry[] = [];
  for await (const batch of newestEntries(source, artifact, artifact.state.next)) {
    for (const entry of batch) {
      if (prefix.kind === CHUNK || !hasHashPrefix(entry.digest, prefix)) continue;
      if (found.some(({ digest }) => Buffer.compare(digest, entry.digest) === 0)) continue;
      found.push(entry);
      if (found.length === limit) return versionsOf(source, found);
    }
  }
  return versionsOf(source, found);
}

/** Live versions, in batches of at most ~1,000. Reads only what it yields, and a few nodes more. */
export async function* listVersions(
  source: NodeSource,
  artifact: Artifact,
  options: ListOptions = {},
): AsyncGenerator<readonly Version[], void, undefined> {
  const { newestFirst = false, before = artifact.state.next, limit = Infinity } = options;
  const batches = newestFirst
    ? newestEntries(source, artifact, before)
    : oldestEntries(source, artifact, before);
  let left = limit;
  if (left <= 0) return;
  for await (const batch of batches) {
    const wanted = batch.length > left ? batch.slice(0, left) : batch;
    left -= wanted.length;
    yield await versionsOf(source, wanted);
    if (left === 0) return;
  }
}

async function* oldestEntries(
  source: NodeSource,
  { state }: Artifact,
  before: number,
): AsyncGenerator<readonly MapEntry[], void, undefined> {
  if (state.versions === null) return;
  for await (const batch of entries(source, state.versions)) {
    const end = batch.findIndex(({ key }) => numberOfKey(key) >= before);
    const wanted = end < 0 ? batch : batch.slice(0, end);
    if (wanted.length > 0) yield wanted;
    if (end >= 0) return;
  }
}

/** Trees are walked forwards only: this walks windows of numbers, each below the last, and turns each around. */
async function* newestEntries(
  source: NodeSource,
  { state }: Artifact,
  before: number,
): AsyncGenerator<readonly MapEntry[], void, undefined> {
  let until = Math.min(before, state.next);
  let window = WINDOW;
  while (state.versions !== null && until > 0) {
    const from = Math.max(0, until - window);
    const { kept, dropped } = await entriesBetween(source, state.versions, from, until);
    if (kept.length > 0) yield kept.reverse();
    until = dropped ? numberOfKey(kept[kept.length - 1].key) : from;
    window = kept.length > 0 ? WINDOW_USUAL : 4 * window;
  }
}

/** The last KEPT_MAX entries with `from` <= number < `until`, and whether there were more. */
async function entriesBetween(
  source: NodeSource,
  root: Digest,
  from: number,
  until: number,
): Promise<{ kept: MapEntry[]; dropped: boolean }> {
  let kept: MapEntry[] = [];
  let dropped = false;
  for await (const batch of entries(source, root, { from: versionKey(from) })) {
    const end = batch.findIndex(({ key }) => numberOfKey(key) >= until);
    kept.push(...(end < 0 ? batch : batch.slice(0, end)));
    if (kept.length > 2 * KEPT_MAX || (end >= 0 && kept.length > KEPT_MAX)) {
      kept = kept.slice(-KEPT_MAX);
      dropped = true;
    }
    if (end >= 0) break;
  }
  return { kept, dropped };
}

async function versionOf(source: NodeSource, entry: MapEntry): Promise<Version> {
  const [version] = await versionsOf(source, [entry]);
  return version;
}
