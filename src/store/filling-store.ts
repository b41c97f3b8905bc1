/** A store that has what it lacks brought from elsewhere, the moment it is asked for. */
import { isArtError } from '#base';
import { NODE } from '#object';
import type { Digest, ObjectId } from '#object';
import type {
  ObjectStore,
  RecordRow,
  Roots,
  StoredReader,
  StoredRun,
  Transaction,
  WalkWatch,
} from './object-store.ts';

/**
 * Puts all of `ids`, which the store lacks, into the store. Called with nothing held: it may wait for the network. Gives
 * false if nobody has promised them.
 */
export type BringMissing = (ids: readonly ObjectId[]) => Promise<boolean>;

/**
 * Reads as the store within does, and brings what that lacks. Only reading brings: `missing` and `has` tell what is here,
 * and while a transaction is being published nothing is brought.
 */
export class FillingStore implements ObjectStore {
  readonly #inner: ObjectStore;
  readonly #bring: BringMissing;

  constructor(inner: ObjectStore, bring: BringMissing) {
    this.#inner = inner;
    this.#bring = bring;
  }

  get cache(): ObjectStore['cache'] {
    return this.#inner.cache;
  }

  missing(ids: readonly ObjectId[]): Promise<ObjectId[]> {
    return this.#inner.missing(ids);
  }

  reader(): StoredReader {
    const reader = this.#inner.reader();
    const filled = ({ ids, open, read }: StoredRun): StoredRun => ({
      ids,
      open,
      read: (memory) => this.#filled(ids, () => read(memory)),
    });
    return {
      getMany: (ids, memory) => this.#filled(ids, () => reader.getMany(ids, memory)),
      runs: async (ids) => (await this.#filled(ids, () => reader.runs(ids))).map(filled),
    };
  }

  getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    return this.#filled(nodeIds(digests), () => this.#inner.getNodes(digests));
  }

  getRecord(key: string): Promise<Uint8Array | undefined> {
    return this.#inner.getRecord(key);
  }

  listRecords(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<RecordRow[]> {
    return this.#inner.listRecords(prefix, page);
  }

  async begin(): Promise<Transaction> {
    const tx = await this.#inner.begin();
    const getNodes = (digests: readonly Digest[]) =>
      filled(
        () => tx.getNodes(digests),
        () => {
          // What the transaction has put itself is not missing.
          const absent = nodeIds(digests).filter(({ kind, digest }) => !tx.has(kind, digest));
          return tx.aside(() => this.#bringAbsent(absent));
        },
      );
    return {
      get epoch() {
        return tx.epoch;
      },
      stats: tx.stats,
      breathe: () => tx.breathe(),
      has: (kind, digest) => tx.has(kind, digest),
      put: (kind, digest, bytes) => tx.put(kind, digest, bytes),
      putFrame: (frame) => tx.putFrame(frame),
      putNode: (digest, bytes) => tx.putNode(digest, bytes),
      rely: (kind, digest) => tx.rely(kind, digest),
      settle: () => tx.settle(),
      getNodes,
      aside: (work) => tx.aside(work),
      publish: (decide) => tx.publish(decide),
      [Symbol.asyncDispose]: () => tx[Symbol.asyncDispose](),
    };
  }

  readonly gather = async (ids: readonly ObjectId[]): Promise<void> => {
    await this.#bringAbsent(ids);
  };

  epoch(): Promise<number> {
    return this.#inner.epoch();
  }

  bytesOnlyBelow(nodes: readonly Digest[], kept: Roots, watched?: WalkWatch): Promise<number> {
    return this.#inner.bytesOnlyBelow(nodes, kept, watched);
  }

  rest(): Promise<void> {
    return this.#inner.rest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #filled<T>(ids: readonly ObjectId[], read: () => Promise<T>): Promise<T> {
    return filled(read, () => this.#bringAbsent(ids));
  }

  async #bringAbsent(ids: readonly ObjectId[]): Promise<boolean> {
    const absent = await this.#inner.missing(ids);
    await this.#inner.rest();
    return absent.length === 0 || this.#bring(absent);
  }
}

async function filled<T>(read: () => Promise<T>, bring: () => Promise<boolean>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!isArtError(error, 'OBJECT_NOT_FOUND') || !(await bring())) throw error;
  }
  return read();
}

function nodeIds(digests: readonly Digest[]): ObjectId[] {
  return digests.map((digest) => ({ kind: NODE, digest }));
}
