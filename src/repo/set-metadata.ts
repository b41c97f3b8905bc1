/** Reads and changes the metadata of a version. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes } from '#base';
import { decodeMetadata, isDigest, placeMetadata } from '#object';
import type { Digest, Metadata } from '#object';
import type { NodeSink, NodeSource } from '#store';
import { editVersion, getVersion } from '#version';
import type { Artifact } from '#version';
import { getCommit } from './find.ts';
import type { Draft } from './operation.ts';

/**
 * Makes `metadata` all that version `number` has. What its commit says already is not said again, so that equal
 * metadata is one value however it came about. Raises METADATA_INVALID, VERSION_NOT_FOUND.
 */
export async function setMetadata(
  draft: Draft,
  artifact: Artifact,
  number: number,
  metadata: Metadata,
): Promise<Artifact> {
  const { commit } = await getVersion(draft, artifact, number);
  const placed = placeBeside(draft, (await getCommit(draft, commit)).metadata, metadata);
  return editVersion(draft, artifact, number, ({ metadata: _, ...value }) =>
    placed === undefined ? value : { ...value, metadata: placed },
  );
}

/** Sets the keys of `metadata`; what else is said of the version stays. Raises METADATA_INVALID, VERSION_NOT_FOUND. */
export async function addMetadata(
  draft: Draft,
  artifact: Artifact,
  number: number,
  metadata: Metadata,
): Promise<Artifact> {
  const { commit, metadata: since } = await getVersion(draft, artifact, number);
  const before = await metadataOf(draft, since ?? (await getCommit(draft, commit)).metadata);
  return setMetadata(draft, artifact, number, { ...before, ...metadata });
}

/** Metadata, wherever it was placed. */
export async function metadataOf(source: NodeSource, placed: Metadata | Digest): Promise<Metadata> {
  if (!isDigest(placed)) return placed;
  const [bytes] = await source.getNodes([placed]);
  return decodeMetadata(bytes);
}

/** Where a version keeps `metadata`: nowhere, if it is `commits`, which its commit has. Raises METADATA_INVALID. */
export function placeBeside(
  sink: NodeSink,
  commits: Metadata | Digest,
  metadata: Metadata,
): Metadata | Digest | undefined {
  const { value: placed, node } = placeMetadata(metadata);
  if (samePlaced(placed, commits)) return undefined;
  if (node) sink.putNode(node.digest, node.bytes);
  return placed;
}

function samePlaced(a: Metadata | Digest, b: Metadata | Digest): boolean {
  return isDigest(a) ? isDigest(b) && equalBytes(a, b) : !isDigest(b) && isDeepStrictEqual(a, b);
}
