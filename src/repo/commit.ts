/** Commits folders as versions: snapshot outside the lock, number and names under it. */
import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ArtError, DigestTable, equalBytes, fileError, isArtError } from '#base';
import { CHUNK, NODE, encodeCommit, formatCid, hash, placeMetadata } from '#object';
import type { Digest, Metadata } from '#object';
import type { Transaction } from '#store';
import {
  addTags,
  addVersion,
  aliasesByNumber,
  bind,
  editVersion,
  findLatest,
  findVersionOfCommit,
  newArtifact,
  parseAlias,
  parseArtifactName,
  parseTag,
  parseTypeName,
  setAlias,
} from '#version';
import type { Alias, Artifact, ArtifactName, Binding, Tag, TypeName, Version } from '#version';
import { snapshot, sourcesByName } from '#worktree';
import type { Snapshot, SnapshotSource } from '#worktree';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { findHeld, getCommit } from './find.ts';
import { findArtifact, publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';
import {
  bindablePath,
  boundFolder,
  readWanted,
  readWantedText,
  writePins,
  writeWantedText,
} from './wanted-files.ts';

export interface CommitRequest {
  /** Absent: every bound artifact that changed. */
  readonly name?: string;
  /** Relative to the context's folder. Absent: the bound path. */
  readonly paths?: readonly string[];
  readonly type?: string;
  readonly message?: string;
  readonly aliases?: readonly string[];
  readonly tags?: readonly string[];
  readonly metadata?: Metadata;
  readonly description?: string;
  /** Absent: the first commit of one folder inside the work tree, outside runs. */
  readonly bind?: boolean;
  readonly allowEmpty?: boolean;
  readonly dryRun?: boolean;
}

export interface CommitResult {
  readonly name: string;
  readonly version: string;
  readonly cid: string | null;
  readonly tree: string;
  readonly created: boolean;
  /** The version the folder was made from, if there was one. */
  readonly base: string | null;
  /** How many versions are newer than that one. */
  readonly behind: number;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of content that the store did not have. */
  readonly newBytes: number;
  /** What they take on disk. */
  readonly storedBytes: number;
  readonly aliases: readonly string[];
}

const DEFAULT_TYPE = 'dataset';
/** How often a commit begins anew because gc took something it built on. */
const TRIES = 5;

/**
 * Commits what the request names, all in one step. Unchanged content makes no new version.
 * Raises NOTHING_BOUND, PATH_NOT_FOUND, BOUND_PATH_GONE, TYPE_MISMATCH, NAME_INVALID, NAME_TAKEN, BINDING_CONFLICT,
 * METADATA_INVALID, and what reading files raises.
 */
export async function commit(context: Context, request: CommitRequest): Promise<CommitResult[]> {
  const plans =
    request.name === undefined ? plansForAll(context, request) : [planFor(context, request, request.name)];
  for (let attempt = 1; ; attempt++) {
    try {
      return await commitPlans(context, request, plans);
    } catch (error) {
      if (!isArtError(error, 'REUSED_GONE') || attempt === TRIES) throw error;
    }
  }
}

interface Plan {
  readonly name: ArtifactName;
  readonly type: TypeName | undefined;
  readonly sources: readonly SnapshotSource[];
  /** The one folder whose contents become the root, if it is one. */
  readonly folder: string | undefined;
  /** Whether the folder is the one that the name is bound to. */
  readonly bound: boolean;
  /** The text of art.toml afterwards, if it is to change. */
  readonly wantedText: string | undefined;
  readonly aliases: readonly Alias[];
  readonly tags: readonly Tag[];
}

function plansForAll(context: Context, request: CommitRequest): Plan[] {
  const { bindings } = readWanted(context.root);
  if (bindings.size === 0) throw new ArtError('NOTHING_BOUND', 'no folder is bound to an artifact yet');
  return [...bindings.values()].map((binding) => boundPlan(context, request, binding));
}

function planFor(context: Context, request: CommitRequest, text: string): Plan {
  const name = parseArtifactName(text);
  const wantedText = readWantedText(context.root);
  const binding = readWanted(context.root).bindings.get(name);
  if (request.paths === undefined || request.paths.length === 0) {
    if (binding === undefined)
      throw new ArtError('NOTHING_BOUND', `"${name}" is bound to no folder`, {
        hint: `Name one: \`art commit ${name} PATH\`.`,
      });
    return boundPlan(context, request, binding);
  }
  const paths = request.paths.map((path) => resolve(context.folder, path));
  for (const path of paths) if (!existsSync(path)) throw missing(path);
  const folder = paths.length === 1 && statSync(paths[0]).isDirectory() ? realFolder(paths[0]) : undefined;
  const path = folder === undefined ? undefined : bindablePath(context.root, folder);
  const bound =
    binding !== undefined && folder !== undefined && boundFolder(context.root, binding) === folder;
  const wanted =
    request.bind ?? (binding === undefined && path !== undefined && path !== '.' && context.run === null);
  if (request.bind === true && path === undefined) {
    throw new ArtError(
      'BINDING_CONFLICT',
      `only a folder inside ${JSON.stringify(context.root)} can be bound to "${name}"`,
    );
  }
  const after = wanted && path !== undefined ? bind(wantedText, name, path) : wantedText;
  const sources = folder === undefined ? sourcesByName(paths) : [{ path: folder, dest: '' }];
  return {
    ...named(request, name),
    sources,
    folder,
    bound: bound || after !== wantedText,
    wantedText: after === wantedText ? undefined : after,
  };
}

function boundPlan(context: Context, request: CommitRequest, binding: Binding): Plan {
  const folder = boundFolder(context.root, binding);
  const plan = named(request, binding.name);
  const type = plan.type ?? binding.type;
  return { ...plan, type, sources: [{ path: folder, dest: '' }], folder, bound: true, wantedText: undefined };
}

function named(request: CommitRequest, name: ArtifactName): Pick<Plan, 'name' | 'type' | 'aliases' | 'tags'> {
  return {
    name,
    type: request.type === undefined ? undefined : parseTypeName(request.type),
    aliases: (request.aliases ?? []).map(parseAlias),
    tags: (request.tags ?? []).map(parseTag),
  };
}

function missing(path: string): ArtError {
  const dangling = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const why = dangling ? 'is a link to nothing' : 'does not exist';
  return new ArtError('PATH_NOT_FOUND', `${JSON.stringify(path)} ${why}`);
}

// The way to the folder is followed, so that one folder has one name.
function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw fileError(error, path);
  }
}

interface Taken {
  readonly plan: Plan;
  readonly snapshot: Snapshot;
  readonly newBytes: number;
  readonly storedBytes: number;
}

async function commitPlans(
  context: Context,
  request: CommitRequest,
  plans: readonly Plan[],
): Promise<CommitResult[]> {
  await using real = await context.store.begin();
  const tx = request.dryRun ? countingOnly(real) : real;
  const taken: Taken[] = [];
  for (const plan of plans) {
    await refuseEarly(context, request, plan);
    const { rawBytes, storedBytes } = { ...tx.stats };
    const taking = await take(context, tx, plan);
    const newBytes = tx.stats.rawBytes - rawBytes;
    taken.push({ plan, snapshot: taking, newBytes, storedBytes: tx.stats.storedBytes - storedBytes });
  }
  const decide = async (draft: Draft) => {
    const results: CommitResult[] = [];
    for (const one of taken) results.push(await decideOne(context, request, draft, one));
    return results;
  };
  if (request.dryRun) return dryRun(context, real, decide);
  const results = await publishOperation(real, context, decide);
  // Still under the lock: the database stays open until the transaction ends.
  for (const { plan } of taken)
    if (plan.wantedText !== undefined) writeWantedText(context.root, plan.wantedText);
  const pins = results.flatMap((result, i) =>
    taken[i].plan.bound ? [[taken[i].plan.name, pinOf(result)] as const] : [],
  );
  writePins(context.root, new Map(pins));
  return results.map(publicResult);
}

interface Decided extends CommitResult {
  readonly commit: Digest;
  readonly number: number;
}

function pinOf(result: CommitResult): { readonly commit: Digest; readonly number: number } {
  const { commit: digest, number } = result as Decided;
  return { commit: digest, number };
}

function publicResult(result: CommitResult): CommitResult {
  const { commit: _, number: __, ...shown } = result as Decided;
  return shown;
}

async function refuseEarly(context: Context, request: CommitRequest, plan: Plan): Promise<void> {
  const artifact = await findArtifact(context.store, plan.name);
  if (artifact !== undefined) checkType(artifact, plan.type);
  if (plan.folder === undefined || request.paths !== undefined || request.allowEmpty) return;
  const there = statSync(plan.folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const held = await findHeld(context.store, plan.folder);
  const hadFiles = held !== undefined && (await getCommit(context.store, held.commit)).files > 0;
  if (!there || (hadFiles && readdirSync(plan.folder).length === 0)) {
    throw new ArtError(
      'BOUND_PATH_GONE',
      `the folder ${JSON.stringify(plan.folder)} of "${plan.name}" is ${there ? 'empty' : 'gone'}`,
    );
  }
}

function checkType(artifact: Artifact, type: TypeName | undefined): void {
  const { name, type: has } = artifact.state;
  if (type !== undefined && type !== has)
    throw new ArtError('TYPE_MISMATCH', `"${name}" is of type "${has}", not "${type}"`);
}

async function take(context: Context, tx: Transaction, plan: Plan): Promise<Snapshot> {
  const { root, tmp } = context;
  const gone = plan.folder !== undefined && !existsSync(plan.folder);
  return snapshot({
    sources: gone ? [] : plan.sources,
    tx,
    statCache: statCacheOf(
      context,
      plan.sources.map(({ path }) => path),
    ),
    tmpDir: tmp,
    stopAt: root,
    ...watched(context),
  });
}

async function decideOne(
  context: Context,
  request: CommitRequest,
  draft: Draft,
  taken: Taken,
): Promise<Decided> {
  const { plan, snapshot: made, newBytes, storedBytes } = taken;
  const found = await draft.findArtifact(plan.name);
  if (found !== undefined) checkType(found, plan.type);
  const type = plan.type ?? parseTypeName(DEFAULT_TYPE);
  let artifact = found ?? newArtifact({ name: plan.name, type });
  const latest = await findLatest(draft, artifact);
  const base = (await heldVersion(draft, artifact, plan)) ?? latest;
  const baseTree = base === undefined ? undefined : (await getCommit(draft, base.commit)).tree;
  const created = base === undefined || baseTree === undefined || !equalBytes(baseTree, made.root.digest);
  let version: { readonly number: number; readonly commit: Digest };
  if (created) {
    const digest = putCommit(context, request, draft, made, base);
    const producers = context.run === null ? [] : [context.run];
    const added = await addVersion(draft, artifact, {
      commit: digest,
      bytes: made.bytes,
      tags: plan.tags,
      producers,
    });
    artifact = added.artifact;
    version = { number: added.number, commit: digest };
  } else {
    version = base;
    if (plan.tags.length > 0) artifact = await addTags(draft, artifact, version.number, plan.tags);
    if (request.metadata !== undefined)
      artifact = await setMetadata(draft, artifact, version.number, request.metadata);
  }
  const { description } = request;
  if (description !== undefined) {
    artifact = await editVersion(draft, artifact, version.number, (value) => ({ ...value, description }));
  }
  for (const alias of plan.aliases) artifact = await setAlias(draft, artifact, alias, version.number);
  if (artifact !== found) await draft.setArtifact(artifact);
  if (plan.folder !== undefined) {
    const held = {
      path: plan.folder,
      artifact: plan.name,
      number: version.number,
      commit: version.commit,
      tree: made.root.digest,
    };
    draft.setHeld({ ...held, partial: false, moving: null, time: context.now() });
  }
  const behind = base === undefined || latest === undefined ? 0 : latest.number - base.number;
  return {
    name: plan.name,
    version: `v${version.number}`,
    cid: formatCid({ kind: NODE, digest: version.commit }),
    tree: formatCid({ kind: NODE, digest: made.root.digest }),
    created,
    base: base === undefined ? null : `v${base.number}`,
    behind,
    files: made.files,
    bytes: made.bytes,
    newBytes,
    storedBytes,
    aliases: aliasesOf(artifact, version.number),
    commit: version.commit,
    number: version.number,
  };
}

// An explicit path is measured against `latest`, the bound one against what it holds.
async function heldVersion(draft: Draft, artifact: Artifact, plan: Plan): Promise<Version | undefined> {
  if (!plan.bound || plan.folder === undefined) return undefined;
  const held = await findHeld(draft, plan.folder);
  if (held === undefined || held.artifact !== plan.name || held.partial) return undefined;
  return findVersionOfCommit(draft, artifact, held.commit, held.number);
}

function putCommit(
  context: Context,
  request: CommitRequest,
  draft: Draft,
  made: Snapshot,
  base: Version | undefined,
): Digest {
  const metadata = placeMetadata(request.metadata ?? {});
  if (metadata.node) draft.putNode(metadata.node.digest, metadata.node.bytes);
  const bytes = encodeCommit({
    tree: made.root.digest,
    parents: base === undefined ? [] : [base.commit],
    message: request.message ?? '',
    author: context.author,
    time: context.now(),
    metadata: metadata.value,
    run: context.run,
    files: made.files,
    bytes: made.bytes,
    ext: {},
  });
  const digest = hash(bytes);
  draft.put(NODE, digest, bytes);
  return digest;
}

async function setMetadata(
  draft: Draft,
  artifact: Artifact,
  number: number,
  metadata: Metadata,
): Promise<Artifact> {
  const placed = placeMetadata(metadata);
  if (placed.node) draft.putNode(placed.node.digest, placed.node.bytes);
  return editVersion(draft, artifact, number, (value) => ({ ...value, metadata: placed.value }));
}

/** The aliases of one version, `latest` first if it is the newest. */
export function aliasesOf(artifact: Artifact, number: number, latest = artifact.state.next - 1): string[] {
  const aliases = aliasesByNumber(artifact).get(number) ?? [];
  return number === latest ? ['latest', ...aliases] : [...aliases];
}

/** A transaction that looks and counts but takes nothing. */
function countingOnly(tx: Transaction): Transaction {
  const seen = { [CHUNK]: new DigestTable(), [NODE]: new DigestTable() };
  const stats = { objects: 0, rawBytes: 0, storedBytes: 0 };
  const has: Transaction['has'] = (kind, digest) => seen[kind].has(digest) || tx.has(kind, digest);
  const put: Transaction['put'] = (kind, digest, bytes) => {
    if (has(kind, digest)) return false;
    seen[kind].add(digest);
    stats.objects++;
    stats.rawBytes += bytes.length;
    return true;
  };
  return {
    epoch: tx.epoch,
    stats,
    breathe: () => tx.breathe(),
    has,
    put,
    putNode: (digest, bytes) => void put(NODE, digest, bytes),
    rely: (kind, digest) => tx.rely(kind, digest),
    getNodes: (digests) => tx.getNodes(digests),
    publish: (decide) => tx.publish(decide),
    [Symbol.asyncDispose]: async () => {},
  };
}

class DryRun extends Error {
  readonly results: readonly CommitResult[];
  constructor(results: readonly CommitResult[]) {
    super();
    this.results = results;
  }
}

// Decides for real, under the lock, and then changes its mind: what it would have said is what it says.
async function dryRun(
  context: Context,
  tx: Transaction,
  decide: (draft: Draft) => Promise<CommitResult[]>,
): Promise<CommitResult[]> {
  try {
    return await publishOperation(tx, context, async (draft) => {
      throw new DryRun(await decide(draft));
    });
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
    return error.results.map((result) => ({
      ...publicResult(result),
      cid: result.created ? null : result.cid,
    }));
  }
}
