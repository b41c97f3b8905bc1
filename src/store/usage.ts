/** Measures what versions take: what each alone needs, and what it shares with others. */
import { ArtError, Column, DigestTable, Pace, equalBytes, nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE, formatCid, hash, visitStrongLinks } from '#object';
import type { Digest, ObjectId, ObjectKind } from '#object';
import type { Promised } from './closure.ts';
import { loadCompression } from './compression.ts';
import type { LevelStore } from './level-store.ts';
import { decodeLocation } from './location.ts';
import type { Location } from './location.ts';
import { objectKey, objectRange } from './records.ts';
import { pagesOf } from './table.ts';

/** Bytes of one root and all below it, each object once. */
export interface RootUsage {
  /** Of objects that no other root has. */
  readonly alone: number;
  /** Of all its objects. */
  readonly total: number;
  /** What all its objects take on disk, compressed; its share of the frames that they stand in. */
  readonly stored: number;
}

export interface Usage {
  readonly roots: readonly RootUsage[];
  /** On disk, of everything below the first `counted` roots, each object once. */
  readonly stored: number;
}

export interface UsageOptions {
  /** The first so many roots are summed up in `stored`. */
  readonly counted: number;
  /** Absent: nothing is promised, and whatever is absent is damage; what is promised takes nothing. */
  readonly promised?: Promised;
  readonly signal?: AbortSignal;
  /** Told now and then how many objects were seen, and their bytes. */
  readonly onProgress?: (progress: { readonly files: number; readonly bytes: number }) => void;
  /** More chunks than this are measured in several passes; about 60 bytes each. */
  readonly chunksMax?: number;
}

const CHUNKS_MAX = 2 ** 19;
/** A part is a range of the first byte of digests. */
const PARTS_MAX = 256;
const NODES_A_PAUSE = 32;
const TURN_MS = 50;

/**
 * Walks the closures of `roots` one after the other. What a root has in common with the one before it is not read
 * again: references are counted, so that a walk turns around at every node that is there already. Put roots that are
 * much alike next to each other. Memory is about 60 bytes a chunk in the store up to `chunksMax`; more chunks are taken
 * in parts by digest, a pass a part. Nodes take the same, but are a hundredth as many and always held. Raises
 * OBJECT_NOT_FOUND, OBJECT_CORRUPT, INTERRUPTED.
 */
export async function measureUsage(
  store: LevelStore,
  roots: readonly Digest[],
  options: UsageOptions,
): Promise<Usage> {
  await loadCompression();
  return store.database.use(async () => {
    const isPromised = (await options.promised?.(store)) === true;
    const census = new Census(store, roots, { ...options, isPromised });
    for (let parts = 1; parts <= PARTS_MAX; parts *= 2) {
      if (await census.run(parts)) return census.result();
    }
    throw new ArtError('IO_FAILED', 'there are too many chunks to measure');
  });
}

interface Totals {
  readonly alone: number[];
  readonly total: number[];
  readonly stored: number[];
}

class Census {
  readonly #store: LevelStore;
  readonly #roots: readonly Digest[];
  readonly #options: UsageOptions & { readonly isPromised: boolean };
  readonly #sums: Totals;
  readonly #pace = new Pace(TURN_MS);
  readonly #nodes = new Population();
  readonly #chunks = new Population();
  #part = 0;
  #parts = 1;
  #countedStored = 0;
  #visited = 0;

  constructor(
    store: LevelStore,
    roots: readonly Digest[],
    options: UsageOptions & { readonly isPromised: boolean },
  ) {
    const zeros = () => roots.map(() => 0);
    this.#store = store;
    this.#roots = roots;
    this.#options = options;
    this.#sums = { alone: zeros(), total: zeros(), stored: zeros() };
  }

  result(): Usage {
    const { alone, total, stored } = this.#sums;
    const roots = this.#roots.map((_, i) => ({
      alone: alone[i],
      total: total[i],
      stored: Math.round(stored[i]),
    }));
    return { roots, stored: Math.round(this.#countedStored) };
  }

  /** Gives false if a part has too many chunks. */
  async run(parts: number): Promise<boolean> {
    this.#parts = parts;
    for (const sums of Object.values(this.#sums)) sums.fill(0);
    this.#countedStored = 0;
    for (this.#part = 0; this.#part < parts; this.#part++) {
      // Emptied, not made anew: freed tables of tens of megabytes stay with the process.
      this.#nodes.clear();
      this.#chunks.clear();
      if (!(await this.#fillChunks())) return false;
      await this.#pass();
    }
    return true;
  }

  /** Reads the sizes of all chunks of the part there are, in the order of the database: one by one takes far longer. */
  async #fillChunks(): Promise<boolean> {
    const first = (part: number) => Buffer.from([CHUNK, Math.floor((256 * part) / this.#parts)]);
    const last = this.#part + 1 === this.#parts;
    const range = { gte: first(this.#part), lt: last ? objectRange(CHUNK).lt : first(this.#part + 1) };
    for await (const page of pagesOf(this.#store.database, range)) {
      for (const [key, value] of page) this.#chunks.add(key.subarray(1), decodeLocation(value));
      if (this.#chunks.size > (this.#options.chunksMax ?? CHUNKS_MAX)) return false;
      await this.#pause();
    }
    return true;
  }

  async #pass(): Promise<void> {
    const { alone, total, stored } = this.#sums;
    for (const [i, root] of this.#roots.entries()) {
      await this.#walk(root, i, 'enter');
      // After, not before: what both have never leaves, and so is not walked.
      if (i > 0) await this.#walk(this.#roots[i - 1], i - 1, 'leave');
      for (const population of this.#populations()) {
        total[i] += population.bytes;
        stored[i] += population.stored;
      }
      if (i === this.#options.counted - 1)
        for (const population of this.#populations()) this.#countedStored += population.storedEver;
    }
    const last = this.#roots.length - 1;
    for (const population of this.#populations()) {
      population.leaveAll(last);
      for (const [owner, bytes] of population.alone) alone[owner] += bytes;
    }
  }

  /** Nodes are walked in every part, and counted in the first. */
  #populations(): Population[] {
    return this.#part === 0 ? [this.#nodes, this.#chunks] : [this.#chunks];
  }

  async #walk(root: Digest, at: number, way: 'enter' | 'leave'): Promise<void> {
    const waiting: Digest[] = [root];
    const visit = (kind: ObjectKind, digest: Digest) => {
      if (kind === NODE) waiting.push(digest);
      else if ((digest[0] * this.#parts) >>> 8 === this.#part)
        this.#count(this.#chunks, kind, digest, at, way);
    };
    for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
      if (!this.#count(this.#nodes, NODE, digest, at, way)) continue;
      const bytes = this.#read(digest);
      if (bytes !== undefined) visitStrongLinks(bytes, visit);
      if (++this.#visited % NODES_A_PAUSE === 0) await this.#pause();
    }
  }

  /** One reference more or less; gives true if the object came with it, or went. */
  #count(
    population: Population,
    kind: ObjectKind,
    digest: Digest,
    at: number,
    way: 'enter' | 'leave',
  ): boolean {
    if (way === 'leave') return population.leave(digest, at);
    if (!population.has(digest)) population.add(digest, this.#locate({ kind, digest }) ?? NOTHING);
    return population.enter(digest, at);
  }

  #read(digest: Digest): Uint8Array | undefined {
    const location = this.#locate({ kind: NODE, digest });
    if (location === undefined) return undefined;
    const bytes = location.inline ?? this.#store.packReader.read([location])[0];
    if (equalBytes(hash(bytes), digest)) return bytes;
    const cid = formatCid({ kind: NODE, digest });
    throw new ArtError('OBJECT_CORRUPT', `object ${cid} does not have the bytes of its name`);
  }

  /** Undefined for what is only promised. */
  #locate(id: ObjectId): Location | undefined {
    const value = this.#store.database.table.getSync(objectKey(id.kind, id.digest));
    if (value !== undefined) return decodeLocation(value);
    if (this.#options.isPromised) return undefined;
    throw new ArtError('OBJECT_NOT_FOUND', `object ${formatCid(id)} is not in the store`);
  }

  async #pause(): Promise<void> {
    throwIfAborted(this.#options.signal);
    await this.#store.database.breathe();
    if (!this.#pace.due()) return;
    this.#options.onProgress?.({ files: this.#chunks.objectsEver, bytes: this.#chunks.bytesEver });
    await nextTurn();
  }
}

type ObjectSizes = Pick<Location, 'bytes' | 'storedBytes' | 'rawBytes'>;

const NOTHING: ObjectSizes = { bytes: 0, storedBytes: 0, rawBytes: 0 };
const SHARED = -1;
const NOT_YET = -2;

/** Objects of one kind: which are there in the root at hand, by how many references, and which root alone has them. */
class Population {
  readonly alone = new Map<number, number>();
  /** Of what is there. */
  bytes = 0;
  stored = 0;
  /** Of what ever was. */
  objectsEver = 0;
  bytesEver = 0;
  storedEver = 0;
  readonly #digests = new DigestTable();
  readonly #references = new Column(Uint32Array);
  /** The root in which it first came; SHARED once another one has it. */
  readonly #owners = new Column(Int32Array);
  readonly #sizes = new Column(Uint32Array);
  readonly #storedSizes = new Column(Float32Array);

  get size(): number {
    return this.#digests.size;
  }

  clear(): void {
    this.alone.clear();
    this.bytes = this.stored = this.objectsEver = this.bytesEver = this.storedEver = 0;
    this.#digests.clear();
    for (const column of [this.#references, this.#owners, this.#sizes, this.#storedSizes]) column.clear();
  }

  has(digest: Digest): boolean {
    return this.#digests.has(digest);
  }

  add(digest: Digest, { bytes, storedBytes, rawBytes }: ObjectSizes): void {
    const stored = rawBytes === 0 ? 0 : (storedBytes * bytes) / rawBytes;
    this.#digests.add(digest);
    this.#references.push(0);
    this.#owners.push(NOT_YET);
    this.#sizes.push(bytes);
    this.#storedSizes.push(stored);
  }

  enter(digest: Digest, root: number): boolean {
    const index = this.#digests.indexOf(digest);
    if (this.#references.add(index, 1) > 1) return false;
    const owner = this.#owners.at(index);
    if (owner === NOT_YET) {
      this.#owners.set(index, root);
      this.objectsEver++;
      this.bytesEver += this.#sizes.at(index);
      this.storedEver += this.#storedSizes.at(index);
    } else if (owner !== SHARED) {
      // It had left with the only root that had it, and is back.
      this.#addAlone(owner, -this.#sizes.at(index));
      this.#owners.set(index, SHARED);
    }
    this.bytes += this.#sizes.at(index);
    this.stored += this.#storedSizes.at(index);
    return true;
  }

  leave(digest: Digest, root: number): boolean {
    const index = this.#digests.indexOf(digest);
    if (this.#references.add(index, -1) > 0) return false;
    this.bytes -= this.#sizes.at(index);
    this.stored -= this.#storedSizes.at(index);
    this.#settle(index, root);
    return true;
  }

  /** The last root goes, with all that is left. */
  leaveAll(root: number): void {
    for (let index = 0; index < this.size; index++)
      if (this.#references.at(index) > 0) this.#settle(index, root);
  }

  /** What came with the root that it leaves with was in no other before. */
  #settle(index: number, root: number): void {
    if (this.#owners.at(index) === root) this.#addAlone(root, this.#sizes.at(index));
    else this.#owners.set(index, SHARED);
  }

  #addAlone(root: number, bytes: number): void {
    this.alone.set(root, (this.alone.get(root) ?? 0) + bytes);
  }
}
