/** Remembers which packs of a bucket were found damaged or missing, and whether what they held was sent anew since. */
import { utf8 } from '#base';
import type { Cache } from '#store';
import type { PackId } from './keys.ts';

const PAGE_ROWS = 1000;
const PENDING = Uint8Array.of(0);
const SENT_ANEW = Uint8Array.of(1);

export class AilingPacks {
  readonly #cache: Cache;
  /** Before the keys of this bucket's rows. */
  readonly #prefix: Uint8Array;
  /** True: what it held is still to be sent anew. */
  readonly #packs = new Map<PackId, boolean>();
  #loaded = false;

  /** `id` is the repository's in the bucket. */
  constructor(cache: Cache, id: string) {
    this.#cache = cache;
    this.#prefix = utf8(`bad/${id}/`);
  }

  async load(): Promise<void> {
    if (this.#loaded) return;
    this.#loaded = true;
    for (let after: Uint8Array | undefined; ;) {
      const rows = await this.#cache.list(this.#prefix, { limit: PAGE_ROWS, ...(after && { after }) });
      for (const { key, value } of rows)
        this.#packs.set(Buffer.from(key.subarray(this.#prefix.length)).toString(), value[0] === PENDING[0]);
      if (rows.length < PAGE_ROWS) return;
      after = rows[rows.length - 1].key;
    }
  }

  /** Whether nothing may be built on a pack. */
  has(pack: PackId): boolean {
    return this.#packs.has(pack);
  }

  /** Whether what some of them held is still to be sent anew. */
  get pending(): boolean {
    return [...this.#packs.values()].includes(true);
  }

  get count(): number {
    return this.#packs.size;
  }

  async note(pack: PackId): Promise<void> {
    await this.load();
    if (this.#packs.has(pack)) return;
    await this.#set([pack], { pending: true });
  }

  /** Says that all that is here of what they held has been sent anew. */
  async settle(): Promise<void> {
    await this.#set(
      [...this.#packs].flatMap(([pack, pending]) => (pending ? [pack] : [])),
      { pending: false },
    );
  }

  async #set(packs: readonly PackId[], { pending }: { readonly pending: boolean }): Promise<void> {
    for (const pack of packs) this.#packs.set(pack, pending);
    const value = pending ? PENDING : SENT_ANEW;
    const keys = packs.map((pack) => Buffer.concat([this.#prefix, utf8(pack)]));
    await this.#cache.put(keys.map((key) => ({ key, value })));
  }
}
