/** Sees to it that what is alive in packs that are to go is elsewhere: verified there, or copied into new packs. */
import { join } from 'node:path';
import { isArtError } from '#base';
import type { Inventory, PackedObject } from './remote-gc-inventory.ts';
import { RecentObjects } from './remote-gc-mark.ts';
import type { Marker } from './remote-gc-mark.ts';
import type { GcSite } from './remote-gc-site.ts';
import { packKey } from './keys.ts';
import type { PackId } from './keys.ts';
import { PackUploader } from './pack-uploader.ts';
import type { Place } from './pack-index.ts';
import type { ObjectAt, RemoteReader } from './remote-reader.ts';

export interface Rescued {
  /** Packs of which nothing is needed any more. */
  readonly emptied: readonly PackId[];
  readonly copiedObjects: number;
  /** Bytes of the new packs. */
  readonly copiedBytes: number;
}

const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_OBJECTS = 1000;

/** Raises what putting raises; a pack of which something cannot be read is told and stays. */
export async function rescue(
  site: GcSite,
  inventory: Inventory,
  marker: Marker,
  packs: readonly PackId[],
): Promise<Rescued> {
  let [copiedObjects, copiedBytes] = [0, 0];
  if (packs.length === 0) return { emptied: [], copiedObjects, copiedBytes };
  const { context, bucket, index, remote } = site;
  const uploader = await PackUploader.make(bucket, index, {
    journal: join(context.tmp, `gc-${remote}`),
    now: context.now,
    ...site.options,
    onSent: (objects, bytes) => {
      copiedObjects += objects;
      copiedBytes += bytes;
    },
  });
  const emptied: PackId[] = [];
  try {
    const rescuer = new Rescuer(site, inventory, uploader, new Set(packs));
    for (const pack of packs) if (await rescuer.empty(pack, marker)) emptied.push(pack);
    await uploader.finish();
  } finally {
    await uploader.settle();
  }
  return { emptied, copiedObjects, copiedBytes };
}

class Rescuer {
  readonly #site: GcSite;
  readonly #inventory: Inventory;
  readonly #uploader: PackUploader;
  readonly #leaving: ReadonlySet<PackId>;
  readonly #reader: RemoteReader;
  readonly #copied = new RecentObjects();

  constructor(site: GcSite, inventory: Inventory, uploader: PackUploader, leaving: ReadonlySet<PackId>) {
    this.#site = site;
    this.#inventory = inventory;
    this.#uploader = uploader;
    this.#leaving = leaving;
    this.#reader = site.reader();
  }

  /** Tells whether all that is alive in `pack` is elsewhere now. */
  async empty(pack: PackId, marker: Marker): Promise<boolean> {
    // Of a pack that is gone nothing can be saved, and nothing can be lost.
    if (!this.#inventory.packs.has(pack)) return true;
    const objects = await this.#inventory.objectsOf(pack);
    if (objects === undefined) return !this.#inventory.indexes.has(pack);
    const live = objects.filter((object) => marker.isLive(object.digest) && !this.#copied.has(object));
    for (const batch of batchesOf(live)) {
      const homeless = await withoutCopy(batch, {
        index: this.#site.index,
        reader: this.#reader,
        counts: (at) => this.#inventory.counts(at) && !this.#leaving.has(at),
      });
      if (!(await this.#copy(homeless))) {
        this.#site.warn(
          `${packKey(pack)} in ${this.#site.bucket.url} is damaged: it stays, with what of it is needed`,
        );
        return false;
      }
    }
    return true;
  }

  async #copy(objects: readonly PackedObject[]): Promise<boolean> {
    const contents = await this.#reader.readCopies(
      objects.map((object) => ({ id: object, place: object.place })),
    );
    for (const [i, object] of objects.entries()) {
      const bytes = contents[i] ?? (await this.#fromElsewhere(object));
      if (bytes === undefined) return false;
      await this.#uploader.put(object.kind, object.digest, bytes);
      this.#copied.add(object);
    }
    return true;
  }

  async #fromElsewhere(object: PackedObject): Promise<Uint8Array | undefined> {
    try {
      return (await this.#reader.getMany([object]))[0];
    } catch (error) {
      if (isArtError(error, 'REMOTE_CORRUPT')) return undefined;
      throw error;
    }
  }
}

/** Whether any of `objects` that is alive is in no pack that counts. */
export async function lacksCopy(
  objects: readonly PackedObject[],
  { site, inventory, marker, reader }: Among,
): Promise<boolean> {
  const among = { index: site.index, reader, counts: (at: PackId) => inventory.counts(at) };
  for (const batch of batchesOf(objects.filter(({ digest }) => marker.isLive(digest))))
    if ((await withoutCopy(batch, among)).length > 0) return true;
  return false;
}

export interface Among {
  readonly site: GcSite;
  readonly inventory: Inventory;
  readonly marker: Marker;
  readonly reader: RemoteReader;
}

/** Those of `objects` that no pack that counts holds: each copy was read just now. */
async function withoutCopy(
  objects: readonly PackedObject[],
  among: {
    readonly index: GcSite['index'];
    readonly reader: RemoteReader;
    readonly counts: (pack: PackId) => boolean;
  },
): Promise<readonly PackedObject[]> {
  const places = await among.index.places(objects);
  const left = places.map((found) => found.filter(({ pack }) => among.counts(pack)));
  let missing = objects.map((object, i) => ({ object, places: left[i] }));
  for (let copy = 0; ; copy++) {
    const tried = missing.flatMap(({ object, places: of }): ObjectAt[] =>
      of.length > copy ? [{ id: object, place: of[copy] satisfies Place }] : [],
    );
    if (tried.length === 0) return missing.map(({ object }) => object);
    const contents = await among.reader.readCopies(tried);
    const found = new Set(tried.filter((_, i) => contents[i] !== undefined).map(({ id }) => id));
    missing = missing.filter(({ object }) => !found.has(object));
  }
}

/** In stretches that fit in memory. */
function* batchesOf(objects: readonly PackedObject[]): Generator<readonly PackedObject[]> {
  let batch: PackedObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    batch.push(object);
    bytes += object.place.location.bytes;
    if (batch.length < BATCH_OBJECTS && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
