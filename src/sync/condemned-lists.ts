/** Knows which packs of a bucket are condemned. A list is put once and never changes, so each is read once. */
import { ArtError, ByteReader, ByteWriter, isArtError, utf8 } from '#base';
import type { Cache } from '#store';
import { readAll } from './bucket.ts';
import type { Abortable, Bucket, Listed } from './bucket.ts';
import { CONDEMNED_BYTES_MAX, decodeCondemned } from './condemned.ts';
import { CONDEMNED, epochOfCondemned } from './keys.ts';
import type { PackId } from './keys.ts';

/** One list, as it is known. */
interface KnownList {
  readonly packs: readonly PackId[];
  /** When it was put, by the store's clock; milliseconds since 1970. */
  readonly since: number;
}

export class CondemnedLists {
  readonly #bucket: Bucket;
  readonly #options: Abortable;
  readonly #cache: Cache;
  /** Before the keys of this bucket's rows. */
  readonly #prefix: Uint8Array;
  readonly #lists = new Map<number, KnownList>();
  readonly #epochs = new Map<PackId, number>();

  constructor(cache: Cache, bucket: Bucket, id: string, options: Abortable = {}) {
    this.#cache = cache;
    this.#bucket = bucket;
    this.#options = options;
    this.#prefix = utf8(`gone/${id}/`);
  }

  /** Learns what was condemned since; one request if nothing was. Raises REMOTE_CORRUPT: who cannot read them must stop. */
  async refresh(): Promise<void> {
    for await (const listed of this.#bucket.list(CONDEMNED, this.#options)) {
      const epoch = epochOfCondemned(listed.key);
      if (epoch === undefined || this.#lists.has(epoch)) continue;
      const packs = decodeCondemned(await this.#bytesOf(listed), listed.key);
      this.#lists.set(epoch, { packs, since: listed.modified });
      for (const pack of packs) this.#epochs.set(pack, Math.min(epoch, this.#epochs.get(pack) ?? epoch));
    }
  }

  has(pack: PackId): boolean {
    return this.#epochs.has(pack);
  }

  /** The epoch of the newest list; 0 while there is none. */
  get newest(): number {
    return Math.max(0, ...this.#lists.keys());
  }

  /** When the list of `epoch` was put, by the store's clock. */
  since(epoch: number): number {
    return this.#lists.get(epoch)?.since ?? 0;
  }

  /** The packs of one list. */
  only(epoch: number): readonly PackId[] {
    return this.#lists.get(epoch)?.packs ?? [];
  }

  /** The packs of all lists up to that of `epoch`. */
  *upTo(epoch: number): Generator<PackId> {
    for (const [pack, condemnedIn] of this.#epochs) if (condemnedIn <= epoch) yield pack;
  }

  // Kept under its tag: a bucket that was put back to what it once was may have other lists under the same numbers.
  async #bytesOf({ key, tag }: Listed): Promise<Uint8Array> {
    const row = Buffer.concat([this.#prefix, utf8(key)]);
    const [cached] = await this.#cache.get([row]);
    const kept = cached && listWithTag(cached, tag);
    if (kept !== undefined) return kept;
    const got = await this.#bucket.get(key, this.#options);
    const bytes = got && (await readAll(got.body, CONDEMNED_BYTES_MAX));
    if (bytes === undefined)
      throw new ArtError('REMOTE_CORRUPT', `${key} in ${this.#bucket.url} cannot be read whole`);
    decodeCondemned(bytes, key);
    await this.#cache.put([{ key: row, value: new ByteWriter(64).text(tag).bytes(bytes).take() }]);
    return bytes;
  }
}

function listWithTag(row: Uint8Array, tag: string): Uint8Array | undefined {
  const reader = new ByteReader(row, 'a cached list of condemned packs');
  try {
    return reader.text() === tag ? Uint8Array.from(reader.bytes(reader.left)) : undefined;
  } catch (error) {
    if (isArtError(error, 'OBJECT_INVALID')) return undefined;
    throw error;
  }
}
