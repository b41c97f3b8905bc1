/** Stores what a checkout would destroy, as a tree, before it does. */
import { realpathSync } from 'node:fs';
import { ArtError, EMPTY_BYTES, compareBytes, utf8 } from '#base';
import { CHUNK, FILE, FOLDER, NODE, SYMLINK, hash, type MapEntry } from '#object';
import type { Transaction } from '#store';
import { MapBuilder, edit, type MapEdit, type MapRoot } from '#tree';
import type { CheckoutPlan, Destroyed } from './checkout-plan.ts';
import { ContentReader } from './content-reader.ts';
import { DiskEntry, findStats, sameFingerprint } from './disk-entry.ts';
import { Work, type Watched } from './progress.ts';

/** So many entries are sorted in memory at a time. */
const BATCH = 10_000;
const FILES_A_LOOK = 32;

export interface RescueOptions extends Watched {
  readonly dir: string;
  readonly plan: CheckoutPlan;
  readonly tx: Transaction;
}

export interface Rescued {
  readonly root: MapRoot;
  /** Files and links. */
  readonly files: number;
}

/**
 * Puts all that the plan destroys into the transaction. It is exactly what was there when the plan was made: raises
 * UNCOMMITTED_CHANGES for what changed since. Raises FILE_UNREADABLE, INTERRUPTED.
 */
export async function rescue(options: RescueOptions): Promise<Rescued> {
  const pass = new RescuePass(options);
  let changes: MapEdit[] = [];
  let root = new MapBuilder(options.tx).finish();
  const flush = async () => {
    changes.sort((a, b) => compareBytes(a.key, b.key));
    root = await edit(options.tx, options.tx, root.digest, changes);
    changes = [];
  };
  for (const destroyed of options.plan.destroys()) {
    const entry = await pass.entryOf(destroyed);
    if (entry !== undefined) changes.push({ key: entry.key, entry });
    if (changes.length === BATCH) await flush();
  }
  await flush();
  return { root, files: pass.files };
}

class RescuePass {
  readonly #folder: string;
  readonly #content: ContentReader;
  readonly #work: Work;
  #seen = 0;

  constructor({ dir, tx, signal, onProgress }: RescueOptions) {
    this.#folder = realpathSync(dir);
    const watched = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
    this.#work = new Work(watched, { rest: () => tx.breathe() });
    this.#content = new ContentReader({
      sink: {
        chunk: (digest, bytes) => void tx.put(CHUNK, digest, bytes),
        node: (digest, bytes) => void tx.put(NODE, digest, bytes),
      },
      pause: (bytes) => {
        this.#work.bytes += bytes;
        return this.#work.turn({ now: true });
      },
      ...(signal && { signal }),
    });
  }

  get files(): number {
    return this.#work.files;
  }

  /** Undefined for what is gone already. */
  async entryOf({ path, found }: Destroyed): Promise<MapEntry | undefined> {
    const turn = ++this.#seen % FILES_A_LOOK === 0 ? this.#work.turn() : undefined;
    if (turn !== undefined) await turn;
    const key = utf8(path); // As a key of a tree: that of an empty folder ends in a slash too.
    const nothing = { key, executable: false, size: 0, digest: hash(EMPTY_BYTES), extra: EMPTY_BYTES };
    if (path.endsWith('/')) return { ...nothing, kind: FOLDER };
    const disk = new DiskEntry(path, `${this.#folder}/${path}`, FILE);
    const stats = findStats(disk.absolute);
    if (stats === undefined) return undefined;
    const isFile = disk.learn(stats);
    if (!isFile || !sameFingerprint(disk, found)) throw changed(disk.absolute);
    this.#work.files++;
    if (disk.kind === SYMLINK) {
      const target = this.#content.targetOf(disk);
      return { ...nothing, kind: SYMLINK, size: target.length, digest: hash(target), extra: target };
    }
    const digest = await this.#content.digestOf(disk);
    if (!sameFingerprint(disk, found)) throw changed(disk.absolute);
    return { ...nothing, kind: FILE, executable: disk.executable, size: disk.size, digest };
  }
}

function changed(absolute: string): ArtError {
  return new ArtError(
    'UNCOMMITTED_CHANGES',
    `${JSON.stringify(absolute)} changed while the checkout was planned`,
    {
      hint: 'Run the command again.',
    },
  );
}
