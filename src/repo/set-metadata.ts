/** Changes the metadata of a version. */
import { isDeepStrictEqual } from 'node:util';
import { equalBytes } from '#base';
import { isDigest, placeMetadata } from '#object';
import type { Digest, Metadata } from '#object';
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
  const { value: placed, node } = placeMetadata(metadata);
  const { commit } = await getVersion(draft, artifact, number);
  const isCommits = samePlaced(placed, (await getCommit(draft, commit)).metadata);
  if (node && !isCommits) draft.putNode(node.digest, node.bytes);
  return editVersion(draft, artifact, number, ({ metadata: _, ...value }) =>
    isCommits ? value : { ...value, metadata: placed },
  );
}

function samePlaced(a: Metadata | Digest, b: Metadata | Digest): boolean {
  return isDigest(a) ? isDigest(b) && equalBytes(a, b) : !isDigest(b) && isDeepStrictEqual(a, b);
}
