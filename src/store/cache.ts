/** Keeps rows that may be lost at any time: what can be had again from elsewhere, found fast meanwhile. */
import { ByteWriter } from '#base';
import type { Database } from './database.ts';
import type { Put } from './table.ts';

export interface CacheRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Rows by key, beside objects and records. No gc, check or rebuild knows of them; a rebuilt store has none. */
export interface Cache {
  /** The values of `keys`, in the order asked; undefined where there is none. */
  get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /**
   * Puts rows in the order given: a crash in between loses the later ones, never only earlier ones. Each need be good only
   * until the next is asked for.
   */
  put(rows: Iterable<CacheRow>): Promise<void>;
  delete(keys: Iterable<Uint8Array>): Promise<void>;
  /** Rows whose key begins with `prefix`, in key order, after `after` (exclusive), at most `limit`. */
  list(
    prefix: Uint8Array,
    page: { readonly after?: Uint8Array; readonly limit: number },
  ): Promise<CacheRow[]>;
}

/** Before each key in LevelDB. */
const CACHED = Buffer.from('c');
/** Rows in one write, between which a waiting process is let in. */
const PAGE = 4000;

/** In LevelDB, synced, but in no journal. */
export class LevelCache implements Cache {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const scratch = new ByteWriter();
    const find = (key: Uint8Array) =>
      this.#database.table.getSync(scratch.clear().bytes(CACHED).bytes(key).view());
    return this.#database.use(() => keys.map(find));
  }

  async put(rows: Iterable<CacheRow>): Promise<void> {
    const left = rows[Symbol.iterator]();
    for (let next = left.next(); next.done !== true;) {
      const page = function* (): Generator<Put, void> {
        const scratch = new ByteWriter();
        for (let i = 0; i < PAGE && next.done !== true; i++, next = left.next()) {
          const { key, value } = next.value;
          yield { type: 'put', key: scratch.clear().bytes(CACHED).bytes(key).view(), value };
        }
      };
      await this.#database.use(() => this.#database.write(page()));
    }
  }

  async delete(keys: Iterable<Uint8Array>): Promise<void> {
    for (const page of pagesOf(keys)) {
      const changes = page.map((key) => ({ type: 'del', key: cacheKey(key) }) as const);
      await this.#database.use(() => this.#database.write(changes));
    }
  }

  list(
    prefix: Uint8Array,
    { after, limit }: { readonly after?: Uint8Array; readonly limit: number },
  ): Promise<CacheRow[]> {
    const start = after === undefined ? { gte: cacheKey(prefix) } : { gt: cacheKey(after) };
    const end = Buffer.concat([cacheKey(prefix), Buffer.alloc(64, 0xff)]);
    return this.#database.use(async () => {
      const rows = await this.#database.table.iterator({ ...start, lt: end, limit }).all();
      return rows.map(([key, value]) => ({ key: key.subarray(CACHED.length), value }));
    });
  }
}

function cacheKey(key: Uint8Array): Uint8Array {
  return Buffer.concat([CACHED, key]);
}

function* pagesOf<T>(items: Iterable<T>): Generator<T[]> {
  let page: T[] = [];
  for (const item of items) {
    page.push(item);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
