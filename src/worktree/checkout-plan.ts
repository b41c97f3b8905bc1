/** Holds what a checkout will do, in files rather than in memory. */
import { ArtError } from '#base';
import { CONFLICTS_NAMED_MAX, type CheckoutCounts, type Conflict } from './checkout-options.ts';
import { fileSystemNow } from './clock.ts';
import type { Fingerprint } from './disk-entry.ts';
import { decodePlanRow } from './plan-row.ts';
import { Spool } from './spool.ts';

/** What is there and will be lost, and the stat it had when the plan was made. */
export interface Destroyed {
  /** That of an empty folder ends in a slash. */
  readonly path: string;
  readonly found: Fingerprint;
}

/** Nothing is written yet; dispose of it when done. */
export class CheckoutPlan implements Disposable {
  /** What must go before anything is written: it stands where a file or folder of the tree belongs. */
  readonly early: Spool;
  /** What stays and what is written, in key order. */
  readonly steps: Spool;
  /** What goes when all is written. */
  readonly late: Spool;
  /** The file system's clock when planning began, in ms. */
  readonly stamp: number;
  readonly counts: { -readonly [K in keyof CheckoutCounts]: CheckoutCounts[K] } = {
    written: 0,
    removed: 0,
    unchanged: 0,
    bytes: 0,
    references: 0,
  };
  /** The first of them; `conflictCount` are there. */
  readonly conflicts: Conflict[] = [];
  conflictCount = 0;
  /** How many of the steps are empty folders. */
  folderCount = 0;
  /** How many things `destroys` gives. */
  destroyCount = 0;

  constructor(tmpDir: string) {
    this.stamp = fileSystemNow(tmpDir);
    this.early = new Spool(tmpDir, 'plan');
    this.steps = new Spool(tmpDir, 'plan');
    this.late = new Spool(tmpDir, 'plan');
  }

  /** Files, links and empty folders whose content is in none of the trees and will be lost, in no special order. */
  *destroys(): Generator<Destroyed, void> {
    for (const spool of [this.early, this.steps, this.late]) {
      for (const record of spool.records()) {
        const { destroys, path, found } = decodePlanRow(record);
        if (destroys && found !== undefined) yield { path, found };
      }
    }
  }

  conflict(path: string, why: Conflict['why']): void {
    if (++this.conflictCount <= CONFLICTS_NAMED_MAX) this.conflicts.push({ path, why });
  }

  /**
   * Raises UNCOMMITTED_CHANGES if something would be lost that nobody allowed to lose. `hint` says what to do about it,
   * if it is not what a checkout would.
   */
  refuseConflicts(dir: string, hint?: string): void {
    if (this.conflictCount === 0) return;
    const shown = this.conflicts.map(({ path, why }) => `${JSON.stringify(path)} (${why})`).join(', ');
    const unnamed = this.conflictCount - this.conflicts.length;
    const more = unnamed > 0 ? ` and ${unnamed} more` : '';
    throw new ArtError(
      'UNCOMMITTED_CHANGES',
      `in ${JSON.stringify(dir)} these would be lost: ${shown}${more}`,
      hint === undefined ? {} : { hint },
    );
  }

  [Symbol.dispose](): void {
    for (const spool of [this.early, this.steps, this.late]) spool[Symbol.dispose]();
  }
}
