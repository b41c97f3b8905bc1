/** Decides what a checkout does with one path after the other, and what must go because it is in the way. */
import { join } from 'node:path';
import { ArtError, EMPTY_BYTES } from '#base';
import { FILE, FOLDER, REFERENCE, SYMLINK, type Digest, type MapEntry } from '#object';
import type { Conflict, PlanOptions } from './checkout-options.ts';
import type { CheckoutPlan } from './checkout-plan.ts';
import { IRREGULAR, findStats, type DiskEntry } from './disk-entry.ts';
import { TwinWatch } from './folding.ts';
import { Lengths } from './lengths.ts';
import type { PathFilter } from './path-filter.ts';
import { checkTreePath } from './paths.ts';
import { KEEP, PlanRowWriter, REMOVE, WRITE } from './plan-row.ts';

/** What is known of a path beside what is wanted and what is found there. */
export interface Facts {
  /** It is in the held tree or a moving one. */
  readonly tracked: boolean;
  /** What is found has the content that one of those has: nothing is lost with it. */
  readonly ours: boolean;
  /** What is found has the wanted content; the exec bit may differ. */
  readonly equal: boolean;
  /** The digest of what is found, if the store is known to have it. */
  readonly recalled: Digest | undefined;
}

type Fate = 'stays' | 'goes' | 'written' | 'conflict';

/** Something found that is no folder, while paths that begin with its own go by: it may be in their way. */
interface Standing {
  readonly found: DiskEntry;
  readonly facts: Facts;
  fate: Fate;
  inTheWay: boolean;
}

/** Folders of Git have had their own check. */
const RULES = { git: true, windows: process.platform === 'win32' };

export class Decider {
  readonly #options: PlanOptions;
  readonly #plan: CheckoutPlan;
  readonly #filter: PathFilter;
  readonly #removeFirst: boolean;
  readonly #twins: TwinWatch | undefined;
  readonly #lengths: Lengths;
  readonly #rows = new PlanRowWriter();
  readonly #standing: Standing[] = [];
  /** The wanted files, links and references whose paths begin the current one. */
  readonly #wanted: { readonly path: string; readonly isWritten: boolean }[] = [];
  #goodFolder = '';

  /** `folds`: the target folder takes different names for one. */
  constructor(
    options: PlanOptions,
    plan: CheckoutPlan,
    by: { readonly filter: PathFilter; readonly folds: boolean },
  ) {
    this.#options = options;
    this.#plan = plan;
    this.#filter = by.filter;
    // Where `a` and `A` are one name, removing the one after writing the other would remove what was written.
    this.#removeFirst = by.folds;
    this.#twins = by.folds ? new TwinWatch() : undefined;
    this.#lengths = new Lengths(options.dir);
  }

  /** Takes the next path in key order: at least one of `want`, `found` and `facts.tracked` is there. */
  decide(path: string, want: MapEntry | undefined, found: DiskEntry | undefined, facts: Facts): void {
    this.#leave(path);
    if (want !== undefined) this.#check(path, want);
    if (want !== undefined && want.kind !== REFERENCE) this.#clearTheWay(path);
    const fate = want === undefined ? this.#unwanted(found, facts) : this.#place(path, want, found, facts);
    if (found === undefined) return;
    if (fate === 'stays' && facts.recalled !== undefined) {
      const known = {
        kind: FILE,
        executable: found.executable,
        size: found.size,
        digest: facts.recalled,
      } as const;
      this.#plan.steps.add(this.#rows.encode(KEEP, path, { ...known, extra: EMPTY_BYTES }, found));
    }
    const standing = { found, facts, fate, inTheWay: false };
    const isBelowFile = this.#wanted.some((file) => file.isWritten && path.startsWith(`${file.path}/`));
    if (want === undefined && isBelowFile) this.#evict(standing);
    if (found.kind !== FOLDER) this.#standing.push(standing);
    else this.#settle(standing);
  }

  end(): void {
    this.#leave(undefined);
  }

  /** Lets go of everything that the paths from `path` on no longer begin with. */
  #leave(path: string | undefined): void {
    for (
      let top = this.#standing.at(-1);
      top && !path?.startsWith(top.found.path);
      top = this.#standing.at(-1)
    ) {
      this.#standing.pop();
      this.#settle(top);
    }
    while (this.#wanted.length > 0 && !path?.startsWith(this.#wanted.at(-1)!.path)) this.#wanted.pop();
  }

  /** Refuses what may not be written: with TREE_UNSAFE, before anything is. */
  #check(path: string, want: MapEntry): void {
    const folderLength = path.lastIndexOf('/') + 1;
    const isKnown =
      folderLength === this.#goodFolder.length &&
      folderLength < path.length &&
      path.startsWith(this.#goodFolder);
    checkTreePath(path, RULES, isKnown ? folderLength : 0);
    if (!isKnown) this.#goodFolder = path.slice(0, folderLength);
    const file = this.#wanted.find((above) => path.startsWith(`${above.path}/`));
    if (file !== undefined) {
      throw new ArtError(
        'TREE_UNSAFE',
        `the path ${JSON.stringify(file.path)} is a file and a folder in one version`,
      );
    }
    if (want.kind === SYMLINK && (want.extra.length === 0 || want.extra.includes(0))) {
      throw new ArtError('TREE_UNSAFE', `the link ${JSON.stringify(path)} has an impossible target`);
    }
    this.#lengths.check(path, want);
    this.#twins?.pass(path);
    if (want.kind !== FOLDER) this.#wanted.push({ path, isWritten: want.kind !== REFERENCE });
  }

  /** A file or link found where a folder is wanted has to go. */
  #clearTheWay(path: string): void {
    for (const standing of this.#standing) {
      if (path.startsWith(`${standing.found.path}/`)) this.#evict(standing);
    }
  }

  #place(path: string, want: MapEntry, found: DiskEntry | undefined, facts: Facts): Fate {
    const { counts } = this.#plan;
    if (want.kind === REFERENCE) {
      counts.references++;
      return 'stays';
    }
    const keeps = facts.equal && (want.kind !== FILE || want.executable === found?.executable);
    if (keeps || (want.kind === FOLDER && found === undefined && this.#isFolder(path))) {
      counts.unchanged++;
      if (want.kind === FOLDER) this.#plan.folderCount++;
      this.#plan.steps.add(this.#rows.encode(KEEP, path, want, found));
      return 'written';
    }
    const lost = found !== undefined && !facts.equal && !facts.ours;
    if (lost && this.#options.mode !== 'force' && this.#options.mode !== 'restore') {
      this.#plan.conflict(path, whyLost(found, facts));
      return 'conflict';
    }
    const destroys = lost && found.kind !== IRREGULAR;
    if (destroys) this.#plan.destroyCount++;
    if (want.kind === FOLDER) this.#plan.folderCount++;
    counts.written++;
    if (this.#options.dryRun !== true) this.#options.placer?.expect(counts.written);
    counts.bytes += want.kind === FILE ? want.size : 0;
    this.#plan.steps.add(this.#rows.encode(WRITE, path, want, found, { destroys }));
    return 'written';
  }

  #unwanted(found: DiskEntry | undefined, facts: Facts): Fate {
    if (found === undefined || found.ignored || !this.#filter.matches(found.path)) return 'stays';
    if (this.#options.mode === 'overlay') return 'stays';
    if (facts.ours) return 'goes';
    // What no snapshot could bring back, a pipe or a socket, is not cleaned away.
    if (!facts.tracked) return this.#options.clean === true && found.kind !== IRREGULAR ? 'goes' : 'stays';
    if (this.#options.mode === 'force') return 'goes';
    if (this.#options.mode === 'restore') return 'stays';
    this.#plan.conflict(found.path, 'modified');
    return 'conflict';
  }

  /** Marks what stands where something wanted belongs: it goes first, or that is a conflict. */
  #evict(standing: Standing): void {
    const { found, facts } = standing;
    if (standing.inTheWay) return;
    standing.inTheWay = true;
    if (standing.fate !== 'stays') return;
    const isNothing = found.kind === FOLDER && !found.ignored;
    if (isNothing || facts.ours || (this.#options.mode === 'force' && !found.ignored)) standing.fate = 'goes';
    else {
      this.#plan.conflict(found.path, whyLost(found, facts));
      standing.fate = 'conflict';
    }
  }

  #settle({ found, facts, fate, inTheWay }: Standing): void {
    if (fate !== 'goes') return;
    // An empty folder that makes room is no loss; one that is cleaned away may be wanted back.
    const isLoss = found.kind === FOLDER ? this.#options.clean === true : found.kind !== IRREGULAR;
    const destroys = !facts.ours && isLoss;
    if (destroys) this.#plan.destroyCount++;
    this.#plan.counts.removed++;
    const row = this.#rows.encode(REMOVE, found.path, undefined, found, { destroys });
    (inTheWay || this.#removeFirst ? this.#plan.early : this.#plan.late).add(row);
  }

  #isFolder(path: string): boolean {
    if (this.#standing.some(({ found, inTheWay }) => inTheWay && path.startsWith(`${found.path}/`)))
      return false;
    const stats = findStats(join(this.#options.dir, path.slice(0, -1)));
    return stats?.isDirectory() === true;
  }
}

function whyLost(found: DiskEntry, facts: Facts): Conflict['why'] {
  if (found.ignored) return 'ignored';
  return facts.tracked ? 'modified' : 'untracked';
}
