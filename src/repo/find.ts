/** Finds what a spec names, and what a folder holds. */
import { ArtError } from '#base';
import { decodeCommit } from '#object';
import type { Commit, Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import {
  LATEST,
  artifactNotFound,
  artifactOfKey,
  decodeHeld,
  decodeSeen,
  loadArtifact,
  parseSpec,
  recordKeys,
  remoteKeys,
  resolve,
} from '#version';
import type { Alias, Artifact, ArtifactName, Held, Version } from '#version';
import { findArtifact } from './operation.ts';

export interface FoundVersion {
  readonly artifact: Artifact;
  readonly version: Version;
  readonly commit: Commit;
}

/** Raises ARTIFACT_NOT_FOUND with the nearest name there is. */
export async function getArtifact(source: RecordSource & NodeSource, name: ArtifactName): Promise<Artifact> {
  const artifact = await findArtifact(source, name);
  if (artifact === undefined) throw artifactNotFound(name, await artifactNames(source));
  return artifact;
}

/** The version that `spec` names. Raises SPEC_INVALID, ARTIFACT_NOT_FOUND, VERSION_NOT_FOUND, ALIAS_NOT_FOUND, HASH_AMBIGUOUS. */
export async function getSpec(source: RecordSource & NodeSource, spec: string): Promise<FoundVersion> {
  const { name, selector, back } = parseSpec(spec);
  if (selector.by === 'alias' && selector.origin !== undefined)
    return getSeenThere(source, { name, origin: selector.origin, alias: selector.alias, back });
  const artifact = await getArtifact(source, name);
  const version = await resolve(source, artifact, selector, back);
  return { artifact, version, commit: await getCommit(source, version.commit) };
}

/** The version that an alias names at a remote, as it was last seen there. */
async function getSeenThere(
  source: RecordSource & NodeSource,
  asked: {
    readonly name: ArtifactName;
    readonly origin: string;
    readonly alias: Alias;
    readonly back: number;
  },
): Promise<FoundVersion> {
  const { name, origin, alias, back } = asked;
  const record = await source.getRecord(remoteKeys.seen(origin, name));
  const state = record === undefined ? null : decodeSeen(record).seen;
  if (state === null) {
    throw new ArtError('ALIAS_NOT_FOUND', `nothing is known of "${name}" at the remote "${origin}"`, {
      hint: `Run \`art fetch ${origin} ${name}\` to learn what is there.`,
    });
  }
  const artifact = await loadArtifact(source, state);
  const selector = alias === LATEST ? ({ by: 'latest' } as const) : ({ by: 'alias', alias } as const);
  const version = await resolve(source, artifact, selector, back);
  return { artifact, version, commit: await getCommit(source, version.commit) };
}

export async function getCommit(source: NodeSource, digest: Digest): Promise<Commit> {
  const [bytes] = await source.getNodes([digest]);
  return decodeCommit(bytes);
}

/** The names of all artifacts, in order. */
export async function artifactNames(source: RecordSource): Promise<ArtifactName[]> {
  const names: ArtifactName[] = [];
  for (let after: string | undefined; ;) {
    const rows = await source.listRecords(recordKeys.artifacts, {
      limit: 1000,
      ...(after !== undefined && { after }),
    });
    for (const { key } of rows) names.push(artifactOfKey(key)!);
    if (rows.length < 1000) return names;
    after = rows[rows.length - 1].key;
  }
}

/** What art last put or made in `folder`, if anything. */
export async function findHeld(source: RecordSource, folder: string): Promise<Held | undefined> {
  const bytes = await source.getRecord(recordKeys.held(folder));
  const held = bytes === undefined ? undefined : decodeHeld(bytes);
  return held?.path === folder ? held : undefined;
}
