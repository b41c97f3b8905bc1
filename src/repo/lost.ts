/** Keeps what a checkout destroys, as a snapshot that the operation log names, and puts it back on disk. */
import { ArtError, Closing, formatCount, isArtError } from '#base';
import { NODE, encodeCommit, hash } from '#object';
import type { Commit, Digest } from '#object';
import { folderOfRef } from '#version';
import type { Operation } from '#version';
import { Placer, applyPlan, planCheckout, rescue } from '#worktree';
import type { CheckoutOptions, CheckoutPlan, Rescued } from '#worktree';
import { watched } from './context.ts';
import type { Context } from './context.ts';
import { findLiveHeld, getCommit } from './find.ts';
import { lockFolder } from './folder-lock.ts';
import { publishOperation } from './operation.ts';
import { rebegun } from './rebegun.ts';

/**
 * Stores what the plans destroy and notes it as one operation, whose number it gives; null if they destroy nothing.
 * It is durable when this resolves.
 */
export async function keepLost(
  context: Context,
  plans: readonly { readonly dir: string; readonly plan: CheckoutPlan }[],
): Promise<number | null> {
  const losing = plans.filter(({ plan }) => plan.destroyCount > 0);
  if (losing.length === 0) return null;
  return rebegun(context.store, async (tx) => {
    const rescued: { readonly dir: string; readonly commit: Uint8Array }[] = [];
    for (const { dir, plan } of losing) {
      const lost = await rescue({ dir, plan, tx, ...watched(context) });
      rescued.push({ dir, commit: commitOf(context, lost) });
    }
    return publishOperation(tx, context, async (draft) => {
      for (const { dir, commit } of rescued) {
        const before = hash(commit);
        draft.put(NODE, before, commit);
        draft.noteFolder(dir, { before, after: null });
      }
      return draft.number;
    });
  });
}

function commitOf({ author, now, run }: Context, { root, files }: Rescued): Uint8Array {
  return encodeCommit({
    tree: root.digest,
    parents: [],
    message: 'what a checkout destroyed',
    author,
    time: now(),
    metadata: {},
    run,
    files,
    bytes: root.bytes,
    ext: {},
  });
}

/** A folder and the snapshot of what it lost. */
interface Loss {
  readonly dir: string;
  readonly commit: Digest;
}

/** An undo puts back what was lost, and loses nothing for it: it has no --force. */
const IN_THE_WAY = 'Commit them, or move them out of the way, then undo again.';

/** What folders lost by this operation; empty for operations on artifacts. */
function lossesOf({ changes }: Operation): readonly Loss[] {
  return changes.flatMap(({ ref, before }) => {
    const dir = folderOfRef(ref);
    return dir === undefined || before === null ? [] : [{ dir, commit: before }];
  });
}

/** Whether undoing the operation concerns files on disk. */
export function isOfFolders({ changes }: Operation): boolean {
  return changes.some(({ ref }) => folderOfRef(ref) !== undefined);
}

/**
 * Puts back what folders lost by `operation`, which it then counts as undone; gives in words what that is.
 * Raises UNCOMMITTED_CHANGES before the first write where newer work is in the way, UNDO_REFUSED, UNDO_GONE.
 */
export async function restoreLost(
  context: Context,
  operation: Operation,
  { dryRun }: { readonly dryRun: boolean },
): Promise<{ readonly words: readonly string[]; readonly op: number | null }> {
  const losses = lossesOf(operation);
  if (losses.length === 0)
    throw new ArtError('UNDO_REFUSED', `operation ${operation.number} put files back; they stay`, {
      hint: '`art checkout --force` makes a folder hold a version again.',
    });
  await using closing = new Closing();
  const placer = closing.use(new Placer());
  const steps: { readonly loss: Loss; readonly plan: CheckoutPlan; readonly options: CheckoutOptions }[] = [];
  for (const loss of losses) {
    await lockFolder(context, loss.dir, closing);
    const options = await optionsOf(context, loss, await snapshotOf(context, operation, loss), { dryRun });
    const plan = await planCheckout({ ...options, placer });
    closing.defer(() => plan[Symbol.dispose]());
    steps.push({ loss, plan, options });
  }
  for (const { loss, plan } of steps) plan.refuseConflicts(loss.dir, IN_THE_WAY);
  const words = steps.map(
    ({ loss, plan }) => `${formatCount(plan.counts.written, 'path')} back in ${loss.dir}`,
  );
  if (dryRun) return { words, op: null };
  for (const { plan, options } of steps) await applyPlan(plan, { ...options, placer });
  await using tx = await context.store.begin();
  const note = publishOperation(
    tx,
    context,
    async (draft) => {
      for (const { dir, commit } of losses) draft.noteFolder(dir, { before: null, after: commit });
      return draft.number;
    },
    { undoes: operation.number },
  );
  return { words, op: await note };
}

async function snapshotOf({ store }: Context, { number }: Operation, { commit }: Loss): Promise<Commit> {
  try {
    return await getCommit(store, commit);
  } catch (error) {
    if (!isArtError(error, 'OBJECT_NOT_FOUND')) throw error;
    throw new ArtError('UNDO_GONE', `what operation ${number} destroyed was freed by gc`, { cause: error });
  }
}

async function optionsOf(
  context: Context,
  { dir }: Loss,
  { tree }: Commit,
  { dryRun }: { readonly dryRun: boolean },
): Promise<CheckoutOptions> {
  const { store, tmp, root } = context;
  const held = await findLiveHeld(store, dir);
  return {
    dir,
    held: held?.tree,
    moving: held?.moving.map((goal) => goal.tree),
    wanted: tree,
    source: store,
    reader: store.reader(),
    tmpDir: tmp,
    stopAt: root,
    mode: 'overlay',
    epoch: await store.epoch(),
    dryRun,
    ...watched(context),
  };
}
