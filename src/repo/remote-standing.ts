/** Tells how artifacts stand against remotes, by what was last seen there. Asks no remote. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes, formatCount } from '#base';
import type { Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import {
  changedNumbers,
  decodeSeen,
  findLatest,
  findVersion,
  listVersions,
  loadArtifact,
  parseArtifactName,
  remoteKeys,
  remoteOfKey,
} from '#version';
import type { Artifact, ArtifactName, RemoteSeen } from '#version';
import type { Context } from './context.ts';
import { artifactNames } from './find.ts';
import { findArtifact, nameSince, records } from './operation.ts';
import { listRemotes } from './remotes.ts';

export interface RemoteStanding {
  readonly name: string;
  /** Null: it was never seen at any. */
  readonly remote: string | null;
  /** Versions only we have. */
  readonly ahead: number;
  /** Versions only they have. */
  readonly behind: number;
  /** What the remote calls its newest. */
  readonly latest: string | null;
  /** What else changed here since both were alike, in words: `2 aliases`, `1 deletion`, `the description`. */
  readonly unpushed: readonly string[];
}

/** Whether anything is remembered of a remote's bucket: then there was one. */
export async function wasSeen({ store }: Context, remote: string): Promise<boolean> {
  return (await store.getRecord(remoteKeys.bucket(remote))) !== undefined;
}

/** What is remembered of `name` at each remote that has, or had, it. */
export async function remotesOf(
  source: RecordSource,
  name: ArtifactName,
): Promise<ReadonlyMap<string, RemoteSeen>> {
  const found = new Map<string, RemoteSeen>();
  for await (const { key, value } of records(source, remoteKeys.all)) {
    const of = remoteOfKey(key);
    if (of.name === name) found.set(of.remote, decodeSeen(value));
  }
  return found;
}

/** Numbers of live versions that no remote is known to have; none if there is no remote at all. */
export async function unpushedNumbers(context: Context, artifact: Artifact): Promise<ReadonlySet<number>> {
  const { store } = context;
  const remotes = await remotesOf(store, artifact.state.name as ArtifactName);
  if (remotes.size === 0) return listRemotes(context).length === 0 ? new Set() : liveNumbers(store, artifact);
  let unpushed: Set<number> | undefined;
  for (const { synced, seen } of remotes.values()) {
    for (const digest of [synced, seen]) {
      if (digest === null) continue;
      const lacking = await versionsLackedBy(store, artifact, await loadArtifact(store, digest));
      unpushed = unpushed === undefined ? lacking : new Set([...unpushed].filter((n) => lacking.has(n)));
    }
  }
  return unpushed ?? liveNumbers(store, artifact);
}

/** How artifacts stand against each remote they were seen at: all, or one, also under a name that was given up. */
export async function* standings(
  context: Context,
  only?: ArtifactName,
): AsyncGenerator<RemoteStanding, void, undefined> {
  const { store } = context;
  const seen = new Set<ArtifactName>();
  for await (const { key, value } of records(store, remoteKeys.all)) {
    const { remote, name: text } = remoteOfKey(key);
    const name = parseArtifactName(text);
    if (only !== undefined && name !== only) continue;
    seen.add(name);
    yield await standingAt(store, name, remote, decodeSeen(value));
  }
  if (listRemotes(context).length === 0) return;
  for (const name of only === undefined ? await artifactNames(store) : [only]) {
    const artifact = seen.has(name) ? undefined : await findArtifact(store, name);
    if (artifact === undefined) continue;
    const { versionCount: ahead } = artifact.state;
    yield { name, remote: null, ahead, behind: 0, latest: null, unpushed: [] };
  }
}

async function standingAt(
  store: Context['store'],
  name: ArtifactName,
  remote: string,
  { synced, seen }: RemoteSeen,
): Promise<RemoteStanding> {
  const load = async (digest: Digest | null) => (digest === null ? undefined : loadArtifact(store, digest));
  const [common, theirs, ours] = [await load(synced), await load(seen), await findArtifact(store, name)];
  const latest = theirs && (await findLatest(store, theirs));
  const about = { name, remote, latest: latest === undefined ? null : `v${latest.number}` };
  if (ours === undefined) {
    const since = await nameSince(store, name);
    const given = since === undefined ? 'that it is gone' : `its new name, ${since},`;
    const isToTell = common !== undefined && common.state.versionCount > 0;
    return { ...about, ahead: 0, behind: 0, unpushed: isToTell ? [given] : [] };
  }
  // What was in common and only one side has was deleted by the other.
  const newOf = async (has: Artifact, lacks: Artifact | undefined) => {
    let count = 0;
    for (const number of await versionsLackedBy(store, has, lacks))
      if (common === undefined || (await findVersion(store, common, number)) === undefined) count++;
    return count;
  };
  return {
    ...about,
    ahead: await newOf(ours, theirs),
    behind: theirs === undefined ? 0 : await newOf(theirs, ours),
    unpushed: common === undefined ? [] : await changesSince(store, common, ours),
  };
}

/** What differs but versions that were added, in words. */
async function changesSince(source: NodeSource, before: Artifact, after: Artifact): Promise<string[]> {
  const counts = { deletion: 0, edited: 0 };
  for (const number of await changedNumbers(source, before, after)) {
    const was = await findVersion(source, before, number);
    const is = await findVersion(source, after, number);
    if (was !== undefined && is === undefined) counts.deletion++;
    if (was !== undefined && is !== undefined) counts.edited++;
    if (was === undefined && is !== undefined && number < before.state.next) counts.edited++;
  }
  const [old, now] = [before.state.aliases, after.state.aliases];
  const aliases = [...new Set([...old.keys(), ...now.keys()])].filter(
    (alias) => old.get(alias) !== now.get(alias),
  );
  const said = (['type', 'description', 'tags'] as const).filter(
    (key) => !isDeepStrictEqual(before.state[key], after.state[key]),
  );
  return [
    ...(aliases.length > 0 ? [formatCount(aliases.length, 'alias', 'aliases')] : []),
    ...(counts.deletion > 0 ? [formatCount(counts.deletion, 'deletion')] : []),
    ...(counts.edited > 0 ? [`what was said of ${formatCount(counts.edited, 'version')}`] : []),
    ...said.map((key) => `the ${key}`),
  ];
}

/** Numbers of live versions of `has` whose commits are no live version of `lacks`. */
export async function versionsLackedBy(
  source: NodeSource,
  has: Artifact,
  lacks: Artifact | undefined,
): Promise<Set<number>> {
  const lacked = new Set<number>();
  const theirs = new Set<string>();
  const numbers = await changedNumbers(source, lacks, has);
  for (const number of numbers) {
    const version = lacks && (await findVersion(source, lacks, number));
    if (version !== undefined) theirs.add(Buffer.from(version.commit).toString('hex'));
  }
  for (const number of numbers) {
    const version = await findVersion(source, has, number);
    const other = lacks && (await findVersion(source, lacks, number));
    if (version === undefined || (other !== undefined && equalBytes(other.commit, version.commit))) continue;
    if (!theirs.has(Buffer.from(version.commit).toString('hex'))) lacked.add(number);
  }
  return lacked;
}

async function liveNumbers(source: NodeSource, artifact: Artifact): Promise<Set<number>> {
  const numbers = new Set<number>();
  for await (const batch of listVersions(source, artifact))
    for (const { number } of batch) numbers.add(number);
  return numbers;
}
