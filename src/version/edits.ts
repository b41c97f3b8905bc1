/** Edits an artifact: every edit gives a new value and leaves the old one as it was. */
import { ArtError, assert, compareUtf8 } from '#base';
import { ALIASES_MAX, TAGS_MAX } from '#object';
import type { ArtifactState, Digest, VersionValue } from '#object';
import type { NodeSink, NodeSource } from '#store';
import { MapBuilder, edit } from '#tree';
import type { MapEdit, MapRoot } from '#tree';
import type { Artifact } from './artifact.ts';
import type { Alias, Tag } from './names.ts';
import { aliasNotFound, getVersion } from './resolve.ts';
import { tombstoneEntry, versionEntry, versionKey } from './version.ts';
import type { Tombstone } from './version.ts';

/** Where the nodes of an artifact are read and put; what was put can be read back at once. */
export type ArtifactIo = NodeSource & NodeSink;

/** What a new version is made of; its number is the artifact's to give. */
export interface NewVersion {
  readonly commit: Digest;
  /** Bytes of all its files. */
  readonly bytes: number;
  readonly tags?: readonly Tag[];
  /** Ids of the runs that made it. */
  readonly producers?: readonly string[];
}

/** Adds a version under the next number. No alias moves: `latest` is whatever live version has the highest number. */
export async function addVersion(
  io: ArtifactIo,
  artifact: Artifact,
  { commit, bytes, tags = [], producers = [] }: NewVersion,
): Promise<{ readonly artifact: Artifact; readonly number: number }> {
  const number = artifact.state.next;
  const said = { tags: tagSet(tags), ttl: null, producers: [...producers] };
  const entry = versionEntry(io, { number, bytes, commit, ...said });
  const changed = await withVersions(io, artifact, { key: entry.key, entry });
  return { artifact: withState(changed, { next: number + 1 }), number };
}

/** Changes what is said about a live version. Raises VERSION_NOT_FOUND. */
export async function editVersion(
  io: ArtifactIo,
  artifact: Artifact,
  number: number,
  change: (value: VersionValue) => VersionValue,
): Promise<Artifact> {
  const { bytes, number: _, ...before } = await getVersion(io, artifact, number);
  const value = change(before);
  assert(value.commit === before.commit, 'a version never changes its commit');
  const entry = versionEntry(io, { number, bytes, ...value });
  return withVersions(io, artifact, { key: entry.key, entry });
}

/** Puts tags on a live version. Raises VERSION_NOT_FOUND. */
export function addTags(
  io: ArtifactIo,
  artifact: Artifact,
  number: number,
  tags: readonly Tag[],
): Promise<Artifact> {
  return editVersion(io, artifact, number, (value) => ({ ...value, tags: tagSet([...value.tags, ...tags]) }));
}

/** Takes tags off a live version; those it lacks are nothing to do. Raises VERSION_NOT_FOUND. */
export function removeTags(
  io: ArtifactIo,
  artifact: Artifact,
  number: number,
  tags: readonly Tag[],
): Promise<Artifact> {
  const gone = new Set<string>(tags);
  return editVersion(io, artifact, number, (value) => ({
    ...value,
    tags: value.tags.filter((tag) => !gone.has(tag)),
  }));
}

/** Records one more run that produced a live version. Raises VERSION_NOT_FOUND. */
export function addProducer(
  io: ArtifactIo,
  artifact: Artifact,
  number: number,
  run: string,
): Promise<Artifact> {
  return editVersion(io, artifact, number, (value) => {
    return value.producers.includes(run) ? value : { ...value, producers: [...value.producers, run] };
  });
}

/** Puts or moves an alias onto a live version. Raises VERSION_NOT_FOUND. */
export async function setAlias(
  source: NodeSource,
  artifact: Artifact,
  alias: Alias,
  number: number,
): Promise<Artifact> {
  await getVersion(source, artifact, number);
  const aliases = new Map(artifact.state.aliases).set(alias, number);
  if (aliases.size > ALIASES_MAX) {
    throw new ArtError('NAME_INVALID', `an artifact has at most ${ALIASES_MAX} aliases`);
  }
  return withState(artifact, { aliases });
}

/** Raises ALIAS_NOT_FOUND. */
export function removeAlias(artifact: Artifact, alias: Alias): Artifact {
  const aliases = new Map(artifact.state.aliases);
  if (!aliases.delete(alias)) throw aliasNotFound(artifact, alias);
  return withState(artifact, { aliases });
}

/** Sets what is said about an artifact as a whole. */
export function editArtifact(
  artifact: Artifact,
  changes: Partial<Pick<ArtifactState, 'name' | 'type' | 'description' | 'tags'>>,
): Artifact {
  const tags = changes.tags === undefined ? artifact.state.tags : tagSet(changes.tags);
  return withState(artifact, { ...changes, tags });
}

/** Who deleted versions, and when. */
export interface Deleter {
  readonly who: string;
  readonly when: number;
}

/**
 * Deletes live versions and their aliases, and leaves tombstones: their numbers are never used again. `numbers` ascend.
 * Raises VERSION_NOT_FOUND.
 */
export async function removeVersions(
  io: ArtifactIo,
  artifact: Artifact,
  numbers: readonly number[],
  by: Deleter,
): Promise<Artifact> {
  const gone: Tombstone[] = [];
  for (const number of numbers) {
    const { commit, bytes } = await getVersion(io, artifact, number);
    gone.push({ number, commit, bytes, ...by });
  }
  const removed = new Set(numbers);
  const aliases = [...artifact.state.aliases].filter(([, aliased]) => !removed.has(aliased));
  const changed = await applyEdits(io, artifact, {
    versions: numbers.map(absent),
    tombstones: gone.map(grave),
  });
  return withState(changed, { aliases: new Map(aliases) });
}

/** Changes of both maps of an artifact, each in the order of its keys. */
export interface VersionEdits {
  readonly versions: readonly MapEdit[];
  readonly tombstones: readonly MapEdit[];
}

/** The edit that takes the entry of `number` out of a map. */
export function absent(number: number): MapEdit {
  return { key: versionKey(number), entry: undefined };
}

/** The edit that puts up a tombstone. */
export function grave(tombstone: Tombstone): MapEdit {
  const entry = tombstoneEntry(tombstone);
  return { key: entry.key, entry };
}

/** Changes the maps of versions and tombstones; aliases are the caller's to keep in step. */
export async function applyEdits(io: ArtifactIo, artifact: Artifact, edits: VersionEdits): Promise<Artifact> {
  const versions = await editMap(io, artifact.state.versions, edits.versions);
  const tombstones = await editMap(io, artifact.state.tombstones, edits.tombstones);
  return withState(artifact, {
    versions: versions?.digest ?? null,
    versionCount: versions?.count ?? 0,
    bytes: versions?.bytes ?? 0,
    tombstones: tombstones?.digest ?? null,
    tombstoneCount: tombstones?.count ?? 0,
  });
}

function withVersions(io: ArtifactIo, artifact: Artifact, change: MapEdit): Promise<Artifact> {
  return applyEdits(io, artifact, { versions: [change], tombstones: [] });
}

/** The changed map, or undefined if it is now empty: a state has no empty maps. */
async function editMap(
  io: ArtifactIo,
  root: Digest | null,
  changes: readonly MapEdit[],
): Promise<MapRoot | undefined> {
  if (root !== null) {
    const changed = await edit(io, io, root, changes);
    return changed.count === 0 ? undefined : changed;
  }
  const entries = changes.flatMap(({ entry }) => entry ?? []);
  if (entries.length === 0) return undefined;
  const builder = new MapBuilder(io);
  for (const entry of entries) builder.add(entry);
  return builder.finish();
}

export function withState({ saved, state }: Artifact, changes: Partial<ArtifactState>): Artifact {
  return { saved, state: { ...state, ...changes } };
}

/** Sorted and each once: the same tags are the same bytes. */
export function tagSet(tags: readonly string[]): readonly string[] {
  const set = [...new Set(tags)].sort(compareUtf8);
  if (set.length > TAGS_MAX) throw new ArtError('NAME_INVALID', `a version has at most ${TAGS_MAX} tags`);
  return set;
}
