/** Keeps objects and records in memory: the plainest store that keeps every promise but durability. */
import { ArtError, assert, compareUtf8, equalBytes, toHex } from '#base';
import { NODE, formatCid, hash, strongLinks } from '#object';
import type { Digest, ObjectId, ObjectKind } from '#object';
import { MemoryCache } from './memory-cache.ts';
import type {
  LockedStore,
  ObjectStore,
  RecordRow,
  Roots,
  StoredReader,
  Transaction,
} from './object-store.ts';

export class MemoryStore implements ObjectStore {
  readonly cache = new MemoryCache();
  readonly #objects = new Map<string, Uint8Array>();
  readonly #records = new Map<string, Uint8Array>();
  #publishing: Promise<unknown> = Promise.resolve();

  async missing(ids: readonly ObjectId[]): Promise<ObjectId[]> {
    return ids.filter(({ kind, digest }) => !this.#objects.has(keyOf(kind, digest)));
  }

  reader(): StoredReader {
    const getMany = async (ids: readonly ObjectId[]) => ids.map((id) => this.#get(id));
    const runs = async (ids: readonly ObjectId[]) => {
      for (const id of ids) this.#get(id);
      return ids.map((id) => ({
        ids: [id],
        open: false,
        read: async () => ({ contents: await getMany([id]) }),
      }));
    };
    return { getMany, runs };
  }

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    return digests.map((digest) => this.#get({ kind: NODE, digest }));
  }

  async getRecord(key: string): Promise<Uint8Array | undefined> {
    return this.#records.get(key);
  }

  async listRecords(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<RecordRow[]> {
    const keys = [...this.#records.keys()].filter(
      (key) => key.startsWith(prefix) && key > (page.after ?? ''),
    );
    const rows = keys.sort(compareUtf8).slice(0, page.limit);
    return rows.map((key) => ({ key, value: this.#records.get(key)! }));
  }

  async epoch(): Promise<number> {
    return 0;
  }

  async bytesOnlyBelow(nodes: readonly Digest[], kept: Roots): Promise<number> {
    const seen = new Set<string>();
    const walk = (kind: ObjectKind, digest: Digest): number => {
      const bytes = this.#objects.get(keyOf(kind, digest));
      if (bytes === undefined || seen.has(keyOf(kind, digest))) return 0;
      seen.add(keyOf(kind, digest));
      const links = kind === NODE ? strongLinks(bytes) : [];
      return links.reduce((sum, link) => sum + walk(link.kind, link.digest), bytes.length);
    };
    for await (const root of kept(this)) walk(NODE, root);
    return nodes.reduce((sum, digest) => sum + walk(NODE, digest), 0);
  }

  async rest(): Promise<void> {}

  async begin(): Promise<Transaction> {
    const fresh = new Map<string, Uint8Array>();
    const stats = { objects: 0, rawBytes: 0, storedBytes: 0 };
    const has = (kind: ObjectKind, digest: Digest) =>
      fresh.has(keyOf(kind, digest)) || this.#objects.has(keyOf(kind, digest));
    const put = (kind: ObjectKind, digest: Digest, bytes: Uint8Array) => {
      if (has(kind, digest)) return false;
      fresh.set(keyOf(kind, digest), Buffer.from(bytes));
      stats.objects++;
      stats.rawBytes += bytes.length;
      stats.storedBytes += bytes.length;
      return true;
    };
    const getNodes = async (digests: readonly Digest[]) =>
      digests.map((digest) => fresh.get(keyOf(NODE, digest)) ?? this.#get({ kind: NODE, digest }));
    const putNode = (digest: Digest, bytes: Uint8Array) => void put(NODE, digest, bytes);
    const publish = async <T>(decide: (locked: LockedStore) => Promise<T>): Promise<T> => {
      const before = this.#publishing;
      let done = () => {};
      this.#publishing = new Promise<void>((resolve) => (done = resolve));
      await before;
      try {
        const changes = new Map<string, Uint8Array | undefined>();
        const result = await decide({
          getNodes,
          putNode,
          put,
          getRecord: async (key) => (changes.has(key) ? changes.get(key) : this.#records.get(key)),
          listRecords: (prefix, page) => this.listRecords(prefix, page),
          setRecord: (key, value) => void changes.set(key, value),
        });
        for (const [key, bytes] of fresh) this.#objects.set(key, bytes);
        for (const [key, value] of changes) {
          if (value === undefined) this.#records.delete(key);
          else this.#records.set(key, value);
        }
        return result;
      } finally {
        done();
      }
    };
    return {
      epoch: 0,
      stats,
      breathe: () => undefined,
      aside: (work) => work(),
      has,
      put,
      putFrame: () => false,
      putNode,
      getNodes,
      rely: (kind, digest) => assert(has(kind, digest), 'relied on an object that is not there'),
      settle: () => {},
      publish,
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #get({ kind, digest }: ObjectId): Uint8Array {
    const bytes = this.#objects.get(keyOf(kind, digest));
    if (bytes === undefined)
      throw new ArtError('OBJECT_NOT_FOUND', `object ${formatCid({ kind, digest })} is not in the store`);
    if (!equalBytes(hash(bytes), digest)) {
      throw new ArtError(
        'OBJECT_CORRUPT',
        `object ${formatCid({ kind, digest })} does not have the bytes of its name`,
      );
    }
    return bytes;
  }
}

function keyOf(kind: ObjectKind, digest: Digest): string {
  return `${kind}${toHex(digest)}`;
}
