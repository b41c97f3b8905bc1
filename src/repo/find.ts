/** Finds what a spec names, and what a folder holds. */
import { ArtError, isArtError } from '#base';
import { decodeCommit } from '#object';
import type { Commit, Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import {
  LATEST,
  RENAMED_TO,
  artifactNotFound,
  artifactOfKey,
  decodeHeld,
  decodeRef,
  decodeSeen,
  findVersionOfCommit,
  isDeleted,
  loadArtifact,
  parseSpec,
  recordKeys,
  remoteKeys,
  resolve,
} from '#version';
import type { Alias, Artifact, ArtifactName, Held, Version, VersionSpec } from '#version';
import { findArtifact, nameSince, records } from './operation.ts';

export interface FoundVersion {
  readonly artifact: Artifact;
  readonly version: Version;
  readonly commit: Commit;
}

/** A living artifact. Raises ARTIFACT_NOT_FOUND with the nearest name there is. */
export async function getArtifact(source: RecordSource & NodeSource, name: ArtifactName): Promise<Artifact> {
  const artifact = await findArtifact(source, name);
  if (artifact !== undefined && !isDeleted(artifact)) return artifact;
  const to = await nameNow(source, name);
  if (to !== undefined)
    throw new ArtError('ARTIFACT_NOT_FOUND', `"${name}" is called "${to}" now`, {
      hint:
        (await findArtifact(source, to)) === undefined
          ? `\`art pull\` brings "${to}", if it is still there.`
          : `Write "${to}".`,
    });
  if (artifact === undefined) throw artifactNotFound(name, await artifactNames(source));
  throw new ArtError('ARTIFACT_NOT_FOUND', `artifact "${name}" was deleted`, {
    hint: '`art ops` shows by which operation; `art undo OP` takes it back.',
  });
}

/** What the artifact is called that gave up `name`, here or at a remote; undefined while the name is used, or never was. */
export async function nameNow(
  source: RecordSource & NodeSource,
  name: ArtifactName,
): Promise<ArtifactName | undefined> {
  let now: ArtifactName | undefined;
  for (const seen = new Set([name]); ;) {
    const at: ArtifactName = now ?? name;
    const artifact = await findArtifact(source, at);
    if (artifact !== undefined && !isDeleted(artifact)) return now;
    const to = artifact === undefined ? await nameSince(source, at) : artifact.state.ext[RENAMED_TO];
    // What a remote says may be no name at all.
    if (typeof to !== 'string' || seen.has(to as ArtifactName)) return now;
    now = to as ArtifactName;
    seen.add(now);
  }
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

/**
 * The version of `artifact`, as it is here, that a spec with its name means: one that an alias names at a remote has to
 * be here, too. Raises what `getSpec` raises.
 */
export async function resolveHere(
  source: RecordSource & NodeSource,
  artifact: Artifact,
  { name, selector, back }: VersionSpec,
): Promise<Version> {
  if (selector.by !== 'alias' || selector.origin === undefined)
    return resolve(source, artifact, selector, back);
  const { origin, alias } = selector;
  const { version } = await getSeenThere(source, { name, origin, alias, back });
  const here = await findVersionOfCommit(source, artifact, version.commit, version.number);
  if (here !== undefined) return here;
  throw new ArtError(
    'VERSION_NOT_FOUND',
    `"${name}:v${version.number}" of the remote "${origin}" is not here`,
    {
      hint: `Run \`art pull ${origin} ${name}\` to bring it.`,
    },
  );
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
  try {
    const version = await resolve(source, artifact, selector, back);
    return { artifact, version, commit: await getCommit(source, version.commit) };
  } catch (error) {
    if (!isArtError(error, 'ALIAS_NOT_FOUND')) throw error;
    throw new ArtError('ALIAS_NOT_FOUND', `${error.message} at the remote "${origin}" as last seen`, {
      hint: `Run \`art fetch ${origin} ${name}\` to see anew what is there.`,
    });
  }
}

export async function getCommit(source: NodeSource, digest: Digest): Promise<Commit> {
  const [bytes] = await source.getNodes([digest]);
  return decodeCommit(bytes);
}

/** The names of all living artifacts, in order. */
export async function artifactNames(source: RecordSource & NodeSource): Promise<ArtifactName[]> {
  const names: ArtifactName[] = [];
  for await (const { key, value } of records(source, recordKeys.artifacts)) {
    if (!isDeleted(await loadArtifact(source, decodeRef(value)))) names.push(artifactOfKey(key)!);
  }
  return names;
}

/** What art last put or made in `folder`, if anything. */
export async function findHeld(source: RecordSource, folder: string): Promise<Held | undefined> {
  const bytes = await source.getRecord(recordKeys.held(folder));
  const held = bytes === undefined ? undefined : decodeHeld(bytes);
  return held?.path === folder ? held : undefined;
}

/**
 * What a folder holds as far as it still counts: where its version was deleted or undone, the nearest one alive before
 * that, so that what only the folder has is an uncommitted change and no checkout takes it for something stored.
 */
export async function findLiveHeld(
  source: RecordSource & NodeSource,
  folder: string,
): Promise<Held | undefined> {
  const found = await findHeld(source, folder);
  if (found === undefined) return undefined;
  // Versions keep their numbers and commits under a new name.
  const named = await findArtifact(source, found.artifact);
  const to = named === undefined || isDeleted(named) ? await nameNow(source, found.artifact) : undefined;
  const artifact = (to && (await findArtifact(source, to))) ?? named;
  if (artifact === undefined) return found;
  const held = { ...found, artifact: artifact.state.name as ArtifactName };
  for (let at = held; ;) {
    const version = await findVersionOfCommit(source, artifact, at.commit, at.number);
    if (version !== undefined) return version.number === at.number ? at : { ...at, number: version.number };
    // A part is of no one version: none before it is what the folder holds.
    const parent = held.partial ? undefined : await parentOf(source, at.commit);
    if (parent === undefined) return undefined;
    at = { ...at, ...parent, number: Math.max(0, at.number - 1), moving: [] };
  }
}

/** The commit that `commit` was made from, if the store has both. */
async function parentOf(
  source: NodeSource,
  commit: Digest,
): Promise<{ readonly commit: Digest; readonly tree: Digest } | undefined> {
  try {
    const [parent] = (await getCommit(source, commit)).parents;
    return parent === undefined
      ? undefined
      : { commit: parent, tree: (await getCommit(source, parent)).tree };
  } catch (error) {
    if (isArtError(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
}
