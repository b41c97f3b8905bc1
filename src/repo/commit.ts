/** Commits folders as versions: snapshot outside the lock, number and names under it. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { ArtError, Closing } from '#base';
import type { Transaction } from '#store';
import type { ArtifactName } from '#version';
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
import { findLiveHeld, getCommit } from './find.ts';
import { checkType, decideVersion, wouldBe } from './new-version.ts';
import type { Decided, NewContent } from './new-version.ts';
import { findArtifact, publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';
import { refusePartial } from './partial.ts';
import { rebegun } from './rebegun.ts';
import { warnIfGitWouldTake, writePins, writeWantedText } from './wanted-files.ts';

/**
 * Commits what the request names, all in one step. Unchanged content makes no new version.
 * Raises NOTHING_BOUND, PATH_NOT_FOUND, BOUND_PATH_GONE, PARTIAL_FOLDER, TYPE_MISMATCH, NAME_INVALID, NAME_TAKEN,
 * BINDING_CONFLICT, METADATA_INVALID, DESCRIPTION_INVALID, what reading files raises, and what `composeVersion`, `addPart` and `finishDraft`
 * raise.
 */
export async function commit(context: Context, request: CommitRequest): Promise<CommitResult[]> {
  if (request.description !== undefined) checkDescription(request.description);
  if (request.finish !== undefined) return [await finishDraft(context, request, request.finish)];
  if (request.part !== undefined) return [await addPart(context, request, request.part)];
  if (isComposed(request)) return [await composeVersion(context, request)];
  const plans = planCommit(context, request);
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
    await refuseEarly(context, request, plan);
    const { rawBytes, storedBytes } = { ...tx.stats };
    const taken = await snapshotOf(context, tx, plan);
    closing.defer(() => taken[Symbol.dispose]());
    snapshots.push(taken);
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
  const all = await publishOperation(tx, context, decide);
  for (const taken of snapshots) taken.published();
  // Still under the lock: the database stays open until the transaction ends.
  for (const { wantedText, folder } of plans) {
    if (wantedText === undefined) continue;
    writeWantedText(context.root, wantedText);
    if (folder !== undefined) warnIfGitWouldTake(context, folder);
  }
  const pins = all.flatMap(
    ({ commit, number }, i): [ArtifactName, { commit: Uint8Array; number: number }][] =>
      plans[i].bound ? [[plans[i].name, { commit, number }]] : [],
  );
  writePins(context.root, new Map(pins));
  return all.map(({ result }) => result);
}

async function refuseEarly(context: Context, request: CommitRequest, plan: CommitPlan): Promise<void> {
  const artifact = await findArtifact(context.store, plan.name);
  if (artifact !== undefined) checkType(artifact, plan.type);
  if (plan.folder === undefined) return;
  const held = await findLiveHeld(context.store, plan.folder);
  refusePartial(plan, held);
  if (request.paths !== undefined || request.allowEmpty) return;
  const there = statSync(plan.folder, { throwIfNoEntry: false })?.isDirectory() === true;
  const hadFiles = held !== undefined && (await getCommit(context.store, held.commit)).files > 0;
  if (!there || (hadFiles && readdirSync(plan.folder).length === 0)) {
    throw new ArtError(
      'BOUND_PATH_GONE',
      `the folder ${JSON.stringify(plan.folder)} of "${plan.name}" is ${there ? 'empty' : 'gone'}`,
    );
  }
}

function contentOf(plan: CommitPlan, { root, files, bytes }: Snapshot, counts: Counts): NewContent {
  const { folder, bound } = plan;
  return { naming: plan, tree: root.digest, files, bytes, ...counts, folder, bound };
}

function snapshotOf(context: Context, tx: Transaction, plan: CommitPlan): Promise<Snapshot> {
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
