/** Moves what is still wanted out of old packs and journals into new ones, so that the old files can go. */
import { join } from 'node:path';
import { nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE, hash } from '#object';
import type { Digest, ObjectId, ObjectKind } from '#object';
import { objectPut } from './changes.ts';
import type { Database } from './database.ts';
import { JOURNAL_START, appendJournal, createJournal, cutJournal } from './journal.ts';
import type { LevelStore } from './level-store.ts';
import { decodeLocation, locationOf, samePlace } from './location.ts';
import type { Location } from './location.ts';
import { walkPack } from './pack-files.ts';
import type { PackFile } from './pack-files.ts';
import { RECORDS } from './pack-format.ts';
import type { Row } from './pack-format.ts';
import { SNAPSHOT_END, encodeChanges, objectKey, objectRange } from './records.ts';
import type { RecordChanges } from './records.ts';
import { sealedRows } from './segment.ts';
import type { SealedSegment } from './segment.ts';
import { publishPack } from './publish-pack.ts';
import { Session } from './sessions.ts';
import { pagesOf } from './table.ts';
import { Unpublished } from './unpublished.ts';
import type { Change } from './table.ts';

const READ_BYTES = 8 * 1024 * 1024;
const READ_ROWS = 1000;
const SNAPSHOT_SEGMENT_BYTES = 16 * 1024 * 1024;
const RECORDS_A_PAGE = 1000;

/** Begins a new journal with all records, after which older journals are not needed for records. */
export async function beginJournal(store: LevelStore): Promise<void> {
  const { database } = store;
  await store.exclusively(() =>
    database.use(() =>
      database.changing(async () => {
        const { nextPack: journal, journalEnd } = database.meta;
        cutJournal(database.journalPath(), journalEnd);
        createJournal(database.journalPath(journal));
        const end = await appendRecords(database, journal);
        const meta = { ...database.meta, journal, journalEnd: end, nextPack: journal + 1 };
        await database.write([database.setMeta(meta)]);
      }),
    ),
  );
}

/** Appends every record there is to an empty journal; gives where it then ends. */
async function appendRecords(database: Database, journal: number): Promise<number> {
  let end = JOURNAL_START;
  let changes = new Map<string, Uint8Array | undefined>();
  let bytes = 0;
  const append = () => {
    end = appendChanges(database, journal, end, changes);
    changes = new Map();
    bytes = 0;
  };
  let after: string | undefined;
  for (;;) {
    const rows = await database.listRecords('', {
      ...(after !== undefined && { after }),
      limit: RECORDS_A_PAGE,
    });
    for (const { key, value } of rows) {
      changes.set(key, value);
      bytes += key.length + value.length;
      if (bytes > SNAPSHOT_SEGMENT_BYTES) append();
    }
    if (rows.length < RECORDS_A_PAGE) break;
    after = rows[rows.length - 1].key;
  }
  changes.set(SNAPSHOT_END, undefined);
  append();
  return end;
}

function appendChanges(database: Database, journal: number, start: number, changes: RecordChanges): number {
  const segment = new Unpublished(() => {
    throw new Error('records never fill a pack');
  });
  segment.holdForJournal();
  const lists = encodeChanges(changes).map(
    (bytes) => ({ kind: RECORDS, digest: hash(bytes), bytes }) as const,
  );
  const { parts, end } = segment.toJournal(start, lists);
  appendJournal(database.journalPath(journal), start, parts);
  return end;
}

export interface RepackOptions {
  readonly signal?: AbortSignal;
  /** Called after each durable step. */
  readonly onStep?: (step: 'copied' | 'named' | 'moved') => void;
  /** Told of each batch that was copied. */
  readonly onCopied?: (objects: number) => void;
}

/** Copies live objects, verified, and makes their rows name the copy. Dispose it when done. */
export class Repacker implements AsyncDisposable {
  /** Objects that could not be read. */
  readonly unreadable: ObjectId[] = [];
  readonly #store: LevelStore;
  readonly #database: Database;
  readonly #options: RepackOptions;
  readonly #session: Session;
  readonly #from = new Set<number>();
  #current: Unpublished;

  constructor(store: LevelStore, options: RepackOptions = {}) {
    this.#store = store;
    this.#database = store.database;
    this.#options = options;
    this.#session = new Session(join(store.art, 'tmp'));
    this.#current = this.#newUnpublished();
  }

  /** Copies every object whose row names a place in this pack; gives how many rows did. */
  async copyPack(file: PackFile): Promise<number> {
    this.#from.add(file.number);
    return this.#database.use(async () => {
      let copied = 0;
      let ids: ObjectId[] = [];
      let locations: Location[] = [];
      let bytes = 0;
      const flush = async () => {
        copied += ids.length;
        await this.#copy(ids, locations);
        ids = [];
        locations = [];
        bytes = 0;
      };
      for (const { rows } of walkPack(file.path).segments) {
        for (const row of rows) {
          const location = this.#liveAt(file.number, row);
          if (location === undefined) continue;
          ids.push({ kind: row.kind as ObjectKind, digest: row.digest });
          locations.push(location);
          bytes += row.bytes;
          if (bytes > READ_BYTES || ids.length >= READ_ROWS) await flush();
        }
      }
      await flush();
      return copied;
    });
  }

  /** Copies every object whose row names one of `packs`, from wherever its bytes can still be had. */
  async copyRows(packs: ReadonlySet<number>): Promise<void> {
    for (const pack of packs) this.#from.add(pack);
    await this.#database.use(async () => {
      for (const kind of [CHUNK, NODE] as const) {
        for await (const page of pagesOf(this.#database, objectRange(kind))) {
          for (const [key, value] of page) {
            const location = decodeLocation(value);
            if (packs.has(location.pack)) await this.#copy([{ kind, digest: key.subarray(1) }], [location]);
          }
          await this.#pause();
        }
      }
    });
  }

  /** Publishes what was copied. Afterwards no row names the packs copied from, but for what was unreadable. */
  async publish(): Promise<void> {
    if (this.#current.empty) return;
    const current = this.#current;
    const pack = current.toPack();
    await pack.finish();
    this.#options.onStep?.('copied');
    await this.#store.exclusively(() =>
      this.#database.use(() =>
        publishPack(this.#database, join(this.#store.art, 'packs'), pack, this.#session, {
          changes: (number) => this.#moves(number, pack.sealed),
          onNamed: () => this.#options.onStep?.('named'),
        }),
      ),
    );
    this.#current = this.#newUnpublished();
    this.#options.onStep?.('moved');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current.drop();
    this.#session.end();
  }

  #newUnpublished(): Unpublished {
    return new Unpublished(() => this.#session.newPackPath());
  }

  async #copy(ids: readonly ObjectId[], locations: readonly Location[]): Promise<void> {
    const contents = this.#store.packReader.readWhole(ids, locations);
    ids.forEach((id, i) => {
      const bytes = contents[i];
      if (bytes === undefined) this.unreadable.push(id);
      else if (!this.#current.has(id.kind, id.digest)) this.#current.put(id.kind, id.digest, bytes);
    });
    this.#options.onCopied?.(ids.length);
    if (this.#current.full) await this.publish();
    await this.#pause();
  }

  async #pause(): Promise<void> {
    throwIfAborted(this.#options.signal);
    await (this.#database.breathe() ?? nextTurn());
  }

  #liveAt(pack: number, row: Row): Location | undefined {
    if (row.kind === RECORDS) return undefined;
    const value = this.#database.table.getSync(objectKey(row.kind, row.digest as Digest));
    if (value === undefined) return undefined;
    const location = decodeLocation(value);
    return samePlace(location, locationOf(pack, row)) ? location : undefined;
  }

  // Only what nobody has moved or removed meanwhile.
  *#moves(number: number, segments: readonly SealedSegment[]): Generator<Change, void> {
    for (const segment of segments) {
      for (const { row, inline } of sealedRows(segment)) {
        if (this.#from.has(this.#packOf(row) ?? -1)) yield objectPut(number, row, inline);
      }
    }
  }

  #packOf(row: Row): number | undefined {
    const value = this.#database.table.getSync(objectKey(row.kind as ObjectKind, row.digest as Digest));
    return value === undefined ? undefined : decodeLocation(value).pack;
  }
}
