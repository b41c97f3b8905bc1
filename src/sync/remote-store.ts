/** Shows a bucket as a store that can only be read: nothing is written anywhere, and nothing kept but for a while. */
import { ArtError, toHex } from '#base';
import { NODE } from '#object';
import type { Digest, ObjectId } from '#object';
import { MemoryStore } from '#store';
import type { ObjectStore, RecordRow, StoredReader, Transaction } from '#store';
import { artifactOfKey, encodeRef, recordKeys } from '#version';
import { readAll } from './bucket.ts';
import type { Bucket } from './bucket.ts';
import { POINTERS, artifactOfPointer, pointerKey } from './keys.ts';
import { PackIndex } from './pack-index.ts';
import type { PackIndexOptions } from './pack-index.ts';
import { POINTER_BYTES_MAX, decodePointer } from './pointer.ts';
import { RemoteReader } from './remote-reader.ts';
import { requireFormat } from './bucket-format.ts';

/** Nodes are read again and again on the way to what they name. */
const NODES_KEPT_BYTES = 16 * 1024 * 1024;

const NAMES_READ_MAX = 32;

export class RemoteStore implements ObjectStore {
  readonly cache = new MemoryStore().cache;
  readonly #bucket: Bucket;
  readonly #options: PackIndexOptions;
  readonly #index: PackIndex;
  readonly #reader: RemoteReader;
  readonly #nodes = new Map<string, Uint8Array>();
  #nodeBytes = 0;

  private constructor(bucket: Bucket, options: PackIndexOptions) {
    this.#bucket = bucket;
    this.#options = options;
    // The cache is of this bucket alone: with its id in every key a million rows would take 36 MB more.
    this.#index = new PackIndex(this.cache, bucket, '', options);
    this.#reader = new RemoteReader(bucket, this.#index, options);
  }

  /** Raises REMOTE_EMPTY, REMOTE_TOO_NEW. */
  static async open(bucket: Bucket, options: PackIndexOptions = {}): Promise<RemoteStore> {
    await requireFormat(bucket, { ...options, writing: false });
    return new RemoteStore(bucket, options);
  }

  /** What is there at all is known only by reading it. */
  async missing(): Promise<ObjectId[]> {
    return [];
  }

  reader(): StoredReader {
    return {
      getMany: (ids) => this.#reader.getMany(ids),
      runs: () => {
        throw new Error('nothing is sent on from a remote that is only read');
      },
    };
  }

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    const found = digests.map((digest) => this.#nodes.get(toHex(digest)));
    const absent = digests.filter((_, i) => found[i] === undefined);
    const read = await this.#reader.getMany(absent.map((digest) => ({ kind: NODE, digest })));
    absent.forEach((digest, i) => this.#keep(digest, read[i]));
    let next = 0;
    return found.map((bytes) => bytes ?? read[next++]);
  }

  /** Of all records a bucket has those of artifacts: its pointers. */
  async getRecord(key: string): Promise<Uint8Array | undefined> {
    const name = artifactOfKey(key);
    if (name === undefined) return undefined;
    const got = await this.#bucket.get(pointerKey(name), this.#options);
    if (got === undefined) return undefined;
    const what = `the pointer of "${name}" in ${this.#bucket.url}`;
    const bytes = await readAll(got.body, POINTER_BYTES_MAX);
    if (bytes === undefined) throw new ArtError('REMOTE_CORRUPT', `${what} is longer than any pointer`);
    const { state, packs } = decodePointer(bytes, what);
    this.#index.hint(packs);
    return state === null ? undefined : encodeRef(state);
  }

  /** The artifacts there are, which only a wrong name asks for: none if their pointers would be many requests. */
  async listRecords(
    prefix: string,
    { after = '', limit }: { readonly after?: string; readonly limit: number },
  ): Promise<RecordRow[]> {
    if (prefix !== recordKeys.artifacts) return [];
    const keys: string[] = [];
    for await (const { key } of this.#bucket.list(POINTERS, this.#options)) {
      const name = artifactOfPointer(key);
      if (name !== undefined) keys.push(recordKeys.artifact(name));
      if (keys.length > NAMES_READ_MAX) return [];
    }
    const rows: RecordRow[] = [];
    for (const key of keys.sort().filter((one) => one > after)) {
      const value = rows.length < limit ? await this.getRecord(key) : undefined;
      if (value !== undefined) rows.push({ key, value });
    }
    return rows;
  }

  async begin(): Promise<Transaction> {
    throw new Error('nothing is written to a remote that is only read');
  }

  async epoch(): Promise<number> {
    return 0;
  }

  async bytesOnlyBelow(): Promise<number> {
    throw new Error('nothing of a remote that is only read is stored here');
  }

  async rest(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #keep(digest: Digest, bytes: Uint8Array): void {
    this.#nodes.set(toHex(digest), bytes);
    this.#nodeBytes += bytes.length;
    for (const [oldest, { length }] of this.#nodes) {
      if (this.#nodeBytes <= NODES_KEPT_BYTES) return;
      this.#nodes.delete(oldest);
      this.#nodeBytes -= length;
    }
  }
}
