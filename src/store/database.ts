/** Opens LevelDB briefly: one process at a time, brought up to date with the journal, let go when others wait. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, Pace, assert, clockMs, errnoOf, sleep } from '#base';
import type { ErrorCode } from '#base';
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
/** How many times as long as opening it took it may be kept from others. */
const TURNS = 4;
/** How often LevelDB is tried while it is locked: some 3 s. */
const LOCKED_TRIES = 200;

export class Database {
  readonly lock: OwnerLock;
  readonly #folder: string;
  readonly #packs: string;
  readonly #reader: PackReader;
  #pace = new Pace(TICKET_MS);
  #table: Table | undefined;
  #meta: Meta | undefined;
  #opening: Promise<void> | undefined;
  #pins = 0;
  /** Why it is not open though it is pinned. It stays so until all have let it go. */
  #failure: unknown;
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
    if (this.#failure !== undefined) throw this.#failure;
    assert(this.#table, 'the database is not open');
    return this.#table;
  }

  get meta(): Meta {
    if (this.#failure !== undefined) throw this.#failure;
    assert(this.#meta, 'the database is not open');
    return this.#meta;
  }

  /** Keeps the database open until `unpin`. */
  async pin(): Promise<void> {
    this.#pins++;
    try {
      await this.#opened();
    } catch (error) {
      this.unpin();
      throw error;
    }
  }

  unpin(): void {
    assert(this.#pins > 0);
    if (--this.#pins > 0 || this.#failure === undefined) return;
    this.#failure = undefined;
    this.lock.release();
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
    return this.aside(async () => {});
  }

  /** Runs `work` without the caller's pin, so that the database can be closed meanwhile. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.unpin();
    try {
      await this.rest();
      return await work();
    } finally {
      await this.#pinAgain();
    }
  }

  // The caller lets go of its pin in any case.
  async #pinAgain(): Promise<void> {
    this.#pins++;
    try {
      await this.#opened();
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  /** Closes the database unless it is pinned. */
  async rest(): Promise<void> {
    await this.#opening?.catch(() => {});
    if (this.#pins > 0 || this.#table === undefined) return;
    try {
      await this.#closeTable();
    } finally {
      this.lock.release();
    }
  }

  /**
   * Runs what changes packs or a journal and then rows. If it fails, what the database knows of them may be wrong: whoever
   * has it pinned gets the error, and whoever pins it after that finds it brought up to date.
   */
  async changing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      return await this.#fail(error);
    }
  }

  async #fail(error: unknown): Promise<never> {
    this.#failure ??= error;
    await this.#closeTable();
    throw error;
  }

  async #closeTable(): Promise<void> {
    const table = this.#table;
    this.#table = undefined;
    clearInterval(this.#watch);
    await table?.close();
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
      const full = /No space left|Disk quota/.test(String((cause as Error).cause ?? cause));
      // Some of it may be written, and LevelDB's log may end in the middle of a record.
      await this.#fail(
        new ArtError(
          full ? 'DISK_FULL' : 'IO_FAILED',
          `the database in ${this.#folder} could not be written`,
          { cause },
        ),
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

  async #opened(): Promise<void> {
    assert(!this.#closed, 'the store is used after it was disposed of');
    if (this.#failure !== undefined) throw this.#failure;
    await (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  async #open(): Promise<void> {
    if (this.#table !== undefined) return;
    await this.lock.acquire();
    const start = clockMs();
    try {
      this.#table = await this.#openTable();
      try {
        this.#meta = decodeMeta(this.table.getSync(META_KEY));
        await catchUp(this.#packs, this.#reader, this.#meta, (changes, meta) =>
          this.write([...changes, this.setMeta(meta)]),
        );
      } catch (error) {
        await this.#closeTable();
        throw error;
      }
    } catch (error) {
      this.lock.release();
      throw error;
    }
    // It is our turn now, and many who each open it for a moment would do little else.
    this.#pace = new Pace(Math.max(TICKET_MS, TURNS * (clockMs() - start)));
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
        // Possible only while somebody takes a dead holder's lock over; it lasts milliseconds.
        if (attempt === LOCKED_TRIES || !isLocked(error)) throw openingError(this.#folder, error);
        await sleep(5 + Math.random() * 20);
      }
    }
  }
}

function isLocked(error: unknown): boolean {
  return errnoOf((error as Error).cause) === 'LEVEL_LOCKED';
}

function openingError(folder: string, error: unknown): ArtError {
  const why = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
  const failure = (code: ErrorCode, message: string) => new ArtError(code, message, { cause: error });
  const database = `the database in ${folder}`;
  if (/already held by process/.test(why))
    return failure('LOCKED', `${database} is open in this process already`);
  if (isLocked(error))
    return failure(
      'LOCKED',
      `${database} is open in another process, which is not the one that has the lock`,
    );
  if (/Permission denied|Read-only file system/.test(why))
    return failure('FOLDER_UNWRITABLE', `${database} cannot be written: ${why}`);
  if (/No space left/.test(why)) return failure('DISK_FULL', `no space left to open ${database}`);
  return failure('STORE_DAMAGED', `${database} cannot be opened: ${why}`);
}
