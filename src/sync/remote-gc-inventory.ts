/** Lists the packs of a bucket as they are now, with and without their index, and reads what they hold. */
import { throwIfAborted } from '#base';
import { locationOf, decodeWireIndex } from '#store';
import type { Row } from '#store';
import type { ObjectId, ObjectKind } from '#object';
import type { GcSite } from './remote-gc-site.ts';
import { INDEXES, PACKS, indexKey, packOfIndex, packOfKey } from './keys.ts';
import type { PackId } from './keys.ts';
import type { Place } from './pack-index.ts';
import { readPackIndex } from './read-pack-index.ts';

export interface ListedPack {
  readonly id: PackId;
  readonly bytes: number;
  /** When it was put, by the store's clock; milliseconds since 1970. */
  readonly modified: number;
}

/** One object of a pack. */
export interface PackedObject extends ObjectId {
  readonly place: Place;
  /** What it takes there; a part of its frame. */
  readonly storedBytes: number;
}

/** An index takes at least so much for an object. */
const INDEX_BYTES_AN_OBJECT = 37;

export class Inventory {
  /** Packs that are there, by id. */
  readonly packs: ReadonlyMap<PackId, ListedPack>;
  /** Indexes that are there, also of packs that are not, and their lengths. */
  readonly indexes: ReadonlyMap<PackId, number>;
  /** The store's clock. */
  readonly now: number;
  readonly #site: GcSite;

  private constructor(
    site: GcSite,
    found: {
      readonly packs: ReadonlyMap<PackId, ListedPack>;
      readonly indexes: ReadonlyMap<PackId, number>;
      readonly now: number;
    },
  ) {
    this.#site = site;
    this.packs = found.packs;
    this.indexes = found.indexes;
    this.now = found.now;
  }

  /** Learns what is condemned, which indexes and which packs there are. */
  static async take(site: GcSite): Promise<Inventory> {
    const { bucket, options } = site;
    await site.index.refresh();
    // Indexes first: a pack is put before its index, so that one whose index is listed is listed below, or was lost.
    const indexes = new Map<PackId, number>();
    for await (const { key, size } of bucket.list(INDEXES, options)) {
      const id = packOfIndex(key);
      if (id !== undefined) indexes.set(id, size);
    }
    const packs = new Map<PackId, ListedPack>();
    for await (const { key, size, modified } of bucket.list(PACKS, options)) {
      const id = packOfKey(key);
      if (id !== undefined) packs.set(id, { id, bytes: size, modified });
    }
    return new Inventory(site, { packs, indexes, now: await bucket.time(options) });
  }

  /** About how many objects there are, by the length of the indexes. */
  get objects(): number {
    let bytes = 0;
    for (const size of this.indexes.values()) bytes += size;
    return Math.ceil(bytes / INDEX_BYTES_AN_OBJECT);
  }

  /** Packs that count as holding what they hold: there, with an index, and not condemned. */
  counts(pack: PackId): boolean {
    return this.packs.has(pack) && this.indexes.has(pack) && !this.#site.index.condemned.has(pack);
  }

  /** Bytes of a pack and its index. */
  bytesOf(pack: PackId): number {
    return (this.packs.get(pack)?.bytes ?? 0) + (this.indexes.get(pack) ?? 0);
  }

  /** Condemned packs of which anything is left. */
  *leftOver(epoch: number): Generator<PackId> {
    for (const pack of this.#site.index.condemned.upTo(epoch))
      if (this.packs.has(pack) || this.indexes.has(pack)) yield pack;
  }

  /** All that a pack holds, as its own index says; undefined if that cannot be read. */
  async objectsOf(pack: PackId): Promise<readonly PackedObject[] | undefined> {
    throwIfAborted(this.#site.context.signal);
    const bytes = await readPackIndex(this.#site.bucket, pack, this.#site.watched);
    if (bytes === undefined) return undefined;
    const { rows, packBytes } = decodeWireIndex(bytes, indexKey(pack));
    return Array.from(rows, (row) => packedObject(pack, packBytes, row));
  }
}

function packedObject(pack: PackId, packBytes: number, row: Row): PackedObject {
  const { rawBytes, storedBytes } = row.frame;
  return {
    kind: row.kind as ObjectKind,
    digest: row.digest,
    place: { pack, packBytes, location: locationOf(0, row) },
    storedBytes: rawBytes === 0 ? 0 : (storedBytes * row.bytes) / rawBytes,
  };
}
