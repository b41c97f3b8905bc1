/** Commits folders as versions: snapshot outside the lock, number and names under it. */
import { existsSync, statSync } from 'node:fs';
import { ArtError, Closing, formatCount } from '#base';
import type { Transaction } from '#store';
import type { ArtifactName, Held } from '#version';
import { snapshot } from '#worktree';
import type { Snapshot } from '#worktree';
import { planCommit } from './commit-plan.ts';
import type { CommitPlan } from './commit-plan.ts';
import type { CommitRequest, CommitResult } from './commit-request.ts';
import { composeVersion, isComposed } from './compose.ts';
import { statCacheOf, watched } from './context.ts';
import type { Context } from './context.ts';
import { addPart, finishDraft } from './drafts.ts';
import { checkDescription } from './describe.ts';
import { countingOnly, decideOnly } from './dry-run.ts';
import { findHeld, findLiveHeld, getCommit } from './find.ts';
import { NestedRepositories } from './nested.ts';
import { checkType, decideVersion, wouldBe } from './new-version.ts';
import type { Decided, NewContent } from './new-version.ts';
import { findArtifact, publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';
import { refusePartial } from './partial.ts';
import { rebegun } from './rebegun.ts';
import { renamedBinding } from './renamed-binding.ts';
import { PendingPins, repairPins } from './pending-pins.ts';
import type { Pins } from './pending-pins.ts';
import { warnIfNoRoom } from './room.ts';
import { holdsAnother } from './status.ts';
import { bindInWanted, readPins, warnIfGitWouldTake } from './wanted-files.ts';

/**
 * Commits what the request names, all in one step. Unchanged content makes no new version.
 * Raises NOTHING_BOUND, PATH_NOT_FOUND, BOUND_PATH_GONE, CHECKOUT_UNFINISHED, PARTIAL_FOLDER, TYPE_MISMATCH,
 * NAME_INVALID, NAME_TAKEN, BINDING_CONFLICT, METADATA_INVALID, DESCRIPTION_INVALID, what reading files raises, and what
 * `composeVersion`, `addPart` and `finishDraft` raise.
 */
export async function commit(context: Context, request: CommitRequest): Promise<CommitResult[]> {
  if (request.description !== undefined) checkDescription(request.description);
  if (request.finish !== undefined) return [await finishDraft(context, request, request.finish)];
  if (request.part !== undefined) return [await addPart(context, request, request.part)];
  if (isComposed(request)) return [await composeVersion(context, request)];
  await repairPins(context);
  const plans = planCommit(context, request);
  checkWanted(context, plans);
  await warnIfNoRoom(context, plans);
  const counts = plans.map(() => ({ newBytes: 0, storedBytes: 0 }));
  return rebegun(context.store, (tx) => commitPlans(context, tx, request, plans, counts));
}

/** What a plan added so far, in all attempts together. */
interface Counts {
  newBytes: number;
  storedBytes: number;
}

async function commitPlans(
  context: Context,
  real: Transaction,
  request: CommitRequest,
  plans: readonly CommitPlan[],
  counts: readonly Counts[],
): Promise<CommitResult[]> {
  const tx = request.dryRun ? countingOnly(real) : real;
  const contents: NewContent[] = [];
  await using closing = new Closing();
  const snapshots: Snapshot[] = [];
  for (const [i, plan] of plans.entries()) {
    const held = await refuseEarly(context, request, plan);
    const { rawBytes, storedBytes } = { ...tx.stats };
    const taken = await snapshotOf(context, tx, plan);
    closing.defer(() => taken[Symbol.dispose]());
    snapshots.push(taken);
    if (taken.files === 0) await refuseEmptied(context, request, plan, held);
    tx.settle();
    counts[i].newBytes += tx.stats.rawBytes - rawBytes;
    counts[i].storedBytes += tx.stats.storedBytes - storedBytes;
    contents.push(contentOf(plan, taken, counts[i]));
  }
  const decide = async (draft: Draft) => {
    const all: Decided[] = [];
    for (const content of contents) all.push(await decideVersion(context, request, draft, content));
    return all;
  };
  if (request.dryRun) return (await decideOnly(tx, context, decide)).map(wouldBe);
  const pins = new PendingPins(context);
  const all = await publishOperation(tx, context, async (draft) => {
    const decided = await decide(draft);
    checkWanted(context, plans); // Again: it may have been edited while files were read.
    pins.note(pinsOf(plans, decided));
    return decided;
  });
  for (const taken of snapshots) taken.published();
  // Still under the lock: the database stays open until the transaction ends.
  const results = all.map(({ result }) => result);
  writeWanted(context, plans, pins, results);
  return results;
}

/** Raises what is wrong with `art.toml` and `art.lock`: before anything is published, as both are written after it. */
function checkWanted({ root }: Context, plans: readonly CommitPlan[]): void {
  readPins(root);
  for (const { name, binds } of plans)
    if (binds !== undefined) bindInWanted(root, { name, path: binds }, { try: true });
}

function pinsOf(plans: readonly CommitPlan[], decided: readonly Decided[]): Pins {
  return new Map(
    decided.flatMap(({ commit, number }, i): [ArtifactName, { commit: Uint8Array; number: number }][] =>
      plans[i].bound ? [[plans[i].name, { commit, number }]] : [],
    ),
  );
}

/** A failure is told with what is true by then: the versions are there. */
function writeWanted(
  context: Context,
  plans: readonly CommitPlan[],
  pins: PendingPins,
  results: readonly CommitResult[],
): void {
  try {
    for (const { name, binds, folder } of plans) {
      if (binds === undefined) continue;
      bindInWanted(context.root, { name, path: binds });
      if (folder !== undefined) warnIfGitWouldTake(context, folder);
    }
    pins.write();
  } catch (error) {
    if (!(error instanceof ArtError)) throw error;
    const made = results.map(({ name, version }) => `${name}:${version}`).join(', ');
    throw new ArtError(error.code, `${made} is stored, but ${error.message}`, {
      cause: error,
      hint: 'Mend that and run the same command again: it makes no other version, and writes the file.',
    });
  }
}

/** Gives what the folder holds. */
async function refuseEarly(
  context: Context,
  request: CommitRequest,
  plan: CommitPlan,
): Promise<Held | undefined> {
  const { name, folder, bound, binding } = plan;
  const stale = binding && (await renamedBinding(context, binding));
  if (stale !== undefined) throw stale;
  const artifact = await findArtifact(context.store, name);
  if (artifact !== undefined) checkType(artifact, plan.type);
  if (folder === undefined) return undefined;
  const held = await findLiveHeld(context.store, folder);
  // Where a checkout was stopped, what is in the folder decides.
  if (held?.moving.length === 0) refusePartial(plan, held);
  if (bound && held === undefined) await warnIfHeldIsGone(context, folder);
  if (bound && held !== undefined && held.artifact !== name) context.onWarning?.(holdsAnother(held, name));
  const there = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!there && request.paths === undefined && !request.allowEmpty) throw boundPathGone(plan, 'is gone');
  return held;
}

/** What was put on a version that is gone, with all before it, is not known to lack what came after. */
async function warnIfHeldIsGone({ store, onWarning }: Context, folder: string): Promise<void> {
  const held = await findHeld(store, folder);
  if (held === undefined) return;
  const { path, artifact, number } = held;
  onWarning?.(
    `${JSON.stringify(path)} held ${artifact}:v${number}, which was deleted: what later versions changed may not be in it`,
  );
}

/** Raises BOUND_PATH_GONE if a bound folder has no file to commit any more: that is perhaps a slip. */
async function refuseEmptied(
  { store }: Context,
  { paths, allowEmpty }: CommitRequest,
  plan: CommitPlan,
  held: Held | undefined,
): Promise<void> {
  if (held === undefined || paths !== undefined || allowEmpty) return;
  const { files } = await getCommit(store, held.commit);
  if (files > 0) throw boundPathGone(plan, `has no file left of ${formatCount(files)}`);
}

function boundPathGone({ name, folder }: CommitPlan, why: string): ArtError {
  return new ArtError('BOUND_PATH_GONE', `the folder ${JSON.stringify(folder)} of "${name}" ${why}`);
}

function contentOf(plan: CommitPlan, { root, files, bytes }: Snapshot, counts: Counts): NewContent {
  const { folder, bound, holds } = plan;
  return { naming: plan, tree: root.digest, files, bytes, ...counts, folder, bound, holds };
}

async function snapshotOf(context: Context, tx: Transaction, plan: CommitPlan): Promise<Snapshot> {
  const { root, tmp } = context;
  const gone = plan.folder !== undefined && !existsSync(plan.folder);
  const nested = new NestedRepositories(plan.folder ?? context.folder);
  const taken = await snapshot({
    sources: gone ? [] : plan.sources,
    tx,
    statCache: statCacheOf(
      context,
      plan.sources.map(({ path }) => path),
    ),
    tmpDir: tmp,
    stopAt: root,
    onRepository: nested.onRepository,
    ...watched(context),
  });
  nested.tell(context);
  return taken;
}
