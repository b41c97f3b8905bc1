/** Finds which pack of a bucket holds an object: the bucket's indexes, kept as rows of the store's cache. */
import { ByteReader, ByteWriter, DigestTable, EMPTY_BYTES, utf8 } from '#base';
import { CHUNK, NODE } from '#object';
import type { ObjectId, ObjectKind } from '#object';
import { decodeLocation, decodeWireIndex, encodeLocation } from '#store';
import type { Cache, CacheRow, Location, Row } from '#store';
import { AilingPacks } from './ailing-packs.ts';
import type { Bucket } from './bucket.ts';
import { CondemnedLists } from './condemned-lists.ts';
import { INDEXES, PACKS, indexKey, packOfIndex, packOfKey } from './keys.ts';
import type { PackId } from './keys.ts';
import { readPackIndex } from './read-pack-index.ts';

/** Where one copy of an object is. */
export interface Place {
  readonly pack: PackId;
  readonly packBytes: number;
  readonly location: Location;
}

/** A pack and what is in it. */
export interface IndexedPack {
  readonly id: PackId;
  readonly bytes: number;
  readonly rows: Iterable<Row>;
}

/** What the index of a pack says of it. Raises PACK_CORRUPT. */
export function indexedPack(id: PackId, index: Uint8Array): IndexedPack {
  const { packBytes, rows } = decodeWireIndex(index, indexKey(id));
  return { id, bytes: packBytes, rows };
}

export interface PackIndexOptions {
  readonly signal?: AbortSignal;
  readonly onWarning?: (text: string) => void;
}

interface PackRow {
  /** Of the pack. */
  readonly number: number;
  readonly row: Row;
}

interface KnownPack {
  readonly number: number;
  readonly id: PackId;
  readonly bytes: number;
}

const PAGE_ROWS = 1000;
/** Rows added in one write. */
const ADDED_ROWS = 4000;
/** Indexes read at the same time: an index is 3 MiB at most as packs are made here. */
const INDEXES_AT_ONCE = 4;

export class PackIndex {
  readonly condemned: CondemnedLists;
  readonly ailing: AilingPacks;
  readonly #cache: Cache;
  readonly #bucket: Bucket;
  readonly #options: PackIndexOptions;
  /** Before the keys of this bucket's rows. */
  readonly #prefix: Uint8Array;
  readonly #byNumber = new Map<number, KnownPack>();
  readonly #byId = new Map<PackId, KnownPack>();
  /** Packs whose index was listed when it was last looked, or that were put since. */
  readonly #listed = new Set<PackId>();
  /** Packs to look into before all others are listed. */
  #hinted: PackId[] = [];
  /** Packs whose index was listed and not read yet, oldest first; and the one that was asked for last. */
  #unread: PackId[] = [];
  #near: PackId | undefined;
  #loaded = false;
  #fresh = false;
  /** Whether others are known than were sent since this index was loaded. */
  #knewPacks = false;

  /** `id` is the repository's in the bucket: another bucket at the same address has rows of its own. */
  constructor(cache: Cache, bucket: Bucket, id: string, options: PackIndexOptions = {}) {
    this.#cache = cache;
    this.#bucket = bucket;
    this.#options = options;
    this.#prefix = utf8(`idx/${id}/`);
    this.condemned = new CondemnedLists(cache, bucket, id, options);
    this.ailing = new AilingPacks(cache, id);
  }

  /**
   * Learns what was put and condemned since, and which packs are missing or cut short; three requests if nothing was. Raises
   * REMOTE_CORRUPT.
   */
  async refresh(): Promise<void> {
    await this.#load();
    await this.condemned.refresh();
    const indexed = new Set<PackId>();
    const listed = new Set<PackId>();
    let news: PackId[] = [];
    for await (const { key } of this.#bucket.list(INDEXES, this.#options)) {
      const id = packOfIndex(key);
      if (id === undefined) continue;
      indexed.add(id);
      listed.add(id);
      if (this.#byId.has(id)) continue;
      news.push(id);
      if (news.length < INDEXES_AT_ONCE) continue;
      await this.#addAll(news, listed);
      news = [];
    }
    await this.#addAll(news, listed);
    for (const id of await this.#packsLost(indexed)) listed.delete(id);
    this.#listed.clear();
    for (const id of listed) this.#listed.add(id);
    this.#fresh = true;
  }

  /**
   * Which of the packs that have an index are not there; those that are not there whole are noted. Listed after the indexes: a
   * pack is put before its index.
   */
  async #packsLost(indexed: ReadonlySet<PackId>): Promise<PackId[]> {
    const sizes = new Map<PackId, number>();
    for await (const { key, size } of this.#bucket.list(PACKS, this.#options)) {
      const id = packOfKey(key);
      if (id !== undefined) sizes.set(id, size);
    }
    const ailing = [...indexed].filter((id) => sizes.get(id) !== this.#byId.get(id)?.bytes);
    const unknown = ailing.filter((id) => !this.ailing.has(id));
    // What gc is just taking away is condemned, perhaps since we looked.
    if (unknown.length > 0) await this.condemned.refresh();
    for (const id of unknown) if (!this.condemned.has(id)) await this.ailing.note(id);
    return ailing.filter((id) => !sizes.has(id));
  }

  /** Says that something is likely to lie in these packs: `seek` looks there first. */
  hint(packs: readonly PackId[]): void {
    this.#hinted.push(...packs);
  }

  /** Reads the indexes of these packs, if they are not known: cheaper than looking for all there are. */
  async take(packs: readonly PackId[]): Promise<void> {
    await this.#load();
    const listed = new Set(packs);
    const news = packs.filter((id) => !this.#byId.has(id));
    for (let i = 0; i < news.length; i += INDEXES_AT_ONCE)
      await this.#addAll(news.slice(i, i + INDEXES_AT_ONCE), listed);
    for (const id of listed) this.#listed.add(id);
  }

  /**
   * Learns of packs until every one of `ids` is found or none is left: at first of those put shortly before or after the
   * one that was asked for last, as what belongs together is sent together. Whoever needs one file of a large bucket
   * reads few indexes.
   */
  async seek(ids: readonly ObjectId[]): Promise<void> {
    await this.#load();
    for (let listed = false; ;) {
      const absent = (await this.places(ids)).some((found) => found.length === 0);
      if (!absent) return;
      const hinted = this.#hinted.splice(0, INDEXES_AT_ONCE).filter((id) => !this.#byId.has(id));
      if (hinted.length > 0) {
        await this.take(hinted);
        continue;
      }
      if (this.#unread.length === 0) {
        if (listed) return;
        this.#unread = await this.#listUnread();
        listed = true;
        continue;
      }
      const near = this.#near;
      const at = near === undefined ? -1 : this.#unread.findIndex((id) => id > near);
      const middle = at < 0 ? this.#unread.length : at;
      const start = Math.max(
        0,
        Math.min(middle - INDEXES_AT_ONCE / 2, this.#unread.length - INDEXES_AT_ONCE),
      );
      await this.take(this.#unread.splice(start, INDEXES_AT_ONCE));
    }
  }

  /** Whether `refresh` was called: only then is what it does not find not there. */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** Which of `ids` need not be sent again: those in packs that are listed, whole as far as is known, and not condemned. */
  async reusable(ids: readonly ObjectId[]): Promise<boolean[]> {
    if (this.#byId.size === 0) return ids.map(() => false);
    const places = await this.places(ids);
    return places.map((found) => found.some(({ pack }) => this.#trouble(pack) === 0));
  }

  /** Where each of `ids` may be read, the best place first; none for what is not known. */
  async places(ids: readonly ObjectId[]): Promise<Place[][]> {
    await this.#load();
    const places: Place[][] = [];
    for (let i = 0; i < ids.length; i += PAGE_ROWS) {
      const page = ids.slice(i, i + PAGE_ROWS);
      const values = await this.#cache.get(this.#objectKeys(page));
      for (const value of values) places.push(value === undefined ? [] : this.#decodePlaces(value));
      this.#near = places.at(-1)?.[0]?.pack ?? this.#near;
    }
    return places;
  }

  /** Takes packs that are in the bucket, in few writes, as each is made durable. */
  async add(packs: readonly IndexedPack[]): Promise<void> {
    await this.#load();
    this.#knewPacks ||= packs.length > 0;
    let rows: PackRow[] = [];
    let ended: CacheRow[] = [];
    const flush = async () => {
      // Last, with the last of its rows: only now is all of a pack there.
      await this.#cache.put([...(await this.#pageOf(rows)), ...ended]);
      [rows, ended] = [[], []];
    };
    for (const pack of packs) {
      const known = this.#take(pack);
      if (known === undefined) continue;
      for (const row of pack.rows) {
        if (rows.length >= ADDED_ROWS) await flush();
        rows.push({ number: known.number, row });
      }
      ended.push(this.#packRow(known));
    }
    if (ended.length > 0) await flush();
  }

  /** Takes packs that were sent from here, as no pack was known to hold any of what is in them; at much less cost. */
  async addSent(packs: readonly IndexedPack[]): Promise<void> {
    await this.#load();
    // What is no more usable may be known of the same objects.
    if (this.#knewPacks) await this.add(packs);
    else await this.#cache.put(this.#newRows(packs));
  }

  *#newRows(packs: readonly IndexedPack[]): Generator<CacheRow, void> {
    const key = new ByteWriter(128);
    const value = new ByteWriter(64);
    for (const pack of packs) {
      const known = this.#take(pack);
      if (known === undefined) continue;
      for (const row of pack.rows) {
        this.#writeObjectKey(key.clear(), row as ObjectId);
        value.clear().sized(encodeLocation(known.number, row, undefined));
        yield { key: key.view(), value: value.view() };
      }
      yield this.#packRow(known); // Only now is all of it there.
    }
  }

  /** Remembers a pack that is not known yet, at once: its number is taken. */
  #take({ id, bytes }: IndexedPack): KnownPack | undefined {
    this.#listed.add(id);
    if (this.#byId.has(id)) return undefined;
    const known = { number: this.#nextNumber(), id, bytes };
    this.#remember(known);
    return known;
  }

  #packRow({ number, id, bytes }: KnownPack): CacheRow {
    return { key: this.#packKey(number), value: new ByteWriter(64).text(id).varint(bytes).take() };
  }

  async #pageOf(page: readonly PackRow[]): Promise<CacheRow[]> {
    const keys = this.#objectKeys(page.map(({ row }) => row as ObjectId));
    const before = await this.#cache.get(keys);
    // An object may stand twice in a page: its later place goes behind its first.
    const first = { [CHUNK]: new DigestTable(page.length), [NODE]: new DigestTable(64) };
    const rows: Record<ObjectKind, CacheRow[]> = { [CHUNK]: [], [NODE]: [] };
    const writer = new ByteWriter(page.length * 16);
    for (const [i, { number, row }] of page.entries()) {
      const kind = row.kind as ObjectKind;
      const at = first[kind].indexOf(row.digest);
      const earlier = at < 0 ? this.#stillListed(before[i]) : rows[kind][at].value;
      const value = writer
        .clear()
        .bytes(earlier)
        .sized(encodeLocation(number, row, undefined))
        .take();
      if (at >= 0) rows[kind][at] = { key: keys[i], value };
      else if (first[kind].add(row.digest)) rows[kind].push({ key: keys[i], value });
    }
    return [...rows[CHUNK], ...rows[NODE]];
  }

  /** Says that a pack is not there any more. */
  async forget(pack: PackId): Promise<void> {
    const known = this.#byId.get(pack);
    if (known === undefined) return;
    this.#byId.delete(pack);
    this.#byNumber.delete(known.number);
    this.#listed.delete(pack);
    await this.#cache.delete([this.#packKey(known.number)]);
  }

  /** Reads every index anew: what is cached may have been written over by a process beside this one. */
  async rebuild(): Promise<void> {
    for (const pack of [...this.#byId.keys()]) await this.forget(pack);
    await this.refresh();
  }

  async #load(): Promise<void> {
    if (this.#loaded) return;
    this.#loaded = true;
    await this.ailing.load();
    const prefix = Buffer.concat([this.#prefix, utf8('p')]);
    for (let after: Uint8Array | undefined; ;) {
      const rows = await this.#cache.list(prefix, { limit: PAGE_ROWS, ...(after && { after }) });
      for (const { key, value } of rows) {
        const reader = new ByteReader(value, 'a cached pack');
        const number = Buffer.from(key).readUInt32BE(key.length - 4);
        this.#remember({ number, id: reader.text(), bytes: reader.varint() });
        this.#knewPacks = true;
      }
      if (rows.length < PAGE_ROWS) return;
      after = rows[rows.length - 1].key;
    }
  }

  async #listUnread(): Promise<PackId[]> {
    const unread: PackId[] = [];
    for await (const { key } of this.#bucket.list(INDEXES, this.#options)) {
      const id = packOfIndex(key);
      if (id !== undefined && !this.#byId.has(id)) unread.push(id);
    }
    return unread.sort();
  }

  async #addAll(packs: readonly PackId[], listed: Set<PackId>): Promise<void> {
    const read = packs.map(async (pack) => ({
      pack,
      index: await readPackIndex(this.#bucket, pack, this.#options),
    }));
    const found: IndexedPack[] = [];
    for (const { pack, index } of await Promise.all(read)) {
      if (index === undefined) listed.delete(pack);
      else found.push(indexedPack(pack, index));
    }
    await this.add(found);
  }

  #remember(pack: KnownPack): void {
    this.#byNumber.set(pack.number, pack);
    this.#byId.set(pack.id, pack);
  }

  // Random: processes that add at the same time do not know of each other.
  #nextNumber(): number {
    for (;;) {
      const number = Math.floor(Math.random() * 2 ** 32);
      if (!this.#byNumber.has(number)) return number;
    }
  }

  #decodePlaces(value: Uint8Array): Place[] {
    const reader = new ByteReader(value, 'a cached place');
    const places: Place[] = [];
    while (reader.left > 0) {
      const location = decodeLocation(reader.sized());
      const known = this.#byNumber.get(location.pack);
      if (known === undefined || (this.#fresh && !this.#listed.has(known.id))) continue;
      places.push({ pack: known.id, packBytes: known.bytes, location });
    }
    return places.sort((a, b) => this.#trouble(a.pack) - this.#trouble(b.pack));
  }

  #trouble(pack: PackId): number {
    return Number(this.condemned.has(pack)) + 2 * Number(this.ailing.has(pack));
  }

  // What names packs that are gone is left behind, so that rows do not grow for ever.
  #stillListed(value: Uint8Array | undefined): Uint8Array {
    if (value === undefined) return EMPTY_BYTES;
    const writer = new ByteWriter(64);
    const reader = new ByteReader(value, 'a cached place');
    while (reader.left > 0) {
      const place = reader.sized();
      if (this.#byNumber.has(decodeLocation(place).pack)) writer.sized(place);
    }
    return writer.take();
  }

  // One after another in one piece of memory: there are many.
  #objectKeys(ids: readonly ObjectId[]): Uint8Array[] {
    const length = this.#prefix.length + 2 + 32;
    const writer = new ByteWriter(ids.length * length);
    for (const id of ids) this.#writeObjectKey(writer, id);
    const all = writer.view();
    return ids.map((_, i) => all.subarray(i * length, (i + 1) * length));
  }

  #writeObjectKey(writer: ByteWriter, { kind, digest }: ObjectId): void {
    writer.bytes(this.#prefix).u8(0x6f).u8(kind).bytes(digest);
  }

  #packKey(number: number): Uint8Array {
    const key = Buffer.alloc(5);
    key[0] = 0x70; // 'p'
    key.writeUInt32BE(number, 1);
    return Buffer.concat([this.#prefix, key]);
  }
}
