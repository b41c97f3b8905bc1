/** Puts objects into packs and sends those, a few at a time, each with its index; what arrived is never sent again. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, errnoOf, fileError, isArtError, makeFolders } from '#base';
import type { Digest, ObjectKind } from '#object';
import { WirePackBuilder } from '#store';
import type { ReadMemory, StoredFrame, WirePack } from '#store';
import type { Abortable, Body, Bucket, ByteRange } from './bucket.ts';
import { bytesBody } from './bucket.ts';
import { indexKey, isPackId, newPackId, packKey, timeOfPackId } from './keys.ts';
import type { PackId } from './keys.ts';
import { indexedPack } from './pack-index.ts';
import type { IndexedPack, PackIndex } from './pack-index.ts';

/** Packs on their way; with the one that is being filled three are in memory. */
const PACKS_AT_ONCE = 2;
/** How often a put of unknown outcome is looked after and tried again. */
const TRIES = 5;
/** Indexes on their way, of packs that are there already; none is longer than 3 MiB as packs are made here. */
const INDEXES_AT_ONCE = 4;
/** Indexes that are there and wait to be cached here: of most pushes all of them, until nothing is left to be packed. */
const UNCACHED_BYTES_MAX = 4 * 1024 * 1024;
/** How long it may take to send a pack; after that its note is of no use. */
const UNSENT_MS = 24 * 60 * 60 * 1000;
const NOTED = '.idx';

export interface UploadOptions extends Abortable {
  /** Where packs are noted before they are sent. */
  readonly journal: string;
  readonly now: () => number;
  readonly onSent?: (objects: number, bytes: number) => void;
}

export class PackUploader {
  readonly packs: PackId[] = [];
  readonly #bucket: Bucket;
  readonly #index: PackIndex;
  readonly #options: UploadOptions;
  readonly #builder: WirePackBuilder;
  readonly #sending = new Set<Promise<void>>();
  readonly #publishing = new Set<Promise<void>>();
  #uncached: IndexedPack[] = [];
  #uncachedBytes = 0;
  #failure: unknown;

  private constructor(bucket: Bucket, index: PackIndex, builder: WirePackBuilder, options: UploadOptions) {
    this.#bucket = bucket;
    this.#index = index;
    this.#builder = builder;
    this.#options = options;
  }

  /** Finishes first what a push that was killed had begun: its whole packs become found. */
  static async make(bucket: Bucket, index: PackIndex, options: UploadOptions): Promise<PackUploader> {
    const uploader = new PackUploader(bucket, index, await WirePackBuilder.make(), options);
    try {
      makeFolders(options.journal);
    } catch (error) {
      throw fileError(error, options.journal);
    }
    for (const name of readdirSync(options.journal)) await uploader.#resume(name);
    return uploader;
  }

  /** Memory to read objects into that are put next: they are not copied then. */
  get memory(): ReadMemory {
    return this.#builder.lend;
  }

  /** Takes an object; waits while two packs are on their way. */
  async put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): Promise<void> {
    this.#builder.put(kind, digest, bytes);
    if (this.#builder.full) await this.#send();
  }

  /** Takes all objects of a frame as it is stored; waits as `put` does. */
  async putFrame(frame: StoredFrame): Promise<void> {
    if (!this.#builder.takes(frame.ids.length)) await this.#send();
    this.#builder.putFrame(frame);
    if (this.#builder.full) await this.#send();
  }

  /** Sends the rest and waits until everything is there and found. */
  async finish(): Promise<void> {
    if (!this.#builder.empty) await this.#send();
    await this.#cache();
    await this.settle();
    await this.#cache();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for what is on its way, whatever becomes of it. */
  async settle(): Promise<void> {
    await Promise.all(this.#sending);
    await Promise.all(this.#publishing);
  }

  #send(): Promise<void> {
    const pack = this.#builder.seal();
    return this.#within(this.#sending, PACKS_AT_ONCE, () => this.#sendOne(pack));
  }

  async #sendOne(pack: WirePack): Promise<void> {
    const id = newPackId(this.#options.now());
    const noted = join(this.#options.journal, id + NOTED);
    try {
      writeFileSync(noted, pack.index);
    } catch (error) {
      throw fileError(error, noted);
    }
    await this.#putOnce(packKey(id), partsBody(pack));
    pack.release();
    // The memory is free again for the next pack, whose sending does not wait for this index.
    await this.#within(this.#publishing, INDEXES_AT_ONCE, async () => {
      await this.#publish(id, pack.index, noted);
      await this.#found(pack, id);
      this.packs.push(id);
      this.#options.onSent?.(pack.objects, pack.bytes);
    });
  }

  /** Begins `work` once fewer than `most` are under way; `finish` waits for it and raises what it raises. */
  async #within(underWay: Set<Promise<void>>, most: number, work: () => Promise<void>): Promise<void> {
    while (underWay.size >= most) await Promise.race(underWay);
    if (this.#failure !== undefined) throw this.#failure;
    const done = work()
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => underWay.delete(done));
    underWay.add(done);
  }

  async #publish(id: PackId, index: Uint8Array, noted: string): Promise<void> {
    await this.#putOnce(indexKey(id), bytesBody(index));
    rmSync(noted, { force: true });
  }

  async #found({ bytes, rows, index }: WirePack, id: PackId): Promise<void> {
    this.#uncached.push({ id, bytes, rows });
    this.#uncachedBytes += index.length;
    if (this.#uncachedBytes > UNCACHED_BYTES_MAX) await this.#cache();
  }

  /** So that they need not be read when the remote is asked next. */
  async #cache(): Promise<void> {
    const all = this.#uncached;
    this.#uncached = [];
    this.#uncachedBytes = 0;
    await this.#index.addSent(all);
  }

  // The key was never used before: whatever is there is this, whole.
  async #putOnce(key: string, body: Body): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#bucket.putIfAbsent(key, body, this.#signal());
        return;
      } catch (error) {
        if (!isArtError(error, 'REMOTE_UNCERTAIN') || attempt === TRIES) throw error;
        const size = await this.#sizeOf(key);
        if (size === body.size) return;
        if (size !== undefined)
          throw new ArtError('REMOTE_FAILED', `${key} in ${this.#bucket.url} was cut short`, {
            cause: error,
          });
      }
    }
  }

  async #sizeOf(key: string): Promise<number | undefined> {
    const got = await this.#bucket.get(key, { ...this.#signal(), range: { offset: 0, length: 1 } });
    if (got === undefined) return undefined;
    for await (const piece of got.body) void piece;
    return got.size;
  }

  // Whoever noted it: a pack that is there and as long as its index says is whole, and publishing its index twice is publishing it once. One that is not
  // there may be on its way from a process beside this one, which no pid tells from a dead one for sure.
  async #resume(name: string): Promise<void> {
    const id = name.slice(0, -NOTED.length);
    if (!name.endsWith(NOTED) || !isPackId(id)) return;
    const noted = join(this.#options.journal, name);
    const found = readIndex(noted, id);
    if (found !== undefined && (await this.#sizeOf(packKey(id))) === found.pack.bytes) {
      await this.#publish(id, found.index, noted);
      return this.#index.add([found.pack]);
    }
    if (this.#options.now() - timeOfPackId(id) > UNSENT_MS) rmSync(noted, { force: true });
  }

  #signal(): Abortable {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }
}

/** The index in a note; undefined if it was noted half, or another process has just finished it. */
function readIndex(
  noted: string,
  id: PackId,
): { readonly index: Uint8Array; readonly pack: IndexedPack } | undefined {
  try {
    const index = readFileSync(noted);
    return { index, pack: indexedPack(id, index) };
  } catch (error) {
    if (isArtError(error, 'PACK_CORRUPT') || errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, noted);
  }
}

const PIECE_BYTES = 1024 * 1024;

function partsBody({ parts, bytes }: WirePack): Body {
  return {
    size: bytes,
    async *open({ offset, length }: ByteRange = { offset: 0, length: bytes }) {
      const end = Math.min(bytes, offset + length);
      let start = 0;
      for (const part of parts) {
        const to = Math.min(part.length, end - start);
        for (let at = Math.max(0, offset - start); at < to; at += PIECE_BYTES)
          yield part.subarray(at, Math.min(to, at + PIECE_BYTES));
        start += part.length;
      }
    },
  };
}
