/** Reads and changes the metadata of versions, and tells what it was before. */
import { isDeepStrictEqual } from 'node:util';
import { ArtError, equalBytes, isArtError } from '#base';
import type { Digest, Metadata } from '#object';
import type { NodeSource } from '#store';
import { artifactOfKey, findVersion, loadArtifact } from '#version';
import type { Artifact, Version } from '#version';
import type { Context } from './context.ts';
import { getCommit, getSpec } from './find.ts';
import { isoTime } from './look.ts';
import { operations } from './operations.ts';
import { asVersion, publishEdit } from './publish-edit.ts';
import { metadataOf, setMetadata } from './set-metadata.ts';

export interface MetadataChange {
  /** Keys to set. */
  readonly set?: Metadata;
  /** Keys to remove; raises METADATA_KEY_NOT_FOUND for one that is not there. */
  readonly unset?: readonly string[];
}

export interface ChangedMetadata extends MetadataResult {
  /** Whether it was different before. */
  readonly changed: boolean;
}

export interface MetadataResult {
  readonly name: string;
  readonly version: string;
  readonly metadata: Metadata;
}

/** What the metadata was from one operation on. */
export interface MetadataRevision extends MetadataResult {
  /** The operation. */
  readonly op: number;
  /** ISO 8601. */
  readonly time: string;
  readonly user: string;
}

export async function readMetadata({ store }: Context, spec: string): Promise<ChangedMetadata> {
  const { artifact, version } = await getSpec(store, spec);
  return { ...(await resultOf(store, artifact, version)), changed: false };
}

/** Sets and removes keys; the rest stays. Raises METADATA_INVALID, and what finding the version raises. */
export async function changeMetadata(
  context: Context,
  spec: string,
  { set = {}, unset = [] }: MetadataChange,
): Promise<ChangedMetadata> {
  let isChanged = false;
  const { artifact, version } = await publishEdit(context, asVersion(spec), async (edited) => {
    const { draft, artifact: before, version: found } = edited;
    const { metadata } = await resultOf(draft, before, found!);
    const absent = unset.find((key) => !Object.hasOwn(metadata, key));
    if (absent !== undefined)
      throw new ArtError(
        'METADATA_KEY_NOT_FOUND',
        `${before.state.name}:v${found!.number} has no metadata ${JSON.stringify(absent)}`,
      );
    const left = Object.entries({ ...metadata, ...set }).filter(([key]) => !unset.includes(key));
    const changed: Metadata = Object.fromEntries(left);
    isChanged = !isDeepStrictEqual(changed, metadata);
    if (!isChanged) return before;
    return setMetadata(draft, before, found!.number, changed);
  });
  return { ...(await resultOf(context.store, artifact, version!)), changed: isChanged };
}

/**
 * Every metadata that the version had, newest first, by way of the operation log and the states it names. What gc freed
 * ends it: the oldest row is then the first that is still known.
 */
export async function* metadataHistory(
  { store }: Context,
  spec: string,
): AsyncGenerator<MetadataRevision, void, undefined> {
  const { artifact, version } = await getSpec(store, spec);
  let at: Artifact | undefined = artifact;
  for await (const { number, time, user, changes } of operations(store)) {
    const saved: Digest | null = at?.saved ?? null;
    if (at === undefined || saved === null) return;
    const made = changes.find(
      ({ ref, after }) => artifactOfKey(ref) !== undefined && after !== null && equalBytes(after, saved),
    );
    if (made === undefined) continue;
    // What it was here before; a state that was merged follows what the remote had.
    const before: Artifact | undefined = await loadKnown(store, made.before ?? at.state.previous);
    const [was, now] = [
      before && (await findVersion(store, before, version.number)),
      await findVersion(store, at, version.number),
    ];
    if (now !== undefined && (was === undefined || !isDeepStrictEqual(was.metadata, now.metadata)))
      yield { ...(await resultOf(store, artifact, now)), op: number, time: isoTime(time), user };
    at = before;
  }
}

async function loadKnown(source: NodeSource, state: Digest | null): Promise<Artifact | undefined> {
  if (state === null) return undefined;
  try {
    return await loadArtifact(source, state);
  } catch (error) {
    if (isArtError(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
}

async function resultOf(source: NodeSource, { state }: Artifact, version: Version): Promise<MetadataResult> {
  const placed = version.metadata ?? (await getCommit(source, version.commit)).metadata;
  return { name: state.name, version: `v${version.number}`, metadata: await metadataOf(source, placed) };
}
