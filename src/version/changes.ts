/** Compares the histories of two artifacts, and gives an artifact another history: many versions in one edit. */
import { compareBytes } from '#base';
import { TOMBSTONE, VERSION } from '#object';
import type { ArtifactState, Digest, MapEntry } from '#object';
import type { NodeSource } from '#store';
import { MapBuilder, diff, edit } from '#tree';
import type { MapEdit, MapRoot } from '#tree';
import type { Artifact } from './artifact.ts';
import type { ArtifactIo } from './edits.ts';
import { numberOfKey, tombstoneEntry, tombstoneOf, versionEntry, versionKey, versionsOf } from './version.ts';
import type { Tombstone, Version } from './version.ts';
import { findTombstone, findVersion } from './versions.ts';

/** What became of a number: it is a live version, or was deleted. */
export type Fate =
  | { readonly alive: true; readonly version: Version }
  | { readonly alive: false; readonly tombstone: Tombstone };

/** The numbers of which the two say different things; undefined is an artifact without any. Reads what differs only. */
export async function changedNumbers(
  source: NodeSource,
  before: Artifact | undefined,
  after: Artifact | undefined,
): Promise<Set<number>> {
  const numbers = new Set<number>();
  for (const map of ['versions', 'tombstones'] as const) {
    const [old, now] = [before?.state[map] ?? undefined, after?.state[map] ?? undefined];
    for await (const batch of diff(source, old, now))
      for (const { key } of batch) numbers.add(numberOfKey(key));
  }
  return numbers;
}

/** The fates of `numbers`; those that the artifact never gave are left out. */
export async function fatesOf(
  source: NodeSource,
  artifact: Artifact,
  numbers: Iterable<number>,
): Promise<Map<number, Fate>> {
  const fates = new Map<number, Fate>();
  for (const number of numbers) {
    const version = await findVersion(source, artifact, number);
    if (version !== undefined) fates.set(number, { alive: true, version });
    else {
      const tombstone = await findTombstone(source, artifact, number);
      if (tombstone !== undefined) fates.set(number, { alive: false, tombstone });
    }
  }
  return fates;
}

/** The fates of all numbers: for an artifact without anything to compare it with. */
export async function allFates(source: NodeSource, artifact: Artifact): Promise<Map<number, Fate>> {
  const fates = new Map<number, Fate>();
  for (const [map, kind] of [
    ['versions', VERSION],
    ['tombstones', TOMBSTONE],
  ] as const) {
    for await (const batch of diff(source, undefined, artifact.state[map] ?? undefined)) {
      const entries = batch.map(({ after }) => after!);
      if (kind === VERSION)
        for (const version of await versionsOf(source, entries))
          fates.set(version.number, { alive: true, version });
      else
        for (const tombstone of entries.map(tombstoneOf))
          fates.set(tombstone.number, { alive: false, tombstone });
    }
  }
  return fates;
}

/** The artifact with these numbers' fates, and everything else of `state` that is given; its counts follow. */
export async function withFates(
  io: ArtifactIo,
  artifact: Artifact,
  fates: ReadonlyMap<number, Fate>,
  state: Partial<ArtifactState>,
): Promise<Artifact> {
  const { versions, tombstones } = artifact.state;
  const live = await editMany(io, versions, fates, (fate) =>
    fate.alive ? versionEntry(io, fate.version) : undefined,
  );
  const dead = await editMany(io, tombstones, fates, (fate) =>
    fate.alive ? undefined : tombstoneEntry(fate.tombstone),
  );
  return {
    saved: artifact.saved,
    state: {
      ...artifact.state,
      ...state,
      ...(live !== 'same' && {
        versions: live?.digest ?? null,
        versionCount: live?.count ?? 0,
        bytes: live?.bytes ?? 0,
      }),
      ...(dead !== 'same' && { tombstones: dead?.digest ?? null, tombstoneCount: dead?.count ?? 0 }),
    },
  };
}

// Undefined is the empty map, which a state does not have.
async function editMany(
  io: ArtifactIo,
  root: Digest | null,
  fates: ReadonlyMap<number, Fate>,
  entryOf: (fate: Fate) => MapEntry | undefined,
): Promise<MapRoot | undefined | 'same'> {
  if (fates.size === 0) return 'same';
  const edits: MapEdit[] = [...fates].map(([number, fate]) => ({
    key: versionKey(number),
    entry: entryOf(fate),
  }));
  edits.sort((a, b) => compareBytes(a.key, b.key));
  if (root !== null) {
    const changed = await edit(io, io, root, edits);
    return changed.count === 0 ? undefined : changed;
  }
  const builder = new MapBuilder(io);
  let count = 0;
  for (const { entry } of edits) {
    if (entry === undefined) continue;
    builder.add(entry);
    count++;
  }
  return count === 0 ? undefined : builder.finish();
}
