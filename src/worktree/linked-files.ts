/** Knows what a checkout itself did to files with several names: each name that goes changes the ctime under the others. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isUnchanged } from './placing.ts';
import type { PlanRow } from './plan-row.ts';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

export class LinkedFiles {
  /** By inode; NaN where it cannot be asked: then it is not compared. */
  readonly #ctimes = new Map<number, number>();

  /** Whether there is at `absolute` what the plan found there, but for what was done here since; or nothing any more. */
  isUnchanged(absolute: string, { found, linked }: PlanRow): boolean {
    const ctimeMs = linked && found ? this.#ctimes.get(found.ino) : undefined;
    return isUnchanged(absolute, found && ctimeMs !== undefined ? { ...found, ctimeMs } : found);
  }

  /** Does `change`, which takes the name `absolute` from what `row` found there. */
  during<T>(absolute: string, { found, linked }: PlanRow, change: () => T): T {
    if (!linked || found === undefined) return change();
    const fd = openQuietly(absolute);
    try {
      const done = change();
      this.#ctimes.set(found.ino, fd === undefined ? NaN : fstatSync(fd).ctimeMs);
      return done;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }
}

function openQuietly(absolute: string): number | undefined {
  try {
    return openSync(absolute, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined; // A link, or nothing that may be read.
  }
}
