/** Merges metadata that both sides changed, key by key. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes, isArtError } from '#base';
import { decodeCommit } from '#object';
import type { Metadata } from '#object';
import { metadataOf, placeBeside } from '#repo';
import type { ArtifactIo, Fate, Version } from '#version';
import type { History } from './merge.ts';

interface Sides {
  readonly base: History | undefined;
  readonly ours: History;
  readonly theirs: History;
}

/**
 * Our side, with the metadata that a version has of both where both changed it: of a key that both changed, ours. Large
 * metadata is put into `io`.
 */
export async function withMergedMetadata(io: ArtifactIo, { base, ours, theirs }: Sides): Promise<History> {
  const fates = new Map<number, Fate>();
  for (const [number, fate] of ours.fates) {
    const [mine, its] = [versionOf(fate), versionOf(theirs.fates.get(number))];
    const before = versionOf(base?.fates.get(number));
    const bothChanged =
      mine !== undefined &&
      its !== undefined &&
      equalBytes(mine.commit, its.commit) &&
      !sameMetadata(mine, its) &&
      !sameMetadata(mine, before) &&
      !sameMetadata(its, before);
    if (bothChanged) fates.set(number, { alive: true, version: await merged(io, before, mine, its) });
  }
  return fates.size === 0 ? ours : { ...ours, fates: new Map([...ours.fates, ...fates]) };
}

async function merged(
  io: ArtifactIo,
  before: Version | undefined,
  mine: Version,
  its: Version,
): Promise<Version> {
  const [bytes] = await io.getNodes([mine.commit]);
  const commit = decodeCommit(bytes!);
  const read = (version: Version | undefined) => metadataOf(io, version?.metadata ?? commit.metadata);
  const [old, here, there] = [await read(before), await read(mine), await read(its)];
  const both: Record<string, Metadata[string]> = {};
  for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
    const side = isDeepStrictEqual(here[key], old[key]) ? there : here;
    if (Object.hasOwn(side, key)) both[key] = side[key]!;
  }
  const { metadata: _, ...rest } = mine;
  try {
    const placed = placeBeside(io, commit.metadata, both);
    return placed === undefined ? rest : { ...rest, metadata: placed };
  } catch (error) {
    if (!isArtError(error, 'METADATA_INVALID')) throw error;
    return mine; // Both together are more than may be.
  }
}

function versionOf(fate: Fate | undefined): Version | undefined {
  return fate?.alive === true ? fate.version : undefined;
}

function sameMetadata(a: Version | undefined, b: Version | undefined): boolean {
  return isDeepStrictEqual(plain(a?.metadata), plain(b?.metadata));
}

// A digest may be a Buffer on one side and a plain array of bytes on the other.
function plain(value: Version['metadata']): unknown {
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}
