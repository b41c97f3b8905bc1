/** Merges metadata that both sides changed, key by key. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes, isArtError } from '#base';
import { decodeCommit } from '#object';
import type { Metadata } from '#object';
import { metadataOf, placeBeside } from '#repo';
import type { ArtifactIo, Fate, Version } from '#version';
import { aliveAt } from './merge.ts';
import type { History } from './merge.ts';

interface Sides {
  readonly base: History | undefined;
  readonly ours: History;
  readonly theirs: History;
}

/**
 * Our side, with the metadata that a version has of both where both changed it: of a key that both changed, ours, which
 * `onOverruled` is told of. Large metadata is put into `io`.
 */
export async function withMergedMetadata(
  io: ArtifactIo,
  { base, ours, theirs }: Sides,
  onOverruled: (number: number, key: string) => void,
): Promise<History> {
  const fates = new Map<number, Fate>();
  for (const number of ours.fates.keys()) {
    const [mine, its, before] = [aliveAt(ours, number), aliveAt(theirs, number), aliveAt(base, number)];
    const bothChanged =
      mine !== undefined &&
      its !== undefined &&
      equalBytes(mine.commit, its.commit) &&
      !sameMetadata(mine, its) &&
      !sameMetadata(mine, before) &&
      !sameMetadata(its, before);
    if (!bothChanged) continue;
    const version = await merged(io, before, mine, its, (key) => onOverruled(number, key));
    fates.set(number, { alive: true, version });
  }
  return fates.size === 0 ? ours : { ...ours, fates: new Map([...ours.fates, ...fates]) };
}

async function merged(
  io: ArtifactIo,
  before: Version | undefined,
  mine: Version,
  its: Version,
  onOverruled: (key: string) => void,
): Promise<Version> {
  const [bytes] = await io.getNodes([mine.commit]);
  const commit = decodeCommit(bytes!);
  const read = (version: Version | undefined) => metadataOf(io, version?.metadata ?? commit.metadata);
  const [old, here, there] = [await read(before), await read(mine), await read(its)];
  const both: Record<string, Metadata[string]> = {};
  for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
    const side = isDeepStrictEqual(here[key], old[key]) ? there : here;
    if (Object.hasOwn(side, key)) both[key] = side[key]!;
    if (side === here && ![here[key], old[key]].some((said) => isDeepStrictEqual(said, there[key])))
      onOverruled(key);
  }
  const { metadata: _, ...rest } = mine;
  try {
    const placed = placeBeside(io, commit.metadata, both);
    return placed === undefined ? rest : { ...rest, metadata: placed };
  } catch (error) {
    if (!isArtError(error, 'METADATA_INVALID')) throw error;
    // Both together are more than may be.
    for (const key of Object.keys(there)) if (!isDeepStrictEqual(both[key], here[key])) onOverruled(key);
    return mine;
  }
}

function sameMetadata(a: Version | undefined, b: Version | undefined): boolean {
  return isDeepStrictEqual(plain(a?.metadata), plain(b?.metadata));
}

// A digest may be a Buffer on one side and a plain array of bytes on the other.
function plain(value: Version['metadata']): unknown {
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}
