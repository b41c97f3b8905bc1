/** Owns the folder a bench works in, and puts off deleting until it no longer disturbs what is measured. */
import { mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * ext4 passes over inodes freed in the last minutes, one by one, so creating files after a mass delete can be ten
 * times slower. What a round leaves behind is therefore kept until the run ends or the disk has less room than this.
 */
const FREE_BYTES_MIN = 24 * 2 ** 30;

export class Scratch {
  readonly root: string;
  readonly #trash: string;
  #count = 0;

  constructor(parent: string) {
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

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
