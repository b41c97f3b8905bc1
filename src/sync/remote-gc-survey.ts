/** Decides which packs are worth condemning: those that nothing needs, that are mostly dead, or small. */
import type { Inventory, ListedPack, PackedObject } from './remote-gc-inventory.ts';
import { bloomFor } from './remote-gc-mark.ts';
import type { Marker } from './remote-gc-mark.ts';
import { lacksCopy } from './remote-gc-rescue.ts';
import type { GcSite } from './remote-gc-site.ts';
import type { PackId } from './keys.ts';
import type { RemoteReader } from './remote-reader.ts';

export interface Survey {
  /** Nothing that is alive is in them, or nothing is left of them but an index. */
  readonly dead: readonly PackId[];
  /** Worth condemning once what is alive in them is elsewhere. */
  readonly sparse: readonly PackId[];
  /** Of no index, with something alive that no other pack has. */
  readonly unindexed: readonly PackId[];
  /** Bytes of what is needed in `sparse`; about, as it is compressed together with the rest. */
  readonly sparseBytes: number;
  /** Packs that would go, but are too young. */
  readonly young: number;
}

/** Packs below this are put together, if there are several. */
const SMALL_BYTES = 4 * 1024 * 1024;
/** A pack of which less is needed is written anew. */
const NEEDED_SHARE_MIN = 0.5;
const PACKS_AT_ONCE = 8;
const SEEN_BYTES_MAX = 16 * 1024 * 1024;

type Sort = 'dead' | 'sparse' | 'small' | 'unindexed' | 'kept';

interface Sorted {
  readonly sort: Sort;
  /** Bytes of what has its home in it. */
  readonly neededBytes: number;
}

/** `marker` knows what is alive; what `inventory` listed was there before it marked. */
export async function survey(
  site: GcSite,
  inventory: Inventory,
  marker: Marker,
  { minAgeMs }: { readonly minAgeMs: number },
): Promise<Survey> {
  const sorted: Record<Sort, PackId[]> = { dead: [], sparse: [], small: [], unindexed: [], kept: [] };
  const neededBytes = { sparse: 0, small: 0 };
  let young = 0;
  const surveyor = new Surveyor(site, inventory, marker);
  // In the order of their ids: of two packs with the same object the first is its home.
  const packs = [...inventory.packs.values()]
    .filter(({ id }) => !site.index.condemned.has(id))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  for (let i = 0; i < packs.length; i += PACKS_AT_ONCE) {
    const page = packs.slice(i, i + PACKS_AT_ONCE);
    const objects = await Promise.all(page.map(({ id }) => inventory.objectsOf(id)));
    for (const [j, pack] of page.entries()) {
      const { sort, neededBytes: bytes } = await surveyor.sortOf(pack, objects[j]);
      if (minAgeMs === 0 || inventory.now - pack.modified >= minAgeMs) {
        sorted[sort].push(pack.id);
        if (sort === 'sparse' || sort === 'small') neededBytes[sort] += bytes;
      } else if (sort === 'dead' || sort === 'sparse') young++;
    }
  }
  for (const id of inventory.indexes.keys())
    if (!inventory.packs.has(id) && !site.index.condemned.has(id)) {
      const what = `the pack ${id} is gone from ${site.bucket.url}`;
      const isNeeded = await surveyor.isMissed(id);
      site.warn(isNeeded ? `${what}, with something that is needed` : `${what}, and only its index is left`);
      sorted[isNeeded ? 'kept' : 'dead'].push(id);
    }
  // One alone would only be written anew, time after time.
  const together = sorted.small.length + sorted.sparse.length > 1;
  return {
    dead: sorted.dead,
    sparse: together ? [...sorted.sparse, ...sorted.small] : sorted.sparse,
    sparseBytes: Math.round(neededBytes.sparse + (together ? neededBytes.small : 0)),
    unindexed: sorted.unindexed,
    young,
  };
}

class Surveyor {
  readonly #site: GcSite;
  readonly #inventory: Inventory;
  readonly #marker: Marker;
  /** Living objects of the packs before; it may say yes for others, then the index is asked. */
  readonly #seen;
  readonly #reader: RemoteReader;

  constructor(site: GcSite, inventory: Inventory, marker: Marker) {
    this.#site = site;
    this.#inventory = inventory;
    this.#marker = marker;
    this.#reader = site.reader();
    this.#seen = bloomFor(inventory.objects, SEEN_BYTES_MAX);
  }

  async sortOf(pack: ListedPack, objects: readonly PackedObject[] | undefined): Promise<Sorted> {
    const indexed = this.#inventory.indexes.has(pack.id);
    // Without an index, here and in itself, it was cut short and nobody can find anything in it.
    if (objects === undefined) return { sort: indexed ? 'kept' : 'dead', neededBytes: 0 };
    const live = objects.filter(({ digest }) => this.#marker.isLive(digest));
    const needed = live.length === 0 ? [] : await this.#needed(pack.id, live);
    const neededBytes = bytesOf(needed);
    if (!indexed) return { sort: needed.length > 0 ? 'unindexed' : 'dead', neededBytes };
    if (live.length === 0) return { sort: 'dead', neededBytes };
    for (const { digest } of live) this.#seen.add(digest);
    if (neededBytes < NEEDED_SHARE_MIN * bytesOf(objects)) return { sort: 'sparse', neededBytes };
    return { sort: pack.bytes < SMALL_BYTES ? 'small' : 'kept', neededBytes };
  }

  /** Whether a pack of which only the index is there held anything that is alive and nowhere else. */
  async isMissed(pack: PackId): Promise<boolean> {
    const [site, inventory, marker, reader] = [this.#site, this.#inventory, this.#marker, this.#reader];
    return lacksCopy((await inventory.objectsOf(pack)) ?? [], { site, inventory, marker, reader });
  }

  /** Those that have their home in this pack. */
  async #needed(pack: PackId, live: readonly PackedObject[]): Promise<readonly PackedObject[]> {
    const twice = live.filter(({ digest }) => this.#seen.has(digest));
    if (twice.length === 0) return live;
    const places = await this.#site.index.places(twice);
    const elsewhere = new Set(
      twice.filter((_, i) => places[i].some((at) => at.pack < pack && this.#inventory.counts(at.pack))),
    );
    return live.filter((object) => !elsewhere.has(object));
  }
}

function bytesOf(objects: readonly PackedObject[]): number {
  return objects.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}
