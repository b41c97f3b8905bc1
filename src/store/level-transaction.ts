/** One writer's work on the store on disk: into packs outside the lock, then visible in one synced batch. */
import { join } from 'node:path';
import { ArtError, DigestTable } from '#base';
import { CHUNK, NODE, hash } from '#object';
import type { Digest, ObjectKind } from '#object';
import { ObjectPuts, recordChanges } from './changes.ts';
import type { Database } from './database.ts';
import { JOURNAL_BYTES_MAX, JOURNAL_START, appendJournal, createJournal, cutJournal } from './journal.ts';
import type { LevelStore } from './level-store.ts';
import type { ArrivedFrame, LockedStore, Transaction, TransactionStats } from './object-store.ts';
import { RECORDS } from './pack-format.ts';
import { publishPack } from './publish-pack.ts';
import { encodeChanges, objectKey } from './records.ts';
import type { RecordChanges } from './records.ts';
import { sealedRows } from './segment.ts';
import type { SealedSegment } from './segment.ts';
import { Session } from './sessions.ts';
import { Unpublished } from './unpublished.ts';
import type { Change } from './table.ts';

/** What stores no more than this goes whole into the journal. */
const JOURNALED_BYTES_MAX = 4 * 1024 * 1024;
/** How many reused objects are remembered one by one; with more, any gc in between means starting over. */
const REUSED_MAX = 1_000_000;
/** One that is filled, and the one that is filled after it. */
const SPARES_MAX = 2;

export class LevelTransaction implements Transaction {
  readonly stats: TransactionStats;
  readonly #counts = { objects: 0, rawBytes: 0, storedBytes: 0 };
  readonly #store: LevelStore;
  readonly #database: Database;
  readonly #session: Session;
  #reused = noneReused();
  #current: Unpublished;
  /** Full packs that wait to be published, oldest first. */
  #waiting: Unpublished[] = [];
  #epoch: number;
  /** What was relied on until then was there in this epoch; undefined once something was relied on without a look. */
  #checkedEpoch: number | undefined;
  /** What is put is held for the journal. */
  #deciding = false;
  #open = true;

  /** The database is pinned by the caller, and unpinned by disposing. */
  constructor(store: LevelStore) {
    this.#store = store;
    this.#database = store.database;
    this.#epoch = this.#checkedEpoch = store.database.meta.epoch;
    this.stats = this.#counts;
    this.#session = new Session(join(store.art, 'tmp'));
    this.#current = this.#newUnpublished();
  }

  get epoch(): number {
    return this.#epoch;
  }

  breathe(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return this.#database.breathe();
    return this.#store.exclusively(() => this.#publishWaiting());
  }

  aside<T>(work: () => Promise<T>): Promise<T> {
    return this.#database.aside(work);
  }

  has(kind: ObjectKind, digest: Digest): boolean {
    if (this.#current.has(kind, digest) || this.#reused[kind].has(digest)) return true;
    for (const waiting of this.#waiting) if (waiting.has(kind, digest)) return true;
    if (this.#database.table.getSync(objectKey(kind, digest)) === undefined) return false;
    this.#note(kind, digest);
    return true;
  }

  rely(kind: ObjectKind, digest: Digest): void {
    // It was there in the epoch we began with: what was checked since does not speak of it.
    if (this.#checkedEpoch !== this.#epoch) this.#checkedEpoch = undefined;
    this.#note(kind, digest);
  }

  #note(kind: ObjectKind, digest: Digest): void {
    if (this.#reused[kind].size < REUSED_MAX) this.#reused[kind].add(digest);
  }

  put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): boolean {
    if (this.has(kind, digest)) return false;
    this.#counting(() => this.#current.put(kind, digest, bytes));
    this.#counts.objects++;
    this.#counts.rawBytes += bytes.length;
    if (this.#current.full) this.#turnOver();
    return true;
  }

  putFrame(frame: ArrivedFrame): boolean {
    const twice = new DigestTable(frame.ids.length + 1);
    for (const { kind, digest } of frame.ids) if (!twice.add(digest) || this.has(kind, digest)) return false;
    this.#counting(() => this.#current.putFrame(frame));
    this.#counts.objects += frame.ids.length;
    this.#counts.rawBytes += frame.rawBytes;
    if (this.#current.full) this.#turnOver();
    return true;
  }

  settle(): void {
    this.#counting(() => this.#current.settle());
  }

  #counting(work: () => void): void {
    const before = this.#current.storedBytes;
    work();
    this.#counts.storedBytes += this.#current.storedBytes - before;
  }

  putNode(digest: Digest, bytes: Uint8Array): void {
    this.put(NODE, digest, bytes);
  }

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    const found = digests.map((digest) => this.#unpublishedNode(digest));
    const absent = digests.filter((_, i) => found[i] === undefined);
    const stored = absent.length === 0 ? [] : await this.#store.getNodes(absent);
    let next = 0;
    return found.map((bytes) => bytes ?? stored[next++]);
  }

  async publish<T>(decide: (locked: LockedStore) => Promise<T>): Promise<T> {
    return this.#store.exclusively(async () => {
      if (this.#current.packed || this.#current.storedBytes > JOURNALED_BYTES_MAX) this.#turnOver();
      await this.#publishWaiting();
      this.#session.check();
      this.#checkReused();
      this.#deciding = true;
      this.#current.holdForJournal();
      const changes = new Map<string, Uint8Array | undefined>();
      const result = await decide(this.#locked(changes)).finally(() => (this.#deciding = false));
      await this.#publishWaiting(); // There is only some if it was too much for a journal.
      await this.#writeJournal(changes);
      this.#session.end();
      return result;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    try {
      for (const waiting of this.#waiting) await waiting.drop();
      if (this.#current.empty) this.#setAside(this.#current);
      else await this.#current.drop();
      this.#session.end();
    } finally {
      this.#database.unpin();
    }
  }

  #newUnpublished(): Unpublished {
    const newPackPath = () => this.#session.newPackPath();
    const spare = this.#store.spares.pop();
    if (spare === undefined) return new Unpublished(newPackPath);
    spare.newPackPath = newPackPath;
    return spare;
  }

  #setAside(published: Unpublished): void {
    published.clear();
    published.newPackPath = ofNoTransaction;
    if (this.#store.spares.length < SPARES_MAX) this.#store.spares.push(published);
  }

  #turnOver(): void {
    this.settle();
    this.#current.toPack();
    this.#waiting.push(this.#current);
    this.#current = this.#newUnpublished();
    if (this.#deciding) this.#current.holdForJournal();
  }

  #unpublishedNode(digest: Digest): Uint8Array | undefined {
    for (const unpublished of [this.#current, ...this.#waiting]) {
      const bytes = unpublished.node(digest);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  }

  #locked(changes: Map<string, Uint8Array | undefined>): LockedStore {
    return {
      getNodes: (digests) => this.getNodes(digests),
      putNode: (digest, bytes) => this.putNode(digest, bytes),
      put: (kind, digest, bytes) => this.put(kind, digest, bytes),
      getRecord: async (key) => (changes.has(key) ? changes.get(key) : this.#database.getRecord(key)),
      listRecords: (prefix, page) => this.#database.listRecords(prefix, page),
      setRecord: (key, value) => void changes.set(key, value),
    };
  }

  async #publishWaiting(): Promise<void> {
    for (let waiting = this.#waiting[0]; waiting !== undefined; waiting = this.#waiting[0]) {
      const pack = waiting.toPack();
      await pack.finish();
      this.#checkReused();
      await publishPack(this.#database, join(this.#store.art, 'packs'), pack, this.#session, {
        changes: (number) => rowChanges(number, pack.sealed),
      });
      this.#waiting.shift();
      this.#setAside(waiting);
    }
  }

  async #writeJournal(changes: RecordChanges): Promise<void> {
    if (changes.size === 0 && this.#current.empty) return;
    await this.#database.changing(() => this.#append(changes));
    this.#current.clear();
  }

  async #append(changes: RecordChanges): Promise<void> {
    const { meta } = this.#database;
    const lists = encodeChanges(changes).map(
      (bytes) => ({ kind: RECORDS, digest: hash(bytes), bytes }) as const,
    );
    let { journal, journalEnd, nextPack } = meta;
    if (journalEnd > JOURNAL_BYTES_MAX) {
      cutJournal(this.#database.journalPath(journal), journalEnd); // Nobody appends to it again: no torn end may stay.
      [journal, journalEnd, nextPack] = [nextPack, JOURNAL_START, nextPack + 1];
      createJournal(this.#database.journalPath(journal));
    }
    const { parts, sealed, end } = this.#current.toJournal(journalEnd, lists);
    appendJournal(this.#database.journalPath(journal), journalEnd, parts);
    const last = this.#database.setMeta({ ...meta, journal, journalEnd: end, nextPack });
    await this.#database.write(inTurn(rowChanges(journal, [sealed]), recordChanges(changes), [last]));
  }

  // What gc may have taken since it was looked up must still be there, or the version would have a hole.
  #checkReused(): void {
    const { epoch } = this.#database.meta;
    if (epoch === this.#checkedEpoch) return;
    for (const kind of [CHUNK, NODE] as const) {
      const reused = this.#reused[kind];
      let gone = reused.size >= REUSED_MAX;
      for (const digest of reused) {
        if (gone) break;
        gone = this.#database.table.getSync(objectKey(kind, digest)) === undefined;
      }
      if (!gone) continue;
      // What is gone must not count as had; all that was put stays, for whoever begins again.
      this.#reused = noneReused();
      this.#epoch = this.#checkedEpoch = epoch;
      throw new ArtError('REUSED_GONE', 'objects that this version builds on were removed meanwhile');
    }
    this.#checkedEpoch = epoch;
  }
}

/** Not a closure of a transaction, which would be kept with all that it has looked up. */
function ofNoTransaction(): never {
  throw new Error('what is set aside takes no objects');
}

function noneReused(): Record<ObjectKind, DigestTable> {
  return { [CHUNK]: new DigestTable(256), [NODE]: new DigestTable(64) };
}

/** The changes that let every object of these segments be found in `pack`; each good until the next is asked for. */
function* rowChanges(pack: number, segments: readonly SealedSegment[]): Generator<Change, void> {
  const puts = new ObjectPuts();
  for (const segment of segments) {
    for (const { row, inline } of sealedRows(segment))
      if (row.kind !== RECORDS) yield puts.of(pack, row, inline);
  }
}

function* inTurn<T>(...lists: readonly Iterable<T>[]): Generator<T, void> {
  for (const list of lists) yield* list;
}
