/** Tells how artifacts stand against remotes, by what was last seen there. Asks no remote. */
import { equalBytes } from '#base';
import type { NodeSource, RecordSource } from '#store';
import {
  changedNumbers,
  decodeSeen,
  findLatest,
  findVersion,
  listVersions,
  loadArtifact,
  remoteKeys,
  remoteOfKey,
} from '#version';
import type { Artifact, ArtifactName, RemoteSeen } from '#version';
import type { Context } from './context.ts';
import { findArtifact } from './operation.ts';
import { listRemotes } from './remotes.ts';

export interface RemoteStanding {
  readonly remote: string;
  /** Versions only we have. */
  readonly ahead: number;
  /** Versions only they have. */
  readonly behind: number;
  /** What the remote calls its newest. */
  readonly latest: string | null;
}

/** What is remembered of `name` at each remote that has, or had, it. */
export async function remotesOf(
  source: RecordSource,
  name: ArtifactName,
): Promise<ReadonlyMap<string, RemoteSeen>> {
  const found = new Map<string, RemoteSeen>();
  for (let after: string | undefined; ;) {
    const rows = await source.listRecords(remoteKeys.all, { limit: 1000, ...(after && { after }) });
    for (const { key, value } of rows) {
      const of = remoteOfKey(key);
      if (of.name === name) found.set(of.remote, decodeSeen(value));
    }
    if (rows.length < 1000) return found;
    after = rows[rows.length - 1].key;
  }
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

/** How `name` stands against each remote it was seen at. */
export async function standings(context: Context, name: ArtifactName): Promise<RemoteStanding[]> {
  const { store } = context;
  const ours = await findArtifact(store, name);
  const rows: RemoteStanding[] = [];
  for (const [remote, { seen }] of await remotesOf(store, name)) {
    const theirs = seen === null ? undefined : await loadArtifact(store, seen);
    if (ours === undefined) continue;
    const latest = theirs && (await findLatest(store, theirs));
    rows.push({
      remote,
      ahead: (await versionsLackedBy(store, ours, theirs)).size,
      behind: theirs === undefined ? 0 : (await versionsLackedBy(store, theirs, ours)).size,
      latest: latest === undefined ? null : `v${latest.number}`,
    });
  }
  return rows;
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
