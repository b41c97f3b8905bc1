/** Remembers what no sync has made durable, and takes a part of that back, as a loss of power may. */
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';

export class Unsynced {
  #fs;
  #roots;
  #seed;
  /** By path: where bytes begin that were written and not synced, and where they end. */
  #written = new Map();
  /** Names that were given or taken and whose folder was not synced since, oldest first; each can be taken back. */
  #names = [];

  /** `fs`: node:fs as it was. Only what lies below `roots` is lost. */
  constructor(fs, roots, seed) {
    this.#fs = fs;
    this.#roots = roots;
    this.#seed = seed >>> 0;
  }

  wrote(path, position, bytes) {
    if (!this.#mayLose(path)) return;
    const end =
      position === null ? (this.#fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0) : position + bytes;
    const before = this.#written.get(path) ?? { start: Infinity, end: 0 };
    this.#written.set(path, { start: Math.min(before.start, end - bytes), end: Math.max(before.end, end) });
  }

  /** A file's bytes, or a folder's names. */
  synced(path) {
    this.#written.delete(path);
    this.#names = this.#names.filter(({ folder }) => folder !== path);
  }

  made(path) {
    this.#note(path, () => {
      const found = this.#fs.lstatSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory()) this.#fs.rmdirSync(path);
      else if (found !== undefined) this.#fs.unlinkSync(path);
    });
  }

  /** Keeps what has the name `path` now, in case its loss is taken back: beside all repositories and folders. */
  kept(path) {
    const found = this.#fs.lstatSync(path, { throwIfNoEntry: false });
    if (!this.#mayLose(path) || !found?.isFile()) return undefined;
    const aside = join(this.#roots[0], '..', '..', `kept-${randomBytes(6).toString('hex')}`);
    this.#fs.linkSync(path, aside);
    return aside;
  }

  renamed(from, to, kept) {
    const moved = this.#written.get(from);
    if (moved !== undefined) {
      this.#written.delete(from);
      this.#written.set(to, moved);
    }
    this.#note(to, () => {
      if (this.#fs.existsSync(from)) return;
      this.#fs.renameSync(to, from);
      if (kept !== undefined) this.#fs.renameSync(kept, to);
    });
  }

  removed(path, kept) {
    this.#written.delete(path);
    if (kept !== undefined)
      this.#note(path, () => {
        if (!this.#fs.existsSync(path)) this.#fs.renameSync(kept, path);
      });
  }

  /** Takes back some of the names and bytes, by the seed. */
  lose() {
    for (const [path, { start, end }] of this.#written) this.#loseBytes(path, start, end);
    // The newest first: what is taken back must be as it was then.
    for (const { undo } of this.#names.reverse()) {
      if (this.#roll(2) === 0) continue;
      try {
        undo();
      } catch {
        // Something that stays builds on it.
      }
    }
  }

  #loseBytes(path, start, end) {
    const size = this.#fs.statSync(path, { throwIfNoEntry: false })?.size;
    const fate = this.#roll(3);
    if (size === undefined || fate === 0) return;
    const from = start + this.#roll(end - start + 1);
    const { mode } = this.#fs.statSync(path);
    this.#fs.chmodSync(path, 0o644);
    const fd = this.#fs.openSync(path, 'r+');
    if (fate === 1 && end >= size) this.#fs.ftruncateSync(fd, from);
    else this.#fs.writeSync(fd, Buffer.alloc(Math.max(0, Math.min(end, size) - from)), 0, undefined, from);
    this.#fs.closeSync(fd);
    this.#fs.chmodSync(path, mode & 0o777);
  }

  #note(path, undo) {
    if (this.#mayLose(path)) this.#names.push({ folder: dirname(path), undo });
  }

  #mayLose(path) {
    return this.#roots.some((root) => path.startsWith(`${root}/`));
  }

  // Numbers from a seed (mulberry32, public domain).
  #roll(sides) {
    this.#seed = (this.#seed + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  }
}
