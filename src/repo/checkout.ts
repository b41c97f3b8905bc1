/** Makes folders hold versions: plans every path before the first write, remembers what it put there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { ArtError, Closing, equalBytes, fileError } from '#base';
import { NODE } from '#object';
import { MapBuilder } from '#tree';
import { findVersionOfCommit, parseArtifactName } from '#version';
import type { ArtifactName, Held, Pin } from '#version';
import { PathFilter, applyPlan, compareFolder, download as restore, planCheckout, realPath } from '#worktree';
import type { CheckoutCounts, CheckoutOptions, CheckoutPlan } from '#worktree';
import { absentPin } from './absent-pin.ts';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { findLiveHeld, getArtifact, getCommit, getSpec } from './find.ts';
import type { FoundVersion } from './find.ts';
import { lockFolder } from './folder-lock.ts';
import { cidOf } from './look.ts';
import { keepLost } from './lost.ts';
import { NestedRepositories } from './nested.ts';
import { publishOperation } from './operation.ts';
import { heldPart, refusePartOf } from './partial.ts';
import { PendingPins, repairPins } from './pending-pins.ts';
import { bindingOf } from './status.ts';
import {
  bindInWanted,
  bindablePath,
  bindingAt,
  boundFolder,
  readPins,
  readWanted,
  warnIfGitWouldTake,
} from './wanted-files.ts';

export interface CheckoutRequest {
  /** The version; absent: what `art.lock` wants. */
  readonly spec?: string;
  /** Without `spec`: only these bound artifacts. */
  readonly names?: readonly string[];
  /** Relative to the context's folder. */
  readonly dir?: string;
  readonly paths?: readonly string[];
  readonly force?: boolean;
  readonly clean?: boolean;
  readonly bind?: boolean;
  readonly dryRun?: boolean;
}

export interface CheckoutResult {
  readonly name: string;
  readonly version: string;
  readonly cid: string;
  readonly dir: string;
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly bytes: number;
  /** Files with uncommitted changes, untracked files and empty folders that went; stored first. */
  readonly lost: number;
  /** The operation that stored them, and whose undo brings them back. */
  readonly undo: number | null;
}

export interface VerifyResult {
  readonly ok: boolean;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly string[];
}

interface Target {
  readonly name: ArtifactName;
  readonly found: FoundVersion;
  readonly dir: string;
  /** Whether the folder is the one the name is bound to, now or after this. */
  readonly bound: boolean;
  /** The path in art.toml that the name is to be bound to. */
  readonly binds: string | undefined;
}

/** What is ignored gives way to no folder or file that is to stand there. */
const DESPITE_FORCE = 'Move them out of the way: --force removes nothing that is ignored.';

/**
 * Makes folders hold what the request names. Raises UNCOMMITTED_CHANGES before the first write, TREE_UNSAFE,
 * BINDING_CONFLICT, LOCKED, and what finding versions raises.
 */
export async function checkout(context: Context, request: CheckoutRequest): Promise<CheckoutResult[]> {
  await repairPins(context);
  readPins(context.root); // What is wrong there is said before anything is written.
  const targets =
    request.spec === undefined
      ? await lockedTargets(context, request)
      : [await specTarget(context, request, request.spec)];
  await using closing = new Closing();
  for (const { dir } of targets) await lockFolder(context, dir, closing);
  const steps: Step[] = [];
  for (const target of targets) steps.push(await planStep(context, request, target, closing));
  for (const { plan, target } of steps)
    plan.refuseConflicts(target.dir, request.force ? DESPITE_FORCE : undefined);
  for (const step of steps) warnIfNothing(context, request, step);
  if (request.dryRun) return steps.map(({ target, plan }) => resultOf(target, plan.counts));
  // Durable before the first file goes: what only the folders have is stored, and `art undo` brings it back.
  const op = await keepLost(
    context,
    steps.map(({ target, plan }) => ({ dir: target.dir, plan })),
  );
  for (const step of steps) await carryOut(context, step);
  return steps.map(({ target, plan }) => ({
    ...resultOf(target, plan.counts),
    lost: plan.destroyCount,
    undo: plan.destroyCount > 0 ? op : null,
  }));
}

/** A plain copy, bound to nothing: files that differ are restored, extra ones left. */
export async function download(
  context: Context,
  request: { readonly spec: string; readonly dir?: string; readonly paths?: readonly string[] },
): Promise<CheckoutResult> {
  const found = await getSpec(context.store, request.spec);
  const name = found.artifact.state.name as ArtifactName;
  const separator = process.platform === 'win32' ? '-' : ':';
  const usual = join(artifactsFolder(context), `${name}${separator}v${found.version.number}`);
  const dir = realPath(request.dir === undefined ? usual : resolve(context.folder, request.dir));
  await using closing = new Closing();
  await lockFolder(context, dir, closing);
  makeArtifactsFolder(context, dir);
  const { store, tmp } = context;
  const counts = await restore({
    dir,
    wanted: found.commit.tree,
    source: store,
    reader: store.reader(),
    tmpDir: tmp,
    epoch: await store.epoch(),
    paths: request.paths,
    ...watched(context),
  });
  return resultOf({ name, found, dir, bound: false, binds: undefined }, counts);
}

/** Whether a folder holds exactly the version; every byte is read. Raises PATH_NOT_FOUND. */
export async function verify(context: Context, spec: string, dir?: string): Promise<VerifyResult> {
  const found = await getSpec(context.store, spec);
  const name = found.artifact.state.name as ArtifactName;
  const folder = dir === undefined ? usualFolder(context, name) : resolve(context.folder, dir);
  if (!existsSync(folder)) throw new ArtError('PATH_NOT_FOUND', `${JSON.stringify(folder)} does not exist`);
  const lists = { added: [] as string[], modified: [] as string[], removed: [] as string[] };
  const { store, tmp, root } = context;
  const compared = compareFolder({
    dir: folder,
    tree: found.commit.tree,
    source: store,
    tmpDir: tmp,
    stopAt: root,
    ignored: 'compared',
    ...watched(context),
  });
  for await (const batch of compared) for (const { path, change } of batch) lists[change].push(path);
  const ok = lists.added.length + lists.modified.length + lists.removed.length === 0;
  return { ok, missing: lists.removed, extra: lists.added, changed: lists.modified };
}

async function specTarget(context: Context, request: CheckoutRequest, spec: string): Promise<Target> {
  const found = await getSpec(context.store, spec);
  const name = found.artifact.state.name as ArtifactName;
  const binding = readWanted(context.root).bindings.get(name);
  const boundDir = binding === undefined ? undefined : boundFolder(context.root, binding);
  if (request.dir !== undefined) {
    const dir = realPath(resolve(context.folder, request.dir));
    const target = { name, found, dir, bound: dir === boundDir, binds: undefined };
    return checked(context, target, request);
  }
  if (boundDir !== undefined)
    return checked(context, { name, found, dir: boundDir, bound: true, binds: undefined }, request);
  const dir = usualFolder(context, name);
  const path = bindablePath(context.root, join(artifactsFolder(context), name));
  const binds = (request.bind ?? context.run === null) && isWhole(request.paths) ? path : undefined;
  if (binds !== undefined) bindInWanted(context.root, { name, path: binds }, { try: true });
  return checked(context, { name, found, dir, bound: binds !== undefined, binds }, request);
}

/** Raises BINDING_CONFLICT if the folder is bound to another artifact, or bound and to hold only part of this one. */
function checked(context: Context, target: Target, request: CheckoutRequest): Target {
  const { name, dir } = target;
  const owner = bindingAt(context.root, dir);
  if (owner !== undefined && owner.name !== name)
    throw new ArtError('BINDING_CONFLICT', `${JSON.stringify(dir)} is bound to "${owner.name}"`, {
      hint: `Name another folder, or \`art unbind ${owner.name}\` first.`,
    });
  if (!isWhole(request.paths)) refusePartOf(dir, owner);
  if (!request.dryRun) makeArtifactsFolder(context, dir);
  return target;
}

function isWhole(paths: readonly string[] | undefined): boolean {
  return new PathFilter(paths).all;
}

async function lockedTargets(context: Context, request: CheckoutRequest): Promise<Target[]> {
  const { bindings } = readWanted(context.root);
  const pins = readPins(context.root);
  if (bindings.size === 0)
    throw new ArtError('NOTHING_BOUND', 'no folder is bound to an artifact yet', {
      hint: 'Name a version: `art checkout NAME`.',
    });
  const chosen = request.names?.length
    ? request.names.map((name) => bindingOf(bindings, name))
    : [...bindings.values()];
  const targets: Target[] = [];
  for (const binding of chosen) {
    const pin = pins.get(binding.name);
    if (pin === undefined) {
      context.onWarning?.(`art.lock pins no version of "${binding.name}"; its folder stays as it is`);
      continue;
    }
    const found = await pinned(context, binding.name, pin);
    targets.push(
      checked(
        context,
        {
          name: binding.name,
          found,
          dir: boundFolder(context.root, binding),
          bound: true,
          binds: undefined,
        },
        request,
      ),
    );
  }
  return targets;
}

async function pinned(context: Context, name: ArtifactName, pin: Pin): Promise<FoundVersion> {
  const { store } = context;
  if ((await store.missing([{ kind: NODE, digest: pin.commit }])).length > 0)
    throw await absentPin(context, name, pin);
  const artifact = await getArtifact(store, parseArtifactName(name));
  const version = await findVersionOfCommit(store, artifact, pin.commit, pin.number);
  if (version === undefined) throw await absentPin(context, name, pin);
  return { artifact, version, commit: await getCommit(store, version.commit) };
}

function warnIfNothing(context: Context, { paths }: CheckoutRequest, { plan, target }: Step): void {
  const { written, removed, unchanged } = plan.counts;
  if (isWhole(paths) || written + removed + unchanged > 0) return;
  const shown = paths!.map((path) => JSON.stringify(path)).join(' or ');
  context.onWarning?.(`nothing in ${target.name}:v${target.found.version.number} begins with ${shown}`);
}

interface Step {
  readonly target: Target;
  readonly held: Held | undefined;
  readonly options: CheckoutOptions;
  readonly plan: CheckoutPlan;
}

async function planStep(
  context: Context,
  request: CheckoutRequest,
  target: Target,
  closing: Closing,
): Promise<Step> {
  const { store, tmp, root } = context;
  const held = await findLiveHeld(store, target.dir);
  const nested = new NestedRepositories(target.dir);
  const options: CheckoutOptions = {
    dir: target.dir,
    held: held?.tree,
    moving: held?.moving?.tree,
    wanted: target.found.commit.tree,
    source: store,
    reader: store.reader(),
    tmpDir: tmp,
    // A part has its own: it would leave only its own rows in that of the whole.
    statCache: statCacheOf(context, [target.dir, ...(request.paths ?? [])]),
    stopAt: root,
    paths: request.paths,
    mode: request.force ? 'force' : 'careful',
    clean: request.clean,
    onRepository: nested.onRepository,
    epoch: await store.epoch(),
    dryRun: request.dryRun,
    ...watched(context),
  };
  const plan = await planCheckout(options);
  closing.defer(() => plan[Symbol.dispose]());
  if (request.clean) nested.tell(context);
  return { target, held, options, plan };
}

// Where it is going is remembered before the first write, where it is after the last: a killed checkout's files are ours.
async function carryOut(context: Context, { target, held: before, options, plan }: Step): Promise<void> {
  const { commit, number } = target.found.version;
  const goal = { commit, tree: target.found.commit.tree };
  const paths = isWhole(options.paths) ? undefined : options.paths;
  const made: Held = {
    path: target.dir,
    artifact: target.name,
    number,
    ...goal,
    partial: paths !== undefined,
    moving: null,
    time: context.now(),
  };
  const changes = plan.counts.written + plan.counts.removed > 0;
  if (changes) {
    const start: Held = before ?? { ...made, tree: await emptyTree(context), partial: true };
    await setHeld(context, { ...start, moving: goal });
  }
  await applyPlan(plan, options);
  const pins = new PendingPins(context);
  const note = () => pins.note(new Map(target.bound ? [[target.name, { commit, number }]] : []));
  await remember(context, { before, made, paths, note });
  if (target.binds !== undefined) {
    bindInWanted(context.root, { name: target.name, path: target.binds });
    warnIfGitWouldTake(context, target.dir);
  }
  pins.write();
}

/** Notes what the folder holds now, if that is news; `note` is called before. */
async function remember(
  context: Context,
  what: {
    readonly before: Held | undefined;
    readonly made: Held;
    readonly paths: readonly string[] | undefined;
    readonly note: () => void;
  },
): Promise<void> {
  const { before, made, paths, note } = what;
  await using tx = await context.store.begin();
  const tree = paths === undefined ? made.tree : await heldPart(tx, before, made.tree, paths);
  const same =
    before !== undefined &&
    before.moving === null &&
    before.artifact === made.artifact &&
    before.partial === made.partial &&
    equalBytes(before.commit, made.commit) &&
    equalBytes(before.tree, tree);
  if (same) return note();
  await publishOperation(tx, context, async (draft) => {
    draft.setHeld({ ...made, tree });
    note();
  });
}

async function setHeld(context: Context, held: Held): Promise<void> {
  await using tx = await context.store.begin();
  await publishOperation(tx, context, async (draft) => draft.setHeld(held));
}

// Before the first checkout a folder holds nothing: not even by accident may its files count as ours.
async function emptyTree(context: Context): Promise<Uint8Array> {
  await using tx = await context.store.begin();
  const { digest } = new MapBuilder(tx).finish();
  await tx.publish(async () => undefined);
  return digest;
}

function resultOf({ name, found, dir }: Target, counts: CheckoutCounts): CheckoutResult {
  const { written, removed, unchanged, bytes } = counts;
  return {
    name,
    version: `v${found.version.number}`,
    cid: cidOf(found.version.commit),
    dir,
    written,
    removed,
    unchanged,
    bytes,
    lost: 0,
    undo: null,
  };
}

/** The bound folder of an artifact, else its place under the artifacts folder. */
function usualFolder(context: Context, name: ArtifactName): string {
  const binding = readWanted(context.root).bindings.get(name);
  return binding === undefined
    ? realPath(join(artifactsFolder(context), name))
    : boundFolder(context.root, binding);
}

function artifactsFolder(context: Context): string {
  return resolve(context.folder, context.artifactsFolder);
}

// Beside Git the whole folder is data: it says so itself, once, when it is made for the first `dir` in it.
function makeArtifactsFolder(context: Context, dir: string): void {
  const folder = realPath(artifactsFolder(context));
  if (!dir.startsWith(join(folder, sep)) || existsSync(folder)) return;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, '.gitignore'), '*\n');
  } catch (error) {
    throw fileError(error, folder);
  }
}
