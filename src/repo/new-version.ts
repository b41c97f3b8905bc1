/** Makes content the next version of an artifact, or finds that it is one already; under the lock. */
import { ArtError, equalBytes } from '#base';
import { NODE, encodeCommit, formatCid, hash, placeMetadata } from '#object';
import type { Digest } from '#object';
import {
  addTags,
  addVersion,
  aliasesByNumber,
  editVersion,
  findLatest,
  findVersionOfCommit,
  isDeleted,
  encodeReliance,
  promiseKeys,
  setAlias,
} from '#version';
import type { Artifact, Origin, TypeName, Version } from '#version';
import { begun } from './begun.ts';
import type { Naming } from './commit-plan.ts';
import type { CommitRequest, CommitResult } from './commit-request.ts';
import type { Context } from './context.ts';
import { withDescription } from './describe.ts';
import { findLiveHeld, getCommit } from './find.ts';
import type { Draft } from './operation.ts';
import { addMetadata } from './set-metadata.ts';
import { promisedAnything } from './promises.ts';
import { settledHeld } from './unfinished.ts';

/** What a version is to hold, stored but named by nothing yet. */
export interface NewContent {
  readonly naming: Naming;
  readonly tree: Digest;
  readonly files: number;
  readonly bytes: number;
  readonly newBytes: number;
  readonly storedBytes: number;
  /** The folder it was taken from. */
  readonly folder?: string | undefined;
  /** Whether that is the bound one. */
  readonly bound?: boolean;
  /** Whether the folder holds the version from then on. */
  readonly holds?: boolean;
  /** What it was put together on. */
  readonly onto?: Origin | null;
}

export interface Decided {
  readonly result: CommitResult;
  readonly commit: Digest;
  readonly number: number;
}

/** Content equal to what it is measured against makes no version; what is said about it still applies. */
export async function decideVersion(
  context: Context,
  request: CommitRequest,
  draft: Draft,
  content: NewContent,
): Promise<Decided> {
  const { naming, tree } = content;
  const found = await draft.findArtifact(naming.name);
  if (found !== undefined) checkType(found, naming.type);
  const artifact = await begun(context, draft, found, naming);
  const latest = await findLatest(draft, artifact);
  const held = await heldVersion(context, draft, artifact, content);
  // A path that was named is measured against `latest`, the bound one against what it holds.
  const measure = request.paths === undefined ? (held ?? latest) : latest;
  if (measure !== undefined && equalBytes((await getCommit(draft, measure.commit)).tree, tree))
    return keepVersion(context, request, draft, artifact, measure, content);
  const parent = content.onto?.commit ?? measure?.commit;
  const commit = putCommit(context, request, draft, content, parent);
  const added = await addVersion(draft, artifact, {
    commit,
    bytes: content.bytes,
    tags: naming.tags,
    producers: context.run === null ? [] : [context.run],
  });
  const named = await describe(draft, added.artifact, added.number, request, naming);
  await draft.setArtifact(named);
  // Below what was not read anew, bytes may be promised: those of `--onto`, and of files that did not change.
  if (await promisedAnything(draft))
    draft.setRecord(
      promiseKeys.reliedBy(commit),
      encodeReliance({ version: `${naming.name}:v${added.number}` }),
    );
  hold(context, draft, content, { number: added.number, commit });
  const base = baseNumber(content, held ?? latest);
  const behind = base === undefined || latest === undefined ? 0 : Math.max(0, latest.number - base);
  return decided(named, { number: added.number, commit }, content, {
    created: true,
    base,
    behind,
    latest: added.number,
  });
}

/** Says what is new about a version that has this content already. */
export async function keepVersion(
  context: Context,
  request: CommitRequest,
  draft: Draft,
  artifact: Artifact,
  version: Version,
  content: NewContent,
): Promise<Decided> {
  const { number, commit } = version;
  let named = artifact;
  if (content.naming.tags.length > 0) named = await addTags(draft, named, number, content.naming.tags);
  if (request.metadata !== undefined) named = await addMetadata(draft, named, number, request.metadata);
  named = await describe(draft, named, number, request, content.naming);
  if (named !== artifact) await draft.setArtifact(named);
  hold(context, draft, content, version);
  const latest = await findLatest(draft, named);
  const behind = latest === undefined ? 0 : latest.number - number;
  return decided(named, { number, commit }, content, {
    created: false,
    base: number,
    behind,
    latest: latest?.number,
  });
}

/** What a dry run says: a version that was not made has no name. */
export function wouldBe({ result }: Decided): CommitResult {
  return { ...result, cid: result.created ? null : result.cid };
}

/** Raises TYPE_MISMATCH. */
export function checkType(artifact: Artifact, type: TypeName | undefined): void {
  const { name, type: has } = artifact.state;
  if (type !== undefined && type !== has && !isDeleted(artifact))
    throw new ArtError('TYPE_MISMATCH', `"${name}" is of type "${has}", not "${type}"`);
}

/** The aliases of one version, `latest` first if it is the newest. */
export function aliasesOf(artifact: Artifact, number: number, latest: number | undefined): string[] {
  const aliases = aliasesByNumber(artifact).get(number) ?? [];
  return number === latest ? ['latest', ...aliases] : [...aliases];
}

/** The version that the bound folder holds, whole. Raises CHECKOUT_UNFINISHED for any folder between two versions. */
async function heldVersion(
  context: Context,
  draft: Draft,
  artifact: Artifact,
  { folder, tree, bound }: NewContent,
): Promise<Version | undefined> {
  const found = folder === undefined ? undefined : await findLiveHeld(draft, folder);
  const held = found && (await settledHeld(context, draft, found, tree));
  if (bound !== true || held === undefined || held.artifact !== artifact.state.name || held.partial)
    return undefined;
  return findVersionOfCommit(draft, artifact, held.commit, held.number);
}

// What was put together on another artifact's version has no base in its own.
function baseNumber({ naming, onto }: NewContent, measure: Version | undefined): number | undefined {
  if (onto === undefined || onto === null) return measure?.number;
  return onto.artifact === naming.name ? onto.number : undefined;
}

async function describe(
  draft: Draft,
  artifact: Artifact,
  number: number,
  { description }: CommitRequest,
  { aliases }: Naming,
): Promise<Artifact> {
  let named = artifact;
  if (description !== undefined)
    named = await editVersion(draft, named, number, (value) => withDescription(value, description));
  for (const alias of aliases) named = await setAlias(draft, named, alias, number);
  return named;
}

function hold(
  context: Context,
  draft: Draft,
  { naming, folder, tree, holds }: NewContent,
  { number, commit }: Pick<Version, 'number' | 'commit'>,
): void {
  if (folder === undefined || holds !== true) return;
  const held = { path: folder, artifact: naming.name, number, commit, tree };
  draft.setHeld({ ...held, partial: false, moving: [], time: context.now() });
}

function decided(
  artifact: Artifact,
  { number, commit }: Pick<Version, 'number' | 'commit'>,
  { naming, tree, files, bytes, newBytes, storedBytes }: NewContent,
  about: {
    readonly created: boolean;
    readonly base: number | undefined;
    readonly behind: number;
    readonly latest: number | undefined;
  },
): Decided {
  const result: CommitResult = {
    name: naming.name,
    version: `v${number}`,
    cid: formatCid({ kind: NODE, digest: commit }),
    tree: formatCid({ kind: NODE, digest: tree }),
    created: about.created,
    base: about.base === undefined ? null : `v${about.base}`,
    behind: about.behind,
    files,
    bytes,
    newBytes,
    storedBytes,
    aliases: aliasesOf(artifact, number, about.latest),
  };
  return { result, commit, number };
}

function putCommit(
  context: Context,
  request: CommitRequest,
  draft: Draft,
  { tree, files, bytes }: NewContent,
  parent: Digest | undefined,
): Digest {
  const metadata = placeMetadata(request.metadata ?? {});
  if (metadata.node) draft.putNode(metadata.node.digest, metadata.node.bytes);
  const encoded = encodeCommit({
    tree,
    parents: parent === undefined ? [] : [parent],
    message: request.message ?? '',
    author: context.author,
    time: context.now(),
    metadata: metadata.value,
    run: context.run,
    files,
    bytes,
    ext: {},
  });
  const digest = hash(encoded);
  draft.put(NODE, digest, encoded);
  return digest;
}
