/** Opens LevelDB briefly: one process at a time, brought up to date with the journal, let go when others wait. */
import { strict as assert } from 'node:assert';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, Pace, errnoOf, sleep } from '#base';
import { CHUNK, NODE } from '#object';
import type { Digest, ObjectKind } from '#object';
import { loadCompression } from './compression.ts';
import { JOURNAL_START } from './journal.ts';
import { encodeLocation, isInline, locationOf } from './location.ts';
import type { PackReader } from './pack-reader.ts';
import { packName, walkPack } from './pack-files.ts';
import { RECORDS } from './pack-format.ts';
import type { Row } from './pack-format.ts';
import { OwnerLock } from './owner-lock.ts';
import type { RecordRow } from './object-store.ts';
import {
  META_KEY,
  SNAPSHOT_END,
  decodeChanges,
  decodeMeta,
  encodeMeta,
  objectKey,
  recordKey,
  sealRecord,
} from './records.ts';
import type { Meta, RecordChanges } from './records.ts';
import { openTable, recordIn, recordsIn, writeChanges } from './table.ts';
import type { Change, Put, Table } from './table.ts';

const TICKET_MS = 20;

export class Database {
  readonly lock: OwnerLock;
  readonly #folder: string;
  readonly #packs: string;
  readonly #reader: PackReader;
  readonly #pace = new Pace(TICKET_MS);
  #table: Table | undefined;
  #meta: Meta | undefined;
  #opening: Promise<void> | undefined;
  #pins = 0;
  #closed = false;
  #watch: NodeJS.Timeout | undefined;

  constructor(art: string, reader: PackReader, waitMsMax?: number) {
    this.#folder = join(art, 'objects');
    this.#packs = join(art, 'packs');
    this.#reader = reader;
    this.lock = new OwnerLock(join(art, 'lock'), undefined, waitMsMax);
  }

  /** The open database; only between `pin` and `unpin`. */
  get table(): Table {
    assert(this.#table, 'the database is not open');
    return this.#table;
  }

  get meta(): Meta {
    assert(this.#meta, 'the database is not open');
    return this.#meta;
  }

  /** Keeps the database open until `unpin`. */
  async pin(): Promise<void> {
    assert(!this.#closed, 'the store is used after it was disposed of');
    this.#pins++;
    try {
      await (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
    } catch (error) {
      this.#pins--;
      throw error;
    }
  }

  unpin(): void {
    assert(this.#pins > 0);
    this.#pins--;
  }

  /** Runs `work` with the database open; it may stay open afterwards until somebody waits for it. */
  async use<T>(work: () => Promise<T> | T): Promise<T> {
    await this.pin();
    try {
      return await work();
    } finally {
      this.unpin();
    }
  }

  /** Lets waiting processes in, if there are any and nobody here is in the middle of something. */
  breathe(): Promise<void> | undefined {
    if (!this.#pace.due() || !this.lock.wanted()) return undefined;
    return this.#stepAside();
  }

  /** Runs `work` without the caller's pin, so that the database can be closed meanwhile. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.unpin();
    try {
      await this.rest();
      return await work();
    } finally {
      await this.pin();
    }
  }

  /** Closes the database unless it is pinned. */
  async rest(): Promise<void> {
    await this.#opening?.catch(() => {});
    if (this.#pins > 0 || this.#table === undefined) return;
    const table = this.#table;
    this.#table = undefined;
    clearInterval(this.#watch);
    try {
      await table.close();
    } finally {
      this.lock.release();
    }
  }

  /** Closes the database for good: using it again is a bug. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.rest();
    this.lock.close();
  }

  /** The value of a record; only while pinned. Raises STORE_DAMAGED. */
  async getRecord(key: string): Promise<Uint8Array | undefined> {
    return recordIn(this.table, key);
  }

  /** Records whose key begins with `prefix`, in key order; only while pinned. */
  async listRecords(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<RecordRow[]> {
    return recordsIn(this.table, prefix, page);
  }

  /** Makes changes durable, in batches; what must become visible last goes last. */
  async write(changes: Iterable<Change>): Promise<void> {
    try {
      await writeChanges(this.table, changes, { sync: true });
    } catch (cause) {
      if (errnoOf(cause)?.startsWith('LEVEL_') !== true) throw cause;
      this.#meta = decodeMeta(this.table.getSync(META_KEY)); // What it remembers of itself was not written either.
      const full = /No space left|Disk quota/.test(String((cause as Error).cause ?? cause));
      throw new ArtError(
        full ? 'DISK_FULL' : 'IO_FAILED',
        `the database in ${this.#folder} could not be written`,
        { cause },
      );
    }
  }

  /** The change that makes `meta` what the database remembers of itself. */
  setMeta(meta: Meta): Put {
    this.#meta = meta;
    return { type: 'put', key: META_KEY, value: encodeMeta(meta) };
  }

  journalPath(number = this.meta.journal): string {
    return join(this.#packs, packName(number, 'journal'));
  }

  async #stepAside(): Promise<void> {
    this.unpin();
    try {
      await this.rest();
    } finally {
      await this.pin();
    }
  }

  async #open(): Promise<void> {
    if (this.#table !== undefined) return;
    await this.lock.acquire();
    try {
      this.#table = await this.#openTable();
      try {
        await this.#catchUp();
      } catch (error) {
        await this.#table.close();
        this.#table = undefined;
        throw error;
      }
    } catch (error) {
      this.lock.release();
      throw error;
    }
    // For whoever waits while nothing here breathes: an SDK between two calls.
    this.#watch = setInterval(() => {
      if (this.#pins === 0 && this.lock.wanted()) void this.rest();
    }, TICKET_MS);
    this.#watch.unref();
  }

  async #openTable(): Promise<Table> {
    for (let attempt = 0; ; attempt++) {
      if (!existsSync(join(this.#folder, 'CURRENT'))) {
        throw new ArtError('STORE_DAMAGED', `the database in ${this.#folder} is gone or incomplete`);
      }
      const table = openTable(this.#folder, { create: false });
      try {
        await table.open();
        return table;
      } catch (error) {
        const cause = (error as Error).cause as Error | undefined;
        // Possible only while somebody takes a dead holder's lock over; it lasts milliseconds.
        if (errnoOf(cause) === 'LEVEL_LOCKED' && attempt < 200) {
          await sleep(5 + Math.random() * 20);
          continue;
        }
        const why = cause?.message ?? (error as Error).message;
        if (/already held by process/.test(why)) {
          throw new ArtError('LOCKED', `the database in ${this.#folder} is open in this process already`, {
            cause: error,
          });
        }
        if (/Permission denied|Read-only file system/.test(why)) {
          throw new ArtError(
            'FOLDER_UNWRITABLE',
            `the database in ${this.#folder} cannot be written: ${why}`,
            { cause: error },
          );
        }
        if (/No space left/.test(why))
          throw new ArtError('DISK_FULL', `no space left to open the database in ${this.#folder}`, {
            cause: error,
          });
        throw new ArtError('STORE_DAMAGED', `the database in ${this.#folder} cannot be opened: ${why}`, {
          cause: error,
        });
      }
    }
  }

  // A crash can come after the journal was made durable and before LevelDB was: the journal is right.
  async #catchUp(): Promise<void> {
    let meta = decodeMeta(this.table.getSync(META_KEY));
    this.#meta = meta;
    for (;;) {
      const path = this.journalPath(meta.journal);
      const size = sizeOf(path);
      if (size === undefined || size < meta.journalEnd) {
        throw new ArtError(
          'STORE_DAMAGED',
          `the journal ${path} is ${size === undefined ? 'gone' : 'shorter than it was'}`,
        );
      }
      if (size > meta.journalEnd) {
        await loadCompression();
        const walk = walkPack(path, meta.journalEnd);
        for (const segment of walk.segments) {
          meta = { ...meta, journalEnd: segment.end };
          await this.write([...this.#replay(meta.journal, segment.rows), this.setMeta(meta)]);
        }
      }
      const next = meta.nextPack;
      const orphan = join(this.#packs, packName(next, 'pack'));
      if (existsSync(this.journalPath(next))) {
        meta = { ...meta, journal: next, journalEnd: JOURNAL_START, nextPack: next + 1 };
        await this.write([this.setMeta(meta)]);
      } else if (existsSync(orphan)) {
        meta = { ...meta, nextPack: next + 1 };
        await this.write([...this.#adopt(next, orphan), this.setMeta(meta)]);
      } else return;
    }
  }

  // A pack that was named but not indexed. Its chunks are good to have; its nodes may name what gc has removed since.
  #adopt(pack: number, path: string): Change[] {
    const rows = walkPack(path).segments.flatMap(({ rows }) => rows);
    return rows.filter(({ kind }) => kind === CHUNK).map((row) => objectPut(pack, row, undefined));
  }

  #replay(journal: number, rows: readonly Row[]): Change[] {
    this.#reader.forget(journal);
    const locations = rows.map((row) => locationOf(journal, row));
    const contents = this.#reader.read(locations);
    return rows.flatMap((row, i) =>
      row.kind === RECORDS
        ? recordChanges(decodeChanges(contents[i]))
        : [objectPut(journal, row, row.kind === NODE || isInline(row) ? contents[i] : undefined)],
    );
  }
}

/** The change that says where an object lies; `bytes` are its own, wanted if it also stands in LevelDB. */
export function objectPut(pack: number, row: Row, bytes: Uint8Array | undefined): Put {
  const value = encodeLocation(pack, row, bytes !== undefined && isInline(row) ? bytes : undefined);
  return { type: 'put', key: objectKey(row.kind as ObjectKind, row.digest as Digest), value };
}

export function recordChanges(changes: RecordChanges): Change[] {
  return [...changes]
    .filter(([key]) => key !== SNAPSHOT_END)
    .map(([key, value]) =>
      value === undefined
        ? { type: 'del', key: recordKey(key) }
        : { type: 'put', key: recordKey(key), value: sealRecord(key, value) },
    );
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
