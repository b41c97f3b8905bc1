/** Plans a checkout: merges disk, held, moving and wanted path by path, before anything is written. */
import { realpathSync, statSync } from 'node:fs';
import { ArtError, Closing, compareUtf8, equalBytes, fileError, isArtError } from '#base';
import { FOLDER, type Digest, type MapEntry } from '#object';
import type { PlanOptions } from './checkout-options.ts';
import { CheckoutPlan } from './checkout-plan.ts';
import { ContentReader } from './content-reader.ts';
import { Decider, type Facts } from './decider.ts';
import type { DiskEntry } from './disk-entry.ts';
import { DiskContent, DiskWalk } from './disk-walk.ts';
import { foldsNames } from './folding.ts';
import { GitGuard } from './git-guard.ts';
import { PathFilter } from './path-filter.ts';
import { Work } from './progress.ts';
import { scan } from './scan.ts';
import { StatCacheReader } from './stat-cache.ts';
import { TreeWalk } from './tree-walk.ts';
import { reaperOf, unfinishedPrefix } from './unfinished.ts';

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
  await using closing = new Closing();
  const walks: TreeWalk[] = [];
  for (const tree of [wanted, heldIsWanted ? undefined : held, ...moving]) {
    const walk = await TreeWalk.open(source, tree, filter);
    closing.defer(() => walk[Symbol.asyncDispose]());
    walks.push(walk);
  }
  const work = new Work(options);
  const merge = new Merge({
    disk,
    wanted: walks[0],
    ours: walks.slice(1),
    heldIsWanted,
    content: new DiskContent(readerFor(options, work), cache),
    cacheIsCurrent: cache?.epoch === options.epoch,
    guard: new GitGuard(options),
    decider: new Decider(options, plan, {
      filter,
      folds: foldsNames(options.dir, unfinishedPrefix(options.dir, options.tmpDir)),
    }),
  });
  for (let n = 1; ; n++) {
    const path = merge.path;
    if (path === undefined) break;
    const looking = merge.look(path);
    if (looking !== undefined) await looking;
    merge.decide(path);
    const passing = merge.pass(path);
    if (passing !== undefined) await passing;
    const turn = n % PATHS_A_LOOK === 0 ? work.turn() : undefined;
    if (turn !== undefined) await turn;
  }
  merge.end();
}

interface Merged {
  readonly disk: DiskWalk;
  readonly wanted: TreeWalk;
  /** What was or may have been put there. */
  readonly ours: readonly TreeWalk[];
  readonly heldIsWanted: boolean;
  readonly content: DiskContent;
  readonly cacheIsCurrent: boolean;
  readonly guard: GitGuard;
  readonly decider: Decider;
}

/** Disk and trees side by side. Small steps, so that V8 soon has each of them compiled. */
class Merge {
  readonly #by: Merged;
  #want: MapEntry | undefined;
  #found: DiskEntry | undefined;
  readonly #had: (MapEntry | undefined)[] = [];

  constructor(by: Merged) {
    this.#by = by;
  }

  /** The first path that is left anywhere. */
  get path(): string | undefined {
    let path = least(this.#by.disk.path, this.#by.wanted.path);
    for (const walk of this.#by.ours) path = least(path, walk.path);
    return path;
  }

  /** Looks what all have at `path`; wait for what it gives, if anything. */
  look(path: string): Promise<void> | undefined {
    const { disk, wanted, ours, heldIsWanted, guard } = this.#by;
    this.#found = disk.path === path ? disk.entry : disk.inIgnoredFolder(path);
    this.#want = entryAt(wanted, path);
    this.#had.length = 0;
    if (heldIsWanted) this.#had.push(this.#want);
    for (const walk of ours) this.#had.push(entryAt(walk, path));
    const guarding = this.#want === undefined ? undefined : guard.check(path);
    return guarding === undefined ? this.#read() : guarding.then(() => this.#read());
  }

  #read(): Promise<void> | undefined {
    if (this.#found === undefined) return undefined;
    this.#by.content.stand(this.#found);
    return this.#by.content.resolve(this.#want, ...this.#had);
  }

  decide(path: string): void {
    const { content, cacheIsCurrent, decider } = this.#by;
    const found = this.#found;
    const tracked = this.#had.some((entry) => entry !== undefined);
    if (found === undefined) return decider.decide(path, this.#want, undefined, tracked ? GONE : NOWHERE);
    decider.decide(path, this.#want, found, {
      tracked,
      ours: this.#had.some((entry) => content.equals(entry)) || this.#wasFilled(found),
      equal: content.equals(this.#want),
      recalled: cacheIsCurrent ? content.recalled : undefined,
    });
  }

  /** Leaves `path` behind; wait for what it gives, if anything. One after another: what fails first is what is raised. */
  pass(path: string): Promise<void> | undefined {
    const { disk, wanted, ours } = this.#by;
    if (disk.path === path) disk.advance();
    let passing = wanted.path === path ? wanted.advance() : undefined;
    for (const walk of ours) {
      if (walk.path !== path) continue;
      passing = passing === undefined ? walk.advance() : passing.then(() => walk.advance());
    }
    return passing;
  }

  end(): void {
    this.#by.decider.end();
  }

  /** A folder without a name in it that we once filled, and shall not fill again, is left over from us. */
  #wasFilled({ kind, path }: DiskEntry): boolean {
    const { wanted, ours } = this.#by;
    return (
      kind === FOLDER &&
      ours.some((walk) => walk.path?.startsWith(path) === true) &&
      wanted.path?.startsWith(path) !== true
    );
  }
}

/** What there is to know of a path where nothing is found: it was there, or not. */
const GONE: Facts = { tracked: true, ours: false, equal: false, recalled: undefined };
const NOWHERE: Facts = { ...GONE, tracked: false };

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
