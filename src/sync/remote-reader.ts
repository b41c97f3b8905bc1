/** Reads objects out of a bucket: neighbours in one request, several requests at a time, every byte verified. */
import { ArtError, equalBytes, isArtError } from '#base';
import { CHUNK, formatCid, hash } from '#object';
import type { ObjectId } from '#object';
import { arrivedFrame, openFrame } from '#store';
import type { ArrivedFrame, ReadMemory } from '#store';
import { readAll } from './bucket.ts';
import type { Abortable, Bucket, ByteRange } from './bucket.ts';
import { packKey } from './keys.ts';
import type { PackId } from './keys.ts';
import type { PackIndex, Place } from './pack-index.ts';

/** Objects with at most this much between them are read together: a request costs about as much. */
const GAP_BYTES_MAX = 64 * 1024;
const RANGE_BYTES_MAX = 4 * 1024 * 1024;
const REQUESTS_AT_ONCE = 4;
/** Chunks that make up this much of what was read are given out where they lie. */
const DENSE_SHARE = 0.75;
/** Packs up to this length are read whole, and kept for a while: whoever wants one object of them wants more. */
const SMALL_PACK_BYTES = 512 * 1024;
const SMALL_PACKS_KEPT = 16;

/** Frames kept opened: what lies beside an object is often wanted next. */
const FRAMES_KEPT = 8;
const FRAME_KEPT_BYTES = 512 * 1024;

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
  readonly #frames = new Map<string, Uint8Array>();
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
    const places = await this.findPlaces(ids);
    const absent = places.findIndex((found) => found.length === 0);
    if (absent < 0) return places;
    throw new ArtError(
      'REMOTE_CORRUPT',
      `object ${formatCid(ids[absent])} is in no readable pack of ${this.#bucket.url}`,
    );
  }

  /** Where each of `ids` is; nowhere, if no pack there has it. */
  async findPlaces(ids: readonly ObjectId[]): Promise<Place[][]> {
    let places = await this.#index.places(ids);
    const allFound = () => places.every((found) => found.length > 0);
    if (!allFound() && !this.#index.fresh) {
      await this.#index.seek(ids);
      places = await this.#index.places(ids);
    }
    if (!allFound()) {
      await this.#index.rebuild();
      places = await this.#index.places(ids);
    }
    return places;
  }

  /**
   * The bytes of `ids`, in the order asked; keep one call to about 16 MiB. A damaged copy is passed over if there is
   * another. Raises REMOTE_CORRUPT.
   */
  async getMany(ids: readonly ObjectId[]): Promise<Uint8Array[]> {
    return this.getAt(ids, await this.places(ids));
  }

  /** As `getMany`, of what was looked up just now. Chunks may lie in `memory`. */
  async getAt(
    ids: readonly ObjectId[],
    places: readonly Place[][],
    memory?: ReadMemory,
  ): Promise<Uint8Array[]> {
    return this.#all(ids, await this.#find(ids, places, memory));
  }

  /**
   * As `getAt`, for whoever stores it: chunks that are all there is in a frame come as that, stored in `memory`, and where
   * such a chunk is asked for stands IN_FRAME.
   */
  async fetchAt(
    ids: readonly ObjectId[],
    places: readonly Place[][],
    memory: ReadMemory,
  ): Promise<{ readonly contents: readonly Uint8Array[]; readonly frames: readonly ArrivedFrame[] }> {
    const frames: ArrivedFrame[] = [];
    const contents = await this.#find(ids, places, memory, frames);
    return { contents: await this.#all(ids, contents), frames };
  }

  /** As `getMany`, but with undefined for what is there no more, or nowhere whole. */
  async findMany(ids: readonly ObjectId[]): Promise<(Uint8Array | undefined)[]> {
    return this.#find(ids, await this.findPlaces(ids));
  }

  async #all(ids: readonly ObjectId[], contents: readonly (Uint8Array | undefined)[]): Promise<Uint8Array[]> {
    const missed = contents.indexOf(undefined);
    if (missed >= 0) throw await this.#unreadable(ids[missed]);
    return contents as Uint8Array[];
  }

  async #find(
    ids: readonly ObjectId[],
    places: readonly Place[][],
    memory: ReadMemory = freshMemory,
    frames?: ArrivedFrame[],
  ): Promise<(Uint8Array | undefined)[]> {
    const contents = new Array<Uint8Array | undefined>(ids.length);
    const into = { contents, memory, frames };
    await this.#findInto(into, ids, places);
    if (contents.includes(undefined)) {
      // Packs may have been written anew since their indexes were read.
      await this.#index.refresh();
      await this.#findInto(into, ids, await this.findPlaces(ids));
    }
    return contents;
  }

  /** The bytes of just these copies, verified; undefined for one that is damaged or gone. At most about 16 MiB. */
  async readCopies(copies: readonly ObjectAt[]): Promise<(Uint8Array | undefined)[]> {
    const contents = new Array<Uint8Array | undefined>(copies.length);
    const runs = runsOf(copies.map((copy, at) => ({ ...copy, at })));
    await this.#readRuns(runs, { contents, memory: freshMemory, frames: undefined });
    return contents;
  }

  async #findInto(into: Into, ids: readonly ObjectId[], places: readonly Place[][]): Promise<void> {
    const { contents } = into;
    for (let copy = 0; ; copy++) {
      const wanted: Wanted[] = [];
      let left = false;
      for (const [at, id] of ids.entries()) {
        const place = contents[at] === undefined ? places[at][copy] : undefined;
        if (place === undefined) continue;
        left = true;
        contents[at] = this.#fromFrame(id, place);
        if (contents[at] === undefined) wanted.push({ at, id, place });
      }
      if (!left) return;
      await this.#readRuns(runsOf(wanted), into);
    }
  }

  #fromFrame(id: ObjectId, { pack, location }: Place): Uint8Array | undefined {
    const frame = this.#frames.get(`${pack}@${location.offset}`);
    const content = frame?.subarray(location.inFrame, location.inFrame + location.bytes);
    return content && equalBytes(hash(content), id.digest) ? Buffer.from(content) : undefined;
  }

  #keepFrame(pack: PackId, offset: number, frame: Uint8Array): void {
    if (frame.length > FRAME_KEPT_BYTES) return;
    this.#frames.set(`${pack}@${offset}`, Buffer.from(frame)); // A view would keep all that was read with it.
    if (this.#frames.size > FRAMES_KEPT) this.#frames.delete(this.#frames.keys().next().value!);
  }

  async #readRuns(runs: readonly Run[], into: Into): Promise<void> {
    let next = 0;
    const work = async () => {
      while (next < runs.length) await this.#readRun(runs[next++], into);
    };
    await Promise.all(Array.from({ length: Math.min(REQUESTS_AT_ONCE, runs.length) }, work));
  }

  async #readRun(run: Run, into: Into): Promise<void> {
    const bytes = await this.#bytesOf(run, into.memory);
    if (bytes === undefined) return;
    const dense = isDense(run, isSmall(run) ? bytes.buffer.byteLength : run.end - run.offset);
    let damaged = false;
    for (const wanted of framesOf(run)) {
      const { location } = wanted[0].place;
      const from = location.offset - run.offset;
      const stored = bytes.subarray(from, from + location.storedBytes);
      const raw = await opening(location, stored);
      const whole = raw === undefined ? [] : wanted.filter((one) => isVerified(one, raw));
      damaged ||= whole.length < wanted.length;
      if (raw === undefined || whole.length === 0) continue;
      const objects = whole.map(({ id, place }) => ({ id, location: place.location }));
      const mayStay = into.frames !== undefined && dense && !isSmall(run);
      const frame = mayStay ? await arrivedFrame(stored, raw, objects) : undefined;
      if (frame !== undefined) {
        into.frames!.push(frame);
        for (const { at } of whole) into.contents[at] = IN_FRAME;
        continue;
      }
      if (raw.length > location.bytes) this.#keepFrame(run.pack, location.offset, raw);
      for (const { at, id, place } of whole) {
        const content = contentIn(raw, place);
        // A view keeps all that was read with it: good only where that is little more, and let go of soon.
        const isKept = id.kind === CHUNK && dense && isView(raw, bytes);
        into.contents[at] = isKept ? content : Buffer.from(content);
      }
    }
    if (!damaged) return;
    this.#warn(run.pack, 'is damaged');
    await this.#index.ailing.note(run.pack);
  }

  /** The bytes of a run, fewer where the pack is cut short; undefined if it is gone. */
  async #bytesOf(run: Run, memory: ReadMemory): Promise<Uint8Array | undefined> {
    const { pack, offset, end, wanted } = run;
    if (isSmall(run)) {
      const whole = await this.#smallPack(pack, wanted[0].place.packBytes);
      return whole?.subarray(offset, end);
    }
    const range = { offset, length: end - offset };
    // What is lent is held as long as its chunks are, even where all of them are copied.
    const into = (isDense(run, range.length) ? memory : freshMemory)(range.length);
    return this.#read(pack, range, into);
  }

  #smallPack(pack: PackId, packBytes: number): Promise<Uint8Array | undefined> {
    const kept = this.#small.get(pack);
    if (kept !== undefined) return kept;
    const reading = this.#read(pack, { offset: 0, length: packBytes }, freshMemory(packBytes));
    this.#small.set(pack, reading);
    reading.catch(() => this.#small.delete(pack));
    if (this.#small.size > SMALL_PACKS_KEPT) this.#small.delete(this.#small.keys().next().value!);
    return reading;
  }

  async #read(pack: PackId, range: ByteRange, into: Uint8Array): Promise<Uint8Array | undefined> {
    const key = packKey(pack);
    try {
      const got = await this.#bucket.get(key, { ...this.#options, range, into });
      if (got !== undefined) return await readAll(got.body, range.length, { into });
    } catch (error) {
      // It may break off because gc took the pack away meanwhile: then it is gone, as if it had been before.
      if (!isArtError(error, 'REMOTE_FAILED') || (await this.#isThere(key))) throw error;
    }
    await this.#index.forget(pack);
    return undefined;
  }

  async #isThere(key: string): Promise<boolean> {
    const got = await this.#bucket.get(key, { ...this.#options, range: { offset: 0, length: 1 } });
    if (got !== undefined) for await (const piece of got.body) void piece;
    return got !== undefined;
  }

  async #unreadable(id: ObjectId): Promise<ArtError> {
    const [places] = await this.#index.places([id]);
    const packs = places.map(({ pack }) => packKey(pack)).join(', ');
    return new ArtError(
      'REMOTE_CORRUPT',
      `object ${formatCid(id)} cannot be read from ${this.#bucket.url}: ${packs || 'its pack'} is damaged or gone`,
    );
  }

  #warn(pack: PackId, what: string): void {
    if (this.#warned.has(pack)) return;
    this.#warned.add(pack);
    this.#options.onWarning?.(`${packKey(pack)} in ${this.#bucket.url} ${what}`);
  }
}

/** What is read is put here. */
interface Into {
  readonly contents: (Uint8Array | undefined)[];
  readonly memory: ReadMemory;
  /** Takes frames as they are stored; undefined if nobody wants those. */
  readonly frames: ArrivedFrame[] | undefined;
}

/** Stands for the bytes of a chunk that is in one of the frames. */
export const IN_FRAME = new Uint8Array(0);

/** What is wanted of each frame. */
function framesOf({ wanted }: Run): Iterable<readonly [Wanted, ...Wanted[]]> {
  const frames = new Map<number, [Wanted, ...Wanted[]]>();
  for (const one of wanted) {
    const frame = frames.get(one.place.location.offset);
    if (frame === undefined) frames.set(one.place.location.offset, [one]);
    else frame.push(one);
  }
  return frames.values();
}

function contentIn(raw: Uint8Array, { location: { inFrame, bytes } }: Place): Uint8Array {
  return raw.subarray(inFrame, inFrame + bytes);
}

function isVerified({ id, place }: Wanted, raw: Uint8Array): boolean {
  return equalBytes(hash(contentIn(raw, place)), id.digest);
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

const freshMemory: ReadMemory = (bytes) => Buffer.allocUnsafeSlow(bytes);

function isSmall({ wanted }: Run): boolean {
  return wanted[0].place.packBytes <= SMALL_PACK_BYTES;
}

/** Whether what is wanted of a run makes up most of so many bytes that were read for it. */
function isDense({ wanted }: Run, bytes: number): boolean {
  const wantedBytes = wanted.reduce((sum, { place }) => sum + place.location.bytes, 0);
  return wantedBytes >= bytes * DENSE_SHARE;
}

/** Whether bytes lie in the memory of others: a frame that was not compressed. */
function isView(frame: Uint8Array, bytes: Uint8Array): boolean {
  return frame.buffer === bytes.buffer;
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
