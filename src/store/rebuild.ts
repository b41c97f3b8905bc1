/** Builds the database anew from packs and journals, and mends those if the old database can help. */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, DigestTable, equalBytes, isArtError, makeFolders, nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE, formatCid, hash } from '#object';
import type { Digest, ObjectId } from '#object';
import type { Roots } from './object-store.ts';
import { walkClosure } from './closure.ts';
import type { Promised } from './closure.ts';
import { CODEC_NONE, loadCompression } from './compression.ts';
import { objectPut } from './changes.ts';
import { JOURNAL_START, createJournal, cutJournal } from './journal.ts';
import { checkLevelFiles } from './level-check.ts';
import { decodeLocation } from './location.ts';
import { NO_PACK, mend } from './mend.ts';
import type { Wanting } from './mend.ts';
import { openOld, readableRecords, tolerant } from './old-database.ts';
import { OwnerLock } from './owner-lock.ts';
import { listPacks, packName, walkPack } from './pack-files.ts';
import type { PackFile } from './pack-files.ts';
import { indexPack } from './pack-index.ts';
import type { IndexOptions } from './pack-index.ts';
import { PackReader } from './pack-reader.ts';
import { isWhole } from './pack-rows.ts';
import {
  META_KEY,
  SNAPSHOT_END,
  encodeMeta,
  objectKey,
  objectRange,
  recordKey,
  sealRecord,
} from './records.ts';
import type { Meta, RecordChanges } from './records.ts';
import { replayJournals } from './replay.ts';
import type { JournalPlace } from './replay.ts';
import { sparedIds } from './spared.ts';
import { finishSwap, newDatabaseFolder, swapDatabase } from './swap.ts';
import { openTable, pagesOf, recordIn, recordsIn, writeChanges } from './table.ts';
import type { Put, Table } from './table.ts';

export interface RebuildOptions extends Omit<IndexOptions, 'onIndexed'> {
  readonly roots: Roots;
  /** Objects gone past so far: indexed, reached from the roots, looked at again, moved into new packs. */
  readonly onProgress?: (done: { readonly objects: number }) => void;
  /** Absent: nothing is promised, and whatever is absent is lost. */
  readonly promised?: Promised;
}

export interface Rebuilt {
  readonly objects: number;
  readonly records: number;
  /** Nodes left out because nothing names them. */
  readonly droppedNodes: number;
  /** Objects and records that only the old database still had. */
  readonly rescued: number;
  /** What was wrong with packs and journals, in words. */
  readonly problems: readonly string[];
  /** What is wanted and could not be brought back. */
  readonly lost: readonly ObjectId[];
}

/** How far numbers jump if the next one is not known. */
const UNKNOWN_PACKS = 1000;
type Records = Map<string, Uint8Array>;

/**
 * Builds `objects/` from `packs/` under the lock, swaps it in, and moves what can be read out of damaged packs and
 * journals into new ones. Records are held in memory meanwhile. Killed at any moment, it can be run again.
 * No store on `art` may be in use in this process. Raises LOCKED, DISK_FULL, FOLDER_UNWRITABLE, INTERRUPTED.
 */
export async function rebuildDatabase(art: string, options: RebuildOptions): Promise<Rebuilt> {
  await loadCompression();
  for (const folder of ['packs', 'tmp', 'lock']) makeFolders(join(art, folder));
  const lock = new OwnerLock(join(art, 'lock'));
  const packs = new PackReader(join(art, 'packs'));
  let objects = 0;
  const done = (count: number) => options.onProgress?.({ objects: (objects += count) });
  let built: Built;
  try {
    await lock.acquire();
    finishSwap(art);
    built = await new Builder(art, packs, { ...options, done }).build();
  } finally {
    packs.close();
    lock.close();
  }
  const lost = await mend(art, built.wanting, {
    ...(options.signal && { signal: options.signal }),
    onCopied: done,
  });
  return { ...built.rebuilt, lost: [...built.rebuilt.lost, ...lost] };
}

interface Built {
  readonly rebuilt: Rebuilt;
  readonly wanting: Wanting;
}

interface BuilderOptions extends RebuildOptions {
  /** Tells of so many objects more. */
  readonly done: (objects: number) => void;
}

class Builder {
  readonly #art: string;
  readonly #folder: string;
  readonly #packs: PackReader;
  readonly #options: BuilderOptions;
  readonly #damaged: PackFile[] = [];
  readonly #problems: string[] = [];
  #objects = 0;
  #rescued = 0;

  constructor(art: string, packs: PackReader, options: BuilderOptions) {
    this.#art = art;
    this.#folder = join(art, 'packs');
    this.#packs = packs;
    this.#options = options;
  }

  async build(): Promise<Built> {
    await this.#leaveTornEnd();
    const folder = newDatabaseFolder(this.#art);
    try {
      const built = await this.#fillAt(folder);
      swapDatabase(this.#art, folder);
      return built;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  // A segment that was being made durable when the power went was told of to nobody: it counts as never written.
  async #leaveTornEnd(): Promise<void> {
    const file = listPacks(this.#folder).findLast(({ journal }) => journal);
    if (file === undefined) return;
    const { number, path } = file;
    const last = walkPack(path).segments.at(-1);
    if (last === undefined || isWhole(this.#packs, number, last.rows)) return;
    const old = await openOld(this.#art);
    await old?.table.close();
    if (old !== undefined && !isLater({ journal: number, end: last.end }, old.meta)) return; // Damage, not a tear.
    copyFileSync(path, join(this.#art, 'tmp', `torn-${packName(number, 'journal')}`));
    cutJournal(path, last.start);
    this.#packs.forget(number);
    this.#problems.push(
      `${path}: the last segment, at ${last.start}, is damaged or was never finished, and was left out`,
    );
  }

  async #fillAt(folder: string): Promise<Built> {
    const table = openTable(folder, { create: true });
    await table.open();
    try {
      return await this.#fill(table);
    } finally {
      await table.close();
    }
  }

  async #fill(table: Table): Promise<Built> {
    const files = listPacks(this.#folder);
    for (const file of files) await this.#index(table, file, isCurrent(file, files));
    const changes: { readonly changes: RecordChanges; readonly place: JournalPlace }[] = [];
    const journalProblems = replayJournals(this.#folder, this.#packs, (list, place) =>
      changes.push({ changes: list, place }),
    );
    this.#problems.push(...journalProblems.filter((problem) => !this.#problems.includes(problem)));
    const replayed: Records = new Map();
    for (const { changes: list } of changes) apply(replayed, list);

    const levelProblems = await checkLevelFiles(join(this.#art, 'objects'));
    const clean = levelProblems.length === 0;
    // Damaged files of LevelDB are opened only if there is something to win.
    const old = clean || this.#problems.length > 0 ? await openOld(this.#art) : undefined;
    const journalsLacked = journalProblems.length > 0;
    let records = replayed;
    try {
      if (old !== undefined) {
        const kept = await readableRecords(old.table);
        if (clean) {
          // What it has and the journals do not stays; what it lacks comes back, unless that may have been removed.
          const wanted = !journalsLacked && this.#reaches(old.meta) ? replayed.keys() : kept.damaged;
          for (const key of wanted) {
            const value = replayed.get(key);
            if (value !== undefined && !kept.records.has(key)) kept.records.set(key, value);
          }
          for (const { changes: list, place } of changes)
            if (isLater(place, old.meta)) apply(kept.records, list);
          records = kept.records;
        } else if (journalsLacked) {
          for (const [key, value] of kept.records) if (!replayed.has(key)) records.set(key, value);
        }
        await this.#rescueObjects(old.table, table);
      }
    } finally {
      await old?.table.close();
    }
    const journalsLack =
      journalsLacked || (old !== undefined && clean && !sameRecords(records, replayedOf(changes)));
    await writeChanges(table, recordPuts(records), { sync: false });
    await table.put(META_KEY, encodeMeta(this.#meta(old?.meta)));
    const { droppedNodes, lost } = await this.#dropUnreachable(table);
    const rescued = this.#rescued;
    return {
      rebuilt: {
        objects: this.#objects,
        records: records.size,
        droppedNodes,
        rescued,
        problems: this.#problems,
        lost,
      },
      wanting: { damaged: this.#damaged, journalsLack, rescued },
    };
  }

  // Journals are always read: in the middle of one a power cut, too, may have left trailers without their bytes.
  async #index(table: Table, file: PackFile, mayBeTorn: boolean): Promise<void> {
    const deep = this.#options.deep === true || file.journal;
    const { done: onIndexed } = this.#options;
    const { objects, problems } = await indexPack(table, this.#packs, file, {
      ...this.#options,
      deep,
      onIndexed,
    });
    this.#objects += objects;
    const torn =
      mayBeTorn &&
      walkPack(file.path).wholeToEnd &&
      problems.every((problem) => !problem.endsWith('objects are damaged'));
    if (problems.length === 0 || torn) return;
    this.#problems.push(...problems);
    this.#damaged.push(file);
  }

  // Nodes and tiny chunks that stand in LevelDB and in no pack any more.
  async #rescueObjects(old: Table, table: Table): Promise<void> {
    for (const kind of [CHUNK, NODE] as const) {
      const source = pagesOf({ table: old }, objectRange(kind));
      for await (const page of tolerant(source)) {
        const changes = [];
        for (const [key, value] of page) {
          if (table.getSync(key) !== undefined) continue;
          const bytes = inlineOf(value);
          const digest = key.subarray(1);
          if (bytes === undefined || !equalBytes(hash(bytes), digest)) continue;
          const frame = {
            offset: 0,
            storedBytes: bytes.length,
            rawBytes: bytes.length,
            codec: CODEC_NONE,
            rowCount: 1,
          } as const;
          changes.push(objectPut(NO_PACK, { kind, digest, bytes: bytes.length, offset: 0, frame }, bytes));
        }
        this.#rescued += changes.length;
        await writeChanges(table, changes, { sync: false });
        await this.#pause(page.length);
      }
    }
  }

  async #pause(objects: number): Promise<void> {
    throwIfAborted(this.#options.signal);
    this.#options.done(objects);
    await nextTurn();
  }

  /** Whether the journal is as long as this database has seen it. */
  #reaches({ journal, journalEnd }: Meta): boolean {
    const file = listPacks(this.#folder).find(({ number }) => number === journal);
    return file?.journal === true && walkPack(file.path).end >= journalEnd;
  }

  #meta(old: Meta | undefined): Meta {
    const files = listPacks(this.#folder);
    const highest = files.at(-1)?.number ?? 0;
    let nextPack =
      old === undefined ? highest + (highest === 0 ? 1 : UNKNOWN_PACKS) : Math.max(old.nextPack, highest + 1);
    // A clock is ahead of every epoch that was counted up from nothing.
    const epoch = old === undefined ? Date.now() : old.epoch + 1;
    const current = files.filter(({ journal }) => journal).at(-1);
    const walk = current && walkPack(current.path);
    if (current !== undefined && walk?.wholeToEnd === true)
      return { journal: current.number, journalEnd: walk.end, nextPack, epoch };
    const journal = nextPack++;
    createJournal(join(this.#folder, packName(journal, 'journal')));
    return { journal, journalEnd: JOURNAL_START, nextPack, epoch };
  }

  // What gc had removed from LevelDB is back in it; its nodes may name what is gone for good.
  async #dropUnreachable(
    table: Table,
  ): Promise<{ readonly droppedNodes: number; readonly lost: ObjectId[] }> {
    const open = { table };
    const reached = new DigestTable();
    const lost: ObjectId[] = [];
    let entered = 0;
    const visitor = {
      enter: (digest: Digest) => {
        entered++;
        return reached.add(digest);
      },
      chunk: () => void entered++,
      broken: ({ kind, digest }: ObjectId, why: string, how: { readonly promisable: boolean }) => {
        if (promised && how.promisable) return;
        lost.push({ kind, digest: Buffer.from(digest) });
        this.#problems.push(`object ${formatCid({ kind, digest })} ${why}`);
      },
      pause: () => this.#pause(entered - (entered = 0)),
    };
    const source = {
      getRecord: async (key: string) => recordIn(table, key),
      listRecords: async (prefix: string, page: { readonly after?: string; readonly limit: number }) =>
        recordsIn(table, prefix, page),
      getNodes: async (digests: readonly Digest[]) => digests.map((digest) => nodeIn(table, digest)),
    };
    const promised = (await this.#options.promised?.(source)) === true;
    try {
      await walkClosure(open, this.#packs, this.#options.roots(source), visitor);
    } catch (error) {
      if (!isArtError(error) || error.code === 'INTERRUPTED') throw error;
      this.#problems.push(`not every root could be found: ${error.message}`);
      return { droppedNodes: 0, lost };
    }
    const spared = { ...visitor, broken: () => {} };
    for (const ids of sparedIds(this.#art)) {
      await walkClosure(
        open,
        this.#packs,
        ids.filter(({ kind }) => kind === NODE).map(({ digest }) => digest),
        spared,
      );
    }
    let droppedNodes = 0;
    for await (const page of pagesOf(open, objectRange(NODE))) {
      const dead = page.filter(([key]) => !reached.has(key.subarray(1)));
      droppedNodes += dead.length;
      await writeChanges(
        table,
        dead.map(([key]) => ({ type: 'del', key })),
        { sync: false },
      );
      await this.#pause(page.length);
    }
    return { droppedNodes, lost };
  }
}

function isCurrent(file: PackFile, files: readonly PackFile[]): boolean {
  return files.findLast(({ journal }) => journal) === file;
}

function apply(records: Records, changes: RecordChanges): void {
  for (const [key, value] of changes) {
    if (key === SNAPSHOT_END) continue;
    if (value === undefined) records.delete(key);
    else records.set(key, value);
  }
}

function replayedOf(lists: readonly { readonly changes: RecordChanges }[]): Records {
  const records: Records = new Map();
  for (const { changes } of lists) apply(records, changes);
  return records;
}

function isLater(place: JournalPlace, meta: Meta): boolean {
  return place.journal > meta.journal || (place.journal === meta.journal && place.end > meta.journalEnd);
}

function sameRecords(a: Records, b: Records): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !equalBytes(value, other)) return false;
  }
  return true;
}

function* recordPuts(records: Records): Generator<Put> {
  for (const [key, value] of records)
    yield { type: 'put', key: recordKey(key), value: sealRecord(key, value) };
}

function inlineOf(value: Uint8Array): Uint8Array | undefined {
  try {
    return decodeLocation(value).inline;
  } catch (error) {
    if (!isArtError(error)) throw error;
    return undefined;
  }
}

function nodeIn(table: Table, digest: Digest): Uint8Array {
  const value = table.getSync(objectKey(NODE, digest));
  const bytes = value && inlineOf(value);
  if (bytes === undefined || !equalBytes(hash(bytes), digest))
    throw new ArtError('OBJECT_NOT_FOUND', `object ${formatCid({ kind: NODE, digest })} is not in the store`);
  return bytes;
}
