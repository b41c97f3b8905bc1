/** Makes folders hold versions: plans every path before the first write, remembers what it put there. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ArtError, Closing, equalBytes, realPath } from '#base';
import type { ObjectStore } from '#store';
import { MapBuilder } from '#tree';
import type { ArtifactName, Held } from '#version';
import { PathFilter, Placer, applyPlan, compareFolder, download as restore, planCheckout } from '#worktree';
import type { CheckoutCounts, CheckoutOptions, CheckoutPlan } from '#worktree';
import type { CheckoutRequest, CheckoutResult } from './checkout-request.ts';
import { artifactsFolder, isWhole, makeArtifactsFolder, targetsOf, usualFolder } from './checkout-target.ts';
import type { Target } from './checkout-target.ts';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { findLiveHeld, getSpec } from './find.ts';
import { lockFolder } from './folder-lock.ts';
import { cidOf } from './look.ts';
import { keepLost } from './lost.ts';
import { NestedRepositories } from './nested.ts';
import { publishOperation } from './operation.ts';
import { heldPart } from './partial.ts';
import { PendingPins, repairPins } from './pending-pins.ts';
import { refusePrivate } from './private-folders.ts';
import { promisedAnything } from './promises.ts';
import { goalsLeft, withGoal } from './unfinished.ts';
import { bindInWanted, warnIfGitWouldTake } from './wanted-files.ts';

export interface VerifyResult {
  readonly ok: boolean;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly changed: readonly string[];
}

/** What is ignored gives way to no folder or file that is to stand there. */
const DESPITE_FORCE = 'Move them out of the way: --force removes nothing that is ignored.';

/**
 * Makes folders hold what the request names. Raises UNCOMMITTED_CHANGES before the first write, TREE_UNSAFE,
 * BINDING_CONFLICT, LOCKED, and what finding versions raises.
 */
export async function checkout(context: Context, request: CheckoutRequest): Promise<CheckoutResult[]> {
  await repairPins(context);
  const targets = await targetsOf(context, request);
  await using closing = new Closing();
  for (const { dir } of targets) await lockFolder(context, dir, closing);
  const placer = closing.use(new Placer());
  const steps: Step[] = [];
  for (const target of targets) steps.push(await planStep(context, request, { target, placer, closing }));
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
  refusePrivate(dir, context.root);
  await using closing = new Closing();
  await lockFolder(context, dir, closing);
  makeArtifactsFolder(context, dir);
  const { store, tmp } = context;
  const counts = await restore({
    dir,
    wanted: found.commit.tree,
    source: store,
    reader: store.reader(),
    gather: await gatherOf(store),
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

/** Undefined where nobody promised anything: then all is here, and need not be looked up twice. */
async function gatherOf(store: ObjectStore): Promise<CheckoutOptions['gather']> {
  return (await promisedAnything(store)) ? store.gather : undefined;
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
  readonly options: CheckoutOptions & { readonly placer: Placer };
  readonly plan: CheckoutPlan;
}

async function planStep(
  context: Context,
  request: CheckoutRequest,
  by: { readonly target: Target; readonly placer: Placer; readonly closing: Closing },
): Promise<Step> {
  const { target, placer, closing } = by;
  const { store, tmp, root } = context;
  const held = await findLiveHeld(store, target.dir);
  const nested = new NestedRepositories(target.dir);
  const options: Step['options'] = {
    dir: target.dir,
    held: held?.tree,
    moving: held?.moving.map((goal) => goal.tree),
    wanted: target.found.commit.tree,
    source: store,
    reader: store.reader(),
    gather: await gatherOf(store),
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
    placer,
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
  const { prefixes: paths } = new PathFilter(options.paths);
  const made: Held = {
    path: target.dir,
    artifact: target.name,
    number,
    commit,
    tree: target.found.commit.tree,
    partial: paths.length > 0,
    moving: [],
    time: context.now(),
  };
  const setsOut = plan.counts.written + plan.counts.removed > 0;
  if (setsOut) await setOut(context, { before, made, paths });
  await applyPlan(plan, options);
  const pins = new PendingPins(context);
  const note = () => pins.note(new Map(target.bound ? [[target.name, { commit, number }]] : []));
  await remember(context, { before, made, paths, setsOut, note });
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
    readonly paths: readonly string[];
    /** Whether the record says meanwhile where the folder was going. */
    readonly setsOut: boolean;
    readonly note: () => void;
  },
): Promise<void> {
  const { before, made, paths, setsOut, note } = what;
  await using tx = await context.store.begin();
  const tree = await heldPart(tx, before, made.tree, paths);
  const moving = goalsLeft(before, paths);
  const same =
    before !== undefined &&
    !setsOut &&
    before.moving.length === moving.length &&
    before.artifact === made.artifact &&
    before.partial === made.partial &&
    equalBytes(before.commit, made.commit) &&
    equalBytes(before.tree, tree);
  if (same) return note();
  await publishOperation(tx, context, async (draft) => {
    draft.setHeld({ ...made, tree, moving });
    note();
  });
}

/** Notes where the folder is going. */
async function setOut(
  context: Context,
  what: {
    readonly before: Held | undefined;
    readonly made: Held;
    readonly paths: readonly string[];
  },
): Promise<void> {
  const { before, made, paths } = what;
  await using tx = await context.store.begin();
  const goal = { commit: made.commit, tree: await heldPart(tx, before, made.tree, paths), paths };
  // Before the first checkout a folder holds nothing: not even by accident may its files count as ours.
  const start: Held = before ?? { ...made, tree: new MapBuilder(tx).finish().digest, partial: true };
  await publishOperation(tx, context, async (draft) =>
    draft.setHeld({ ...start, moving: withGoal(before, goal) }),
  );
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
