/** Owns the folder a bench works in, and puts off deleting until it no longer disturbs what is measured. */
import { mkdirSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * ext4 passes over inodes freed in the last minutes, one by one, so creating files after a mass delete can be ten
 * times slower. What a round leaves behind is therefore kept until the run ends or the disk has less room than this.
 */
const FREE_BYTES_MIN = 24 * 2 ** 30;

export class Scratch {
  readonly root: string;
  readonly #trash: string;
  #count = 0;

  /** Also removes what interrupted runs left in `parent`. */
  constructor(parent: string) {
    for (const name of readdirSync(parent)) {
      const pid = /^run-(\d+)$/.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid)))
        rmSync(join(parent, name), { recursive: true, force: true });
    }
    this.root = join(parent, `run-${process.pid}`);
    this.#trash = join(this.root, 'trash');
    mkdirSync(this.#trash, { recursive: true });
  }

  /** A new empty folder. */
  folder(name: string): string {
    const path = join(this.root, `${String(++this.#count).padStart(4, '0')}-${name}`);
    mkdirSync(path);
    return path;
  }

  retire(path: string): void {
    renameSync(path, join(this.#trash, String(++this.#count)));
  }

  /** Deletes what was retired, but only if the disk is getting full. Call between rounds. */
  sweep(): void {
    const { bavail, bsize } = statfsSync(this.root);
    if (bavail * bsize >= FREE_BYTES_MIN) return;
    rmSync(this.#trash, { recursive: true, force: true });
    mkdirSync(this.#trash);
  }

  /** Leaves everything behind under another name, and gives that. */
  keep(): string {
    const kept = join(dirname(this.root), basename(this.root).replace('run', 'kept'));
    renameSync(this.root, kept);
    return kept;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
