/** Remembers which packs of a bucket were found damaged or missing, and whether what they held was sent anew since. */
import { utf8 } from '#base';
import type { Cache } from '#store';
import type { PackId } from './keys.ts';

const PAGE_ROWS = 1000;
const PENDING = Uint8Array.of(0);
const SENT_ANEW = Uint8Array.of(1);
const SENT_IN_PART = Uint8Array.of(2);

/** How far what a pack held was sent anew: `part` is what was here while a remote had promised the rest. */
type Sent = 'nothing' | 'part' | 'all';

const ENCODED: Record<Sent, Uint8Array> = { nothing: PENDING, part: SENT_IN_PART, all: SENT_ANEW };

export class AilingPacks {
  readonly #cache: Cache;
  /** Before the keys of this bucket's rows. */
  readonly #prefix: Uint8Array;
  readonly #packs = new Map<PackId, Sent>();
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
        this.#packs.set(Buffer.from(key.subarray(this.#prefix.length)).toString(), sentOf(value));
      if (rows.length < PAGE_ROWS) return;
      after = rows[rows.length - 1].key;
    }
  }

  /** Whether nothing may be built on a pack. */
  has(pack: PackId): boolean {
    return this.#packs.has(pack);
  }

  /** Whether what some of them held is still to be sent anew, by one who has all, or (`promised`) not all of it here. */
  isPending({ promised }: { readonly promised: boolean }): boolean {
    return [...this.#packs.values()].some((sent) => sent === 'nothing' || (sent === 'part' && !promised));
  }

  get count(): number {
    return this.#packs.size;
  }

  async note(pack: PackId): Promise<void> {
    await this.load();
    if (this.#packs.has(pack)) return;
    await this.#set([pack], 'nothing');
  }

  /** Says that all that is here of what they held has been sent anew; `promised`: and that the rest may be needed too. */
  async settle({ promised }: { readonly promised: boolean }): Promise<void> {
    const sent = promised ? 'part' : 'all';
    const settled = [...this.#packs].flatMap(([pack, before]) => (before === 'all' ? [] : [pack]));
    await this.#set(settled, sent);
  }

  async #set(packs: readonly PackId[], sent: Sent): Promise<void> {
    for (const pack of packs) this.#packs.set(pack, sent);
    const value = ENCODED[sent];
    const keys = packs.map((pack) => Buffer.concat([this.#prefix, utf8(pack)]));
    await this.#cache.put(keys.map((key) => ({ key, value })));
  }
}

function sentOf(value: Uint8Array): Sent {
  if (value[0] === SENT_ANEW[0]) return 'all';
  return value[0] === SENT_IN_PART[0] ? 'part' : 'nothing';
}
