/** Opens LevelDB briefly: one process at a time, brought up to date with the journal, let go when others wait. */
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, Pace, errnoOf, sleep } from '#base';
import { catchUp } from './catch-up.ts';
import type { PackReader } from './pack-reader.ts';
import { packName } from './pack-files.ts';
import { OwnerLock } from './owner-lock.ts';
import type { RecordRow } from './object-store.ts';
import { META_KEY, decodeMeta, encodeMeta } from './records.ts';
import type { Meta } from './records.ts';
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
        this.#meta = decodeMeta(this.table.getSync(META_KEY));
        await catchUp(this.#packs, this.#reader, this.#meta, (changes, meta) =>
          this.write([...changes, this.setMeta(meta)]),
        );
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
}
