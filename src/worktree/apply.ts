/** Carries out the plan of a checkout: clear the way, write, remove what is left over, remember the stats. */
import { realpathSync, unlinkSync } from 'node:fs';
import { ArtError, errnoOf, fileError, makeFolders } from '#base';
import { CHUNK, CHUNK_BYTES_MAX, FOLDER, SYMLINK } from '#object';
import type { CheckoutOptions } from './checkout-options.ts';
import type { CheckoutPlan } from './checkout-plan.ts';
import { fileSystemNow } from './clock.ts';
import type { Fingerprint } from './disk-entry.ts';
import { fileContent } from './file-chunks.ts';
import { FileWriter, assertUnchanged } from './file-writer.ts';
import { Folders } from './folders.ts';
import { LinkedFiles } from './linked-files.ts';
import { Gatherer } from './gather.ts';
import { folderOf } from './paths.ts';
import type { Placer } from './placer.ts';
import { WRITE, decodePlanRow, isContent, type PlanRow } from './plan-row.ts';
import { Work } from './progress.ts';
import type { Spool } from './spool.ts';
import { StatCacheWriter } from './stat-cache-writer.ts';
import { isRacy } from './stat-row.ts';
import { unfinishedPrefix } from './unfinished.ts';

const BATCH_ROWS = 1000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** So many batches may be on their way to the disk while the next is read. */
const BATCHES_AHEAD = 2;
const FILES_A_LOOK = 32;

/**
 * Does what `plan` says. Stopped midway it leaves whole files alone, old or new, and at most one temporary file.
 * Raises DISK_FULL, FOLDER_UNWRITABLE, UNCOMMITTED_CHANGES (something changed since the plan was made), INTERRUPTED,
 * OBJECT_NOT_FOUND, OBJECT_CORRUPT, OBJECT_INVALID.
 */
export async function applyPlan(plan: CheckoutPlan, options: ApplyOptions): Promise<void> {
  const { statCache, tmpDir } = options;
  using stats = statCache === undefined ? undefined : new StatCacheWriter(statCache, tmpDir);
  const pass = new ApplyPass(plan, options, { root: makeTarget(options.dir), stats });
  await pass.remove(plan.early);
  await pass.write();
  await pass.remove(plan.late);
  if (plan.late.count > 0 && plan.folderCount > 0) pass.remakeFolders();
  pass.end();
  stats?.finish({ epoch: options.epoch, stamp: fileSystemNow(tmpDir) });
}

function makeTarget(dir: string): string {
  try {
    makeFolders(dir);
    return realpathSync(dir);
  } catch (error) {
    throw fileError(error, dir);
  }
}

type ApplyOptions = CheckoutOptions & { readonly placer: Placer };

class ApplyPass {
  readonly #plan: CheckoutPlan;
  readonly #options: ApplyOptions;
  readonly #folders: Folders;
  readonly #linked = new LinkedFiles();
  readonly #writer: FileWriter;
  readonly #placer: Placer;
  /** Batches under way, oldest first; each remembers its stats when it is done, so that they come in key order. */
  readonly #ahead: Promise<void>[] = [];
  readonly #stats: StatCacheWriter | undefined;
  readonly #work: Work;

  constructor(
    plan: CheckoutPlan,
    options: ApplyOptions,
    by: { readonly root: string; readonly stats: StatCacheWriter | undefined },
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#folders = new Folders(by.root);
    this.#writer = new FileWriter(this.#folders, unfinishedPrefix(by.root, options.tmpDir), this.#linked);
    this.#placer = options.placer;
    this.#stats = by.stats;
    const { written, removed, bytes } = plan.counts;
    this.#work = new Work(options, { totals: { totalFiles: written + removed, totalBytes: bytes } });
  }

  end(): void {
    this.#work.end();
  }

  /** Writes what is to be written and remembers what stays, in key order. */
  async write(): Promise<void> {
    this.#folders.forget();
    let rows: PlanRow[] = [];
    let bytes = 0;
    const gatherer = this.#gatherer();
    let reached = 0;
    for (const row of this.#rows()) {
      if (gatherer !== undefined) await gatherer.reach(++reached);
      // Also what has other names: those are told from files that somebody edits, one after the other.
      const isAlone = isContent(row) && (row.size > CHUNK_BYTES_MAX || row.linked);
      const more = isContent(row) && !isAlone ? row.size : 0;
      if (isAlone || rows.length === BATCH_ROWS || bytes + more > BATCH_BYTES) {
        await this.#writeBatch(rows);
        rows = [];
        bytes = 0;
      }
      if (isAlone) {
        await this.#settle(0);
        await this.#writeLarge(row);
      } else rows.push(row);
      bytes += more;
    }
    await this.#writeBatch(rows);
    await this.#settle(0);
  }

  *#rows(): Generator<PlanRow, void, undefined> {
    for (const record of this.#plan.steps.records()) yield decodePlanRow(record);
  }

  #gatherer(): Gatherer | undefined {
    const { source, gather } = this.#options;
    return gather && new Gatherer(this.#rows(), source, gather);
  }

  /** Removes files, and folders that become empty by that. */
  async remove(spool: Spool): Promise<void> {
    this.#folders.forget();
    let emptied = '';
    let n = 0;
    for (const record of spool.records()) {
      const row = decodePlanRow(record);
      const inside = folderOf(row.path);
      if (inside !== emptied) this.#folders.removeEmpty(emptied);
      emptied = '';
      if (row.kind === FOLDER) this.#removeFolder(row.path);
      else if (this.#folders.has(inside)) {
        this.#removeFile(row);
        emptied = inside;
      }
      this.#work.files++;
      const turn = ++n % FILES_A_LOOK === 0 ? this.#work.turn() : undefined;
      if (turn !== undefined) await turn;
    }
    this.#folders.removeEmpty(emptied);
  }

  /** Makes the empty folders again that went with the last file removed from them. */
  remakeFolders(): void {
    this.#folders.forget();
    for (const row of this.#rows()) if (row.kind === FOLDER) this.#writer.folder(row);
  }

  async #writeBatch(rows: readonly PlanRow[]): Promise<void> {
    const contents = rows.filter(isContent);
    const ids = contents.map(({ digest }) => ({ kind: CHUNK, digest }) as const);
    const chunks = ids.length === 0 ? [] : await this.#options.reader.getMany(ids);
    contents.forEach((row, i) => {
      if (chunks[i].length !== row.size) throw wrongSize(row);
    });
    await this.#settle(BATCHES_AHEAD - 1);
    const prints = new Map<PlanRow, Fingerprint>();
    for (const row of rows) {
      if (row.kind === FOLDER) this.#writer.folder(row);
      else if (row.action === WRITE && row.kind === SYMLINK) prints.set(row, this.#writer.link(row));
    }
    // Files come from the batch's beginning again, and folders further on may have been made for links: each is looked for.
    if (contents.length < rows.length) this.#folders.forget();
    const placed = this.#writer.writeAll(contents, chunks, this.#placer).then((found) => {
      contents.forEach((row, i) => prints.set(row, found[i]));
      this.#finish(rows, prints);
    });
    placed.catch(() => {}); // Told by whoever settles it.
    this.#ahead.push(placed);
    const turn = this.#work.turn();
    if (turn !== undefined) await turn;
  }

  /** Waits until at most `count` batches are under way. */
  async #settle(count: number): Promise<void> {
    while (this.#ahead.length > count) await this.#ahead.shift();
  }

  #finish(rows: readonly PlanRow[], prints: ReadonlyMap<PlanRow, Fingerprint>): void {
    for (const row of rows) {
      if (row.kind === FOLDER) continue;
      if (row.action !== WRITE) this.#keep(row);
      else this.#remember(row, prints.get(row));
      if (!isContent(row)) continue;
      this.#work.files++;
      this.#work.bytes += row.size;
    }
  }

  async #writeLarge(row: PlanRow): Promise<void> {
    this.#remember(row, await this.#writer.writePieces(row, this.#pieces(row)));
    this.#work.files++;
  }

  async *#pieces(row: PlanRow): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const content =
      row.size > CHUNK_BYTES_MAX
        ? fileContent(this.#options, row.digest, row.size)
        : [await this.#options.reader.getMany([{ kind: CHUNK, digest: row.digest }])];
    for await (const batch of content) {
      if (row.size <= CHUNK_BYTES_MAX && batch[0].length !== row.size) throw wrongSize(row);
      yield batch;
      for (const piece of batch) this.#work.bytes += piece.length;
      const turn = this.#work.turn({ now: true });
      if (turn !== undefined) await turn;
    }
  }

  /** A file touched just before the plan looked at it may have changed since with the same times. */
  #keep(row: PlanRow): void {
    if (row.found !== undefined && !isRacy(row.found, this.#plan.stamp)) this.#remember(row, row.found);
  }

  #remember(row: PlanRow, print: Fingerprint | undefined): void {
    if (print === undefined || row.kind === FOLDER) return;
    this.#stats?.add(row.path, row.kind, row.executable, print, row.digest, row.target);
  }

  #removeFile(row: PlanRow): void {
    const absolute = this.#folders.root + row.path;
    assertUnchanged(absolute, row, this.#linked);
    try {
      this.#linked.during(absolute, row, () => unlinkSync(absolute));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fileError(error, absolute);
    }
  }

  /** Removes an empty folder, and those above that become empty; one that is no longer empty stays. */
  #removeFolder(path: string): void {
    if (this.#folders.has(path)) this.#folders.removeEmpty(path);
  }
}

function wrongSize(row: PlanRow): ArtError {
  return new ArtError('OBJECT_INVALID', `${JSON.stringify(row.path)} is not of the size that its entry says`);
}
