/** Plans a checkout: merges disk, held, moving and wanted path by path, before anything is written. */
import { realpathSync, statSync } from 'node:fs';
import { ArtError, Closing, compareUtf8, equalBytes, fileError, isArtError } from '#base';
import { FOLDER, type Digest, type MapEntry } from '#object';
import type { PlanOptions } from './checkout-options.ts';
import { CheckoutPlan } from './checkout-plan.ts';
import { ContentReader } from './content-reader.ts';
import { Decider } from './decider.ts';
import type { DiskEntry } from './disk-entry.ts';
import { DiskContent, DiskWalk } from './disk-walk.ts';
import { foldsNames } from './folding.ts';
import { GitGuard } from './git-guard.ts';
import { PathFilter } from './path-filter.ts';
import { Work } from './progress.ts';
import { scan } from './scan.ts';
import { StatCacheReader } from './stat-cache.ts';
import { TreeWalk } from './tree-walk.ts';
import { reaperOf } from './unfinished.ts';

const PATHS_A_LOOK = 64;

/**
 * Decides for each path what a checkout does. A file is an uncommitted change only if its content differs from held,
 * moving and wanted alike; one that is missing is restored; untracked and ignored files stay.
 * Raises TREE_UNSAFE (a path that may not be written, a file that is also a folder, names that the target folder takes
 * for one), FILE_UNREADABLE, FILE_CHANGED, INTERRUPTED. Conflicts are counted in the plan, not raised.
 */
export async function planCheckout(options: PlanOptions): Promise<CheckoutPlan> {
  const plan = new CheckoutPlan(options.tmpDir);
  try {
    await decideAll(options, plan);
    return plan;
  } catch (error) {
    plan[Symbol.dispose]();
    throw error;
  }
}

async function decideAll(options: PlanOptions, plan: CheckoutPlan): Promise<void> {
  const { source, held, wanted, statCache } = options;
  const filter = new PathFilter(options.paths);
  using cache = statCache === undefined ? undefined : StatCacheReader.open(statCache);
  using disk = new DiskWalk(batchesOf(options, filter, plan.stamp));
  // Trees that are the same tree are walked once.
  const heldIsWanted = same(held, wanted);
  const moving = options.moving?.filter((tree) => !same(tree, wanted) && !same(tree, held)) ?? [];
  await using wantedWalk = await TreeWalk.open(source, wanted, filter);
  await using heldWalk = await TreeWalk.open(source, heldIsWanted ? undefined : held, filter);
  await using closing = new Closing();
  const ourWalks = [heldWalk];
  for (const tree of moving) {
    const walk = await TreeWalk.open(source, tree, filter);
    closing.defer(() => walk[Symbol.asyncDispose]());
    ourWalks.push(walk);
  }
  const walks = [wantedWalk, ...ourWalks];
  const work = new Work(options);
  const content = new DiskContent(readerFor(options, work), cache);
  const decider = new Decider(options, plan, { filter, folds: foldsNames(options.dir) });
  const guard = new GitGuard(options);
  const cacheIsCurrent = cache?.epoch === options.epoch;

  // A folder without a name in it that we once filled, and shall not fill again, is left over from us.
  const wasFilled = ({ kind, path }: DiskEntry) =>
    kind === FOLDER &&
    ourWalks.some((walk) => walk.path?.startsWith(path) === true) &&
    wantedWalk.path?.startsWith(path) !== true;

  const had: (MapEntry | undefined)[] = [];
  for (let n = 1; ; n++) {
    let path = disk.path;
    for (const walk of walks) path = least(path, walk.path);
    if (path === undefined) break;
    const isOnDisk = disk.path === path;
    const found = isOnDisk ? disk.entry : disk.inIgnoredFolder(path);
    const want = entryAt(wantedWalk, path);
    const guarding = want === undefined ? undefined : guard.check(path);
    if (guarding !== undefined) await guarding;
    had.length = 0;
    if (heldIsWanted) had.push(want);
    for (const walk of ourWalks) had.push(entryAt(walk, path));
    if (found !== undefined) {
      content.stand(found);
      const reading = content.resolve(want, ...had);
      if (reading !== undefined) await reading;
    }
    decider.decide(path, want, found, {
      tracked: had.some((entry) => entry !== undefined),
      ours: found !== undefined && (had.some((entry) => content.equals(entry)) || wasFilled(found)),
      equal: found !== undefined && content.equals(want),
      recalled: cacheIsCurrent && found !== undefined ? content.recalled : undefined,
    });
    if (isOnDisk) disk.advance();
    for (const walk of walks) {
      const more = walk.path === path ? walk.advance() : undefined;
      if (more !== undefined) await more;
    }
    const turn = n % PATHS_A_LOOK === 0 ? work.turn() : undefined;
    if (turn !== undefined) await turn;
  }
  decider.end();
}

function* batchesOf(options: PlanOptions, filter: PathFilter, nowMs: number): Generator<DiskEntry[], void> {
  const { dir, tmpDir, stopAt, onRepository } = options;
  let folder: string;
  try {
    folder = realpathSync(dir);
    if (!statSync(folder).isDirectory()) {
      throw new ArtError('UNCOMMITTED_CHANGES', `${JSON.stringify(dir)} is not a folder, and would be lost`, {
        hint: 'Name a folder, or move what is there out of the way.',
      });
    }
  } catch (error) {
    const known = fileError(error, dir);
    if (isArtError(known, 'PATH_NOT_FOUND')) return;
    throw known;
  }
  yield* scan({
    folder,
    tmpDir,
    filter,
    irregular: 'report',
    ignored: 'report',
    ...(stopAt === undefined ? {} : { stopAt }),
    ...(onRepository === undefined ? {} : { onRepository }),
    ...(options.dryRun === true ? {} : { onTemporary: reaperOf({ folder, tmpDir, nowMs }) }),
  });
}

function readerFor(options: PlanOptions, work: Work): ContentReader {
  const { signal } = options;
  return new ContentReader({
    pause: () => work.turn({ now: true }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function same(a: Digest | undefined, b: Digest | undefined): boolean {
  return a !== undefined && b !== undefined && equalBytes(a, b);
}

function entryAt(walk: TreeWalk, path: string): MapEntry | undefined {
  return walk.path === path ? walk.entry : undefined;
}

function least(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || a === b) return b;
  return b === undefined || compareUtf8(a, b) < 0 ? a : b;
}
