/** Brings LevelDB up to date with journals and packs that a crash left ahead of it. */
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, errnoOf } from '#base';
import { CHUNK } from '#object';
import { objectPut, recordChanges } from './changes.ts';
import { loadCompression } from './compression.ts';
import { JOURNAL_START, cutJournal } from './journal.ts';
import { isInline } from './location.ts';
import { listPacks, packName, walkPack } from './pack-files.ts';
import { RECORDS } from './pack-format.ts';
import type { Row } from './pack-format.ts';
import type { PackReader } from './pack-reader.ts';
import { verifiedRows } from './pack-rows.ts';
import { decodeChanges } from './records.ts';
import type { Meta } from './records.ts';
import type { Change } from './table.ts';

/** Makes changes durable, and then what the database remembers of itself. */
export type Step = (changes: readonly Change[], meta: Meta) => Promise<void>;

/**
 * Takes over whatever `folder` has beyond `meta`, under the lock: a crash, or a write that failed, can come after files
 * were made durable and before LevelDB was. Raises STORE_DAMAGED where something is missing in between.
 */
export async function catchUp(folder: string, reader: PackReader, meta: Meta, step: Step): Promise<void> {
  return new CatchUp(folder, reader, meta, step).run();
}

class CatchUp {
  readonly #folder: string;
  readonly #reader: PackReader;
  readonly #step: Step;
  #meta: Meta;

  constructor(folder: string, reader: PackReader, meta: Meta, step: Step) {
    this.#folder = folder;
    this.#reader = reader;
    this.#meta = meta;
    this.#step = step;
  }

  async run(): Promise<void> {
    do await this.#replayJournal();
    while (await this.#takeNext());
  }

  async #replayJournal(): Promise<void> {
    const { journal, journalEnd } = this.#meta;
    const path = this.#path(journal, 'journal');
    const size = sizeOf(path);
    if (size === undefined || size < journalEnd)
      throw damaged(`the journal ${path} is ${size === undefined ? 'gone' : 'shorter than it was'}`);
    if (size === journalEnd) return;
    await loadCompression();
    this.#reader.forget(journal);
    const { segments, wholeToEnd, problems } = walkPack(path, journalEnd);
    if (!wholeToEnd) throw damaged(problems[0]);
    for (const segment of segments) {
      const changes = this.#changesOf(segment.rows);
      if (changes !== undefined) await this.#advance({ journalEnd: segment.end }, changes);
      else if (segment === segments.at(-1) && !this.#hasJournalAfter(journal)) this.#cutTorn(path);
      else throw damaged(`${path}: the segment at ${segment.start} is damaged, and more follows it`);
    }
  }

  // Nothing is appended before the last segment is durable, and nobody was told of this one: it counts as never written.
  #cutTorn(path: string): void {
    cutJournal(path, this.#meta.journalEnd);
    this.#reader.forget(this.#meta.journal);
  }

  #hasJournalAfter(journal: number): boolean {
    return listPacks(this.#folder).some((file) => file.journal && file.number > journal);
  }

  /** Whether there is a pack or journal that the database does not know of. */
  async #takeNext(): Promise<boolean> {
    const next = this.#meta.nextPack;
    const bytes = sizeOf(this.#path(next, 'journal'));
    if (bytes !== undefined && bytes >= JOURNAL_START) {
      await this.#advance({ journal: next, journalEnd: JOURNAL_START, nextPack: next + 1 }, []);
      return true;
    }
    // Shorter than its header it never held anything.
    if (bytes !== undefined) rmSync(this.#path(next, 'journal'), { force: true });
    if (!existsSync(this.#path(next, 'pack'))) return false;
    await this.#advance({ nextPack: next + 1 }, this.#adopt(next));
    return true;
  }

  // Its chunks are good to have; its nodes may name what gc has removed since.
  #adopt(pack: number): Change[] {
    const rows = walkPack(this.#path(pack, 'pack')).segments.flatMap(({ rows }) => rows);
    return rows.filter(({ kind }) => kind === CHUNK).map((row) => objectPut(pack, row, undefined));
  }

  /** Undefined if some of it is not there. */
  #changesOf(rows: readonly Row[]): Change[] | undefined {
    const { journal } = this.#meta;
    const changes: Change[] = [];
    for (const [row, bytes] of verifiedRows(this.#reader, journal, rows)) {
      if (bytes === undefined) return undefined;
      if (row.kind === RECORDS) changes.push(...recordChanges(decodeChanges(bytes)));
      else changes.push(objectPut(journal, row, isInline(row) ? bytes : undefined));
    }
    return changes;
  }

  async #advance(meta: Partial<Meta>, changes: readonly Change[]): Promise<void> {
    this.#meta = { ...this.#meta, ...meta };
    await this.#step(changes, this.#meta);
  }

  #path(number: number, kind: 'pack' | 'journal'): string {
    return join(this.#folder, packName(number, kind));
  }
}

function damaged(why: string): ArtError {
  return new ArtError('STORE_DAMAGED', why);
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
