/** Finds what the pointers of a bucket keep alive, in memory of fixed size. */
import { BloomFilter, DigestTable, isArtError, nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import type { NodeSource } from '#store';
import { eitherNodes } from './either-nodes.ts';
import { artifactOfPointer } from './keys.ts';
import type { PackId } from './keys.ts';
import type { Pointer } from './pointer.ts';
import { pointersGone, requireNewer, seenPointers } from './put-back.ts';
import { pointerKeys, readPointerAt } from './remote-gc-fence.ts';
import type { GcSite } from './remote-gc-site.ts';
import { RecentDigests } from './recent-digests.ts';

/** Siblings that are opened together. */
const NODES_AT_ONCE = 64;
/** 16 bits an object up to 16 million; beyond, some of what is dead is taken for alive. */
const BLOOM_BYTES_MAX = 32 * 1024 * 1024;
const BLOOM_BYTES_MIN = 64 * 1024;
const BLOOM_BYTES_AN_OBJECT = 2;
/** How often a pointer is read anew because what it led to was taken away meanwhile. */
const TRIES = 5;

/** A Bloom filter for so many objects, within what memory there is. */
export function bloomFor(objects: number, bytesMax = BLOOM_BYTES_MAX): BloomFilter {
  const wanted = Math.max(BLOOM_BYTES_MIN, objects * BLOOM_BYTES_AN_OBJECT);
  return new BloomFilter(Math.min(bytesMax, 2 ** Math.ceil(Math.log2(wanted))));
}

/**
 * What was alive at some time since it was made. A Bloom filter may take for alive what is not, never the other way. Nodes
 * that were walked are remembered exactly, the oldest forgotten: those are walked again.
 */
export class Marker {
  readonly #site: GcSite;
  readonly #nodes: NodeSource;
  readonly #live: BloomFilter;
  #walked = new RecentDigests();
  #marked = 0;
  #epoch = 0;
  #pointers = 0;

  /** `objects`: about how many there are in the bucket. */
  constructor(site: GcSite, objects: number) {
    this.#site = site;
    const reader = site.reader();
    this.#nodes = eitherNodes(site.context.store, async () => reader);
    this.#live = bloomFor(objects);
  }

  /** The highest epoch that any pointer was brought to. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Raises REMOTE_CORRUPT if no pointer was marked, though there are packs: nobody has told that they are dead. */
  requirePointers({ packs }: { readonly packs: ReadonlyMap<PackId, unknown> }): void {
    if (this.#pointers === 0 && packs.size > 0) throw pointersGone(this.#site.bucket.url);
  }

  isLive(digest: Digest): boolean {
    return this.#live.has(digest);
  }

  /**
   * Lists the pointers anew and marks what they lead to now. Raises REMOTE_CORRUPT, as what cannot be read keeps everything,
   * and REMOTE_REWRITTEN where a pointer is older than it was seen here: what it kept alive may be still.
   */
  async mark(): Promise<void> {
    const { context, remote } = this.#site;
    const seen = await seenPointers(context.store, remote); // First: what is there later is newer.
    this.#pointers = 0;
    for await (const keys of pointerKeys(this.#site))
      for (const key of keys) {
        this.#pointers++;
        const pointer = await this.#markPointer(key);
        const name = artifactOfPointer(key);
        const before = name && seen.get(name);
        if (name === undefined || before === undefined) continue;
        requireNewer(pointer, before, { name, remote });
        seen.delete(name);
      }
    for (const [name, before] of seen) requireNewer(undefined, before, { name, remote });
  }

  /** Gives back the memory that only walking needs. */
  rest(): void {
    this.#walked = new RecentDigests();
  }

  /** Gives what was marked, undefined if it is gone. */
  async #markPointer(key: string): Promise<Pointer | undefined> {
    for (let attempt = 1; ; attempt++) {
      const at = await readPointerAt(this.#site, key);
      this.#epoch = Math.max(this.#epoch, at?.pointer.epoch ?? 0);
      const state = at?.pointer.state ?? null;
      if (at === undefined || state === null) return at?.pointer;
      try {
        this.#live.add(state);
        await this.#walk([state]);
        return at.pointer;
      } catch (error) {
        // What it led to may have been deleted, and swept, while we walked: then it leads elsewhere now.
        if (!isArtError(error, 'REMOTE_CORRUPT') || attempt === TRIES) throw error;
        const now = await readPointerAt(this.#site, key);
        if (now?.tag === at.tag) throw error;
      }
    }
  }

  async #walk(digests: readonly Digest[]): Promise<void> {
    for (let i = 0; i < digests.length; i += NODES_AT_ONCE) {
      const page = digests.slice(i, i + NODES_AT_ONCE).filter((digest) => !this.#walked.has(digest));
      if (page.length === 0) continue;
      const below = new DigestTable(256);
      throwIfAborted(this.#site.context.signal);
      for (const bytes of await this.#nodes.getNodes(page))
        visitStrongLinks(bytes, (kind, digest) => {
          this.#live.add(digest);
          if (kind === NODE && !this.#walked.has(digest)) below.add(digest);
        });
      if (below.size > 0) await this.#walk([...below].map((digest) => Uint8Array.from(digest)));
      // Last: a walk that fails half-way must be walked again.
      for (const digest of page) this.#walked.add(digest);
      this.#tell(page.length);
      await nextTurn();
    }
  }

  #tell(nodes: number): void {
    this.#marked += nodes;
    this.#site.context.onProgress?.({ files: this.#marked, bytes: 0, what: 'object' });
  }
}

/** Chunks and nodes are kept apart where it must be exact: the bytes of one may be those of the other. */
export class RecentObjects {
  readonly #kinds = { [CHUNK]: new RecentDigests(), [NODE]: new RecentDigests() };

  has({ kind, digest }: ObjectId): boolean {
    return this.#kinds[kind].has(digest);
  }

  add({ kind, digest }: ObjectId): void {
    this.#kinds[kind].add(digest);
  }
}
