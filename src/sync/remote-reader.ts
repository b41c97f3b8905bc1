/** Reads objects out of a bucket: neighbours in one request, several requests at a time, every byte verified. */
import { ArtError, equalBytes, isArtError } from '#base';
import { formatCid, hash } from '#object';
import type { ObjectId } from '#object';
import { openFrame } from '#store';
import { readAll } from './bucket.ts';
import type { Abortable, Bucket } from './bucket.ts';
import { packKey } from './keys.ts';
import type { PackId } from './keys.ts';
import type { PackIndex, Place } from './pack-index.ts';

/** Objects with at most this much between them are read together: a request costs about as much. */
const GAP_BYTES_MAX = 64 * 1024;
const RANGE_BYTES_MAX = 4 * 1024 * 1024;
const REQUESTS_AT_ONCE = 4;
/** Packs up to this length are read whole, and kept for a while: whoever wants one object of them wants more. */
const SMALL_PACK_BYTES = 512 * 1024;
const SMALL_PACKS_KEPT = 16;

/** One copy of an object. */
export interface ObjectAt {
  readonly id: ObjectId;
  readonly place: Place;
}

interface Wanted extends ObjectAt {
  readonly at: number;
}

interface Run {
  readonly pack: PackId;
  readonly offset: number;
  readonly end: number;
  readonly wanted: readonly Wanted[];
}

export class RemoteReader {
  readonly #bucket: Bucket;
  readonly #index: PackIndex;
  readonly #options: Abortable & { readonly onWarning?: (text: string) => void };
  readonly #small = new Map<PackId, Promise<Uint8Array | undefined>>();
  readonly #warned = new Set<PackId>();

  constructor(
    bucket: Bucket,
    index: PackIndex,
    options: Abortable & { readonly onWarning?: (text: string) => void } = {},
  ) {
    this.#bucket = bucket;
    this.#index = index;
    this.#options = options;
  }

  /** Where each of `ids` is; raises REMOTE_CORRUPT naming the first that no pack there has. */
  async places(ids: readonly ObjectId[]): Promise<Place[][]> {
    let places = await this.#index.places(ids);
    const allFound = () => places.every((found) => found.length > 0);
    if (!allFound() && !this.#index.fresh) {
      await this.#index.refresh();
      places = await this.#index.places(ids);
    }
    if (!allFound()) {
      await this.#index.rebuild();
      places = await this.#index.places(ids);
    }
    const absent = places.findIndex((found) => found.length === 0);
    if (absent < 0) return places;
    throw new ArtError(
      'REMOTE_CORRUPT',
      `object ${formatCid(ids[absent])} is in no readable pack of ${this.#bucket.url}`,
    );
  }

  /**
   * The bytes of `ids`, in the order asked; keep one call to about 16 MiB. A damaged copy is passed over if there is
   * another. Raises REMOTE_CORRUPT.
   */
  async getMany(ids: readonly ObjectId[]): Promise<Uint8Array[]> {
    const contents = new Array<Uint8Array | undefined>(ids.length);
    let wanted = ids.map((id, at) => ({ id, at }));
    for (let attempt = 1; wanted.length > 0; attempt++) {
      const places = await this.places(wanted.map(({ id }) => id));
      await this.#readAny(wanted, places, contents);
      const missed = wanted.flatMap((one, i) =>
        contents[one.at] === undefined ? [{ ...one, places: places[i] }] : [],
      );
      if (missed.length > 0 && attempt === 2) throw await this.#unreadable(missed[0].id, missed[0].places);
      // gc may have moved them into a pack that is not known here yet.
      if (missed.length > 0) await this.#index.refresh();
      wanted = missed;
    }
    return contents as Uint8Array[];
  }

  /** The bytes of just these copies, verified; undefined for one that is damaged or gone. At most about 16 MiB. */
  async readCopies(copies: readonly ObjectAt[]): Promise<(Uint8Array | undefined)[]> {
    const contents = new Array<Uint8Array | undefined>(copies.length);
    await this.#readRuns(runsOf(copies.map((copy, at) => ({ ...copy, at }))), contents);
    return contents;
  }

  /** Reads one copy after the other until it has each. */
  async #readAny(
    wanted: readonly { readonly id: ObjectId; readonly at: number }[],
    places: readonly (readonly Place[])[],
    contents: (Uint8Array | undefined)[],
  ): Promise<void> {
    for (let copy = 0; ; copy++) {
      const next = wanted.flatMap(({ id, at }, i): Wanted[] =>
        contents[at] === undefined && places[i].length > copy ? [{ id, at, place: places[i][copy] }] : [],
      );
      if (next.length === 0) return;
      await this.#readRuns(runsOf(next), contents);
    }
  }

  async #readRuns(runs: readonly Run[], contents: (Uint8Array | undefined)[]): Promise<void> {
    let next = 0;
    const work = async () => {
      while (next < runs.length) await this.#readRun(runs[next++], contents);
    };
    await Promise.all(Array.from({ length: Math.min(REQUESTS_AT_ONCE, runs.length) }, work));
  }

  async #readRun(run: Run, contents: (Uint8Array | undefined)[]): Promise<void> {
    const bytes = await this.#bytesOf(run);
    if (bytes === undefined) return;
    const frames = new Map<number, Uint8Array>();
    let damaged = false;
    for (const { at, id, place } of run.wanted) {
      const { location } = place;
      let frame = frames.get(location.offset);
      if (frame === undefined) {
        const from = location.offset - run.offset;
        const opened = await opening(location, bytes.subarray(from, from + location.storedBytes));
        if (opened === undefined) {
          damaged = true;
          continue;
        }
        frame = opened;
        frames.set(location.offset, frame);
      }
      const content = frame.subarray(location.inFrame, location.inFrame + location.bytes);
      if (equalBytes(hash(content), id.digest))
        contents[at] = Buffer.from(content); // A view would keep all that was read with it.
      else damaged = true;
    }
    if (damaged) this.#warn(run.pack, 'is damaged');
  }

  /** The bytes of a run, fewer where the pack is cut short; undefined if it is gone. */
  async #bytesOf({ pack, offset, end, wanted }: Run): Promise<Uint8Array | undefined> {
    if (wanted[0].place.packBytes <= SMALL_PACK_BYTES) {
      const whole = await this.#smallPack(pack, wanted[0].place.packBytes);
      return whole?.subarray(offset, end);
    }
    const range = { offset, length: end - offset };
    const got = await this.#bucket.get(packKey(pack), { ...this.#options, range });
    if (got === undefined) await this.#index.forget(pack);
    return got === undefined ? undefined : readAll(got.body, range.length);
  }

  #smallPack(pack: PackId, packBytes: number): Promise<Uint8Array | undefined> {
    const kept = this.#small.get(pack);
    if (kept !== undefined) return kept;
    const read = async () => {
      const got = await this.#bucket.get(packKey(pack), this.#options);
      if (got === undefined) await this.#index.forget(pack);
      return got === undefined ? undefined : readAll(got.body, packBytes);
    };
    const reading = read();
    this.#small.set(pack, reading);
    reading.catch(() => this.#small.delete(pack));
    if (this.#small.size > SMALL_PACKS_KEPT) this.#small.delete(this.#small.keys().next().value!);
    return reading;
  }

  async #unreadable(id: ObjectId, places: readonly Place[]): Promise<ArtError> {
    const packs = places.map(({ pack }) => packKey(pack)).join(', ');
    return new ArtError(
      'REMOTE_CORRUPT',
      `object ${formatCid(id)} cannot be read from ${this.#bucket.url}: ${packs} is damaged or gone`,
    );
  }

  #warn(pack: PackId, what: string): void {
    if (this.#warned.has(pack)) return;
    this.#warned.add(pack);
    this.#options.onWarning?.(`${packKey(pack)} in ${this.#bucket.url} ${what}`);
  }
}

async function opening(location: Place['location'], stored: Uint8Array): Promise<Uint8Array | undefined> {
  if (stored.length < location.storedBytes) return undefined;
  try {
    return await openFrame(location, stored);
  } catch (error) {
    if (isArtError(error, 'PACK_CORRUPT')) return undefined;
    throw error;
  }
}

/** What lies together is read together, in the order of the packs. */
function runsOf(wanted: readonly Wanted[]): Run[] {
  const sorted = [...wanted].sort(
    (a, b) =>
      (a.place.pack < b.place.pack ? -1 : a.place.pack > b.place.pack ? 1 : 0) ||
      a.place.location.offset - b.place.location.offset,
  );
  const runs: { pack: PackId; offset: number; end: number; wanted: Wanted[] }[] = [];
  for (const one of sorted) {
    const { pack, location } = one.place;
    const end = location.offset + location.storedBytes;
    const last = runs.at(-1);
    const joins =
      last !== undefined &&
      last.pack === pack &&
      location.offset <= last.end + GAP_BYTES_MAX &&
      end - last.offset <= RANGE_BYTES_MAX;
    if (!joins) runs.push({ pack, offset: location.offset, end, wanted: [one] });
    else {
      last.end = Math.max(last.end, end);
      last.wanted.push(one);
    }
  }
  return runs;
}
