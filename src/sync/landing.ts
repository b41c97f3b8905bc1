/** Brings fetched objects into the store, children before parents, a batch at a time; no lock is held in between. */
import { ArtError, DigestTable } from '#base';
import { CHUNK, NODE, formatCid, visitStrongLinks } from '#object';
import { visitHistoryLinks } from './history-links.ts';
import type { Digest, ObjectId, ObjectKind } from '#object';
import { openFrame } from '#store';
import type { ArrivedFrame, ObjectStore } from '#store';
import { LandingQueue } from './landing-queue.ts';

/** What a killed fetch may have to fetch again. */
const BATCH_BYTES = 16 * 1024 * 1024;
const BATCH_OBJECTS = 8192;

/** A frame counts as at least this share of what it holds: it lies in memory that was taken for about that much. */
const FRAME_SHARE = 1 / 4;

/** What of its objects may be absent, as a remote has promised it: nothing, what is below commits, or anything. */
export type Promised = 'nothing' | 'content' | 'all';

export class Landing {
  readonly #store: ObjectStore;
  readonly #promised: Promised;
  readonly #waiting = new LandingQueue();
  readonly #pending = newPending();
  readonly #onLanded: (() => void)[] = [];
  /** Of chunks alone, which name nothing: they go first. */
  #frames: ArrivedFrame[] = [];
  #frameBytes = 0;
  #frameObjects = 0;
  objects = 0;

  constructor(store: ObjectStore, options: { readonly promised?: Promised } = {}) {
    this.#store = store;
    this.#promised = options.promised ?? 'nothing';
  }

  /** Which of `ids` are neither in the store nor waiting to be. */
  async missing(ids: readonly ObjectId[]): Promise<ObjectId[]> {
    const absent = await this.#store.missing(ids);
    return absent.filter(({ kind, digest }) => !this.#pending[kind].has(digest));
  }

  /** Takes an object; all it names must be in the store, have been taken, or be promised. The bytes are its own from now on. */
  async put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): Promise<void> {
    if (!this.#pending[kind].add(digest)) return;
    this.#waiting.push({ kind, digest, bytes });
    await this.#flushIfMuch();
  }

  /** Takes a frame of chunks. Its bytes are its own from now on. */
  async putFrame(frame: ArrivedFrame): Promise<void> {
    if (frame.ids.some(({ digest }) => this.#pending[CHUNK].has(digest))) return this.#putApart(frame);
    for (const { digest } of frame.ids) this.#pending[CHUNK].add(digest);
    this.#frames.push(frame);
    this.#frameBytes += Math.max(frame.stored.length, frame.rawBytes * FRAME_SHARE);
    this.#frameObjects += frame.ids.length;
    await this.#flushIfMuch();
  }

  /** Runs `then` once all that was taken so far has landed: nobody holds its bytes any more. */
  whenLanded(then: () => void): void {
    if (this.#isEmpty) then();
    else this.#onLanded.push(then);
  }

  /** Makes durable what was taken. Raises REUSED_GONE if gc took what it builds on: begin again. */
  async flush(): Promise<void> {
    if (this.#isEmpty) return;
    await using tx = await this.#store.begin();
    for (const frame of this.#frames) {
      if (tx.putFrame(frame)) this.objects += frame.ids.length;
      else
        for (const [{ kind, digest }, bytes] of await objectsOf(frame))
          if (tx.put(kind, digest, bytes)) this.objects++;
      await tx.breathe();
    }
    for (const { kind, digest, bytes } of this.#waiting) {
      if (kind === NODE && this.#promised !== 'all') {
        const visitLinks = this.#promised === 'content' ? visitHistoryLinks : visitStrongLinks;
        visitLinks(bytes, (childKind, child) => {
          // Relied on from here: whatever gc takes until this is published is noticed.
          if (!tx.has(childKind, child)) throw gone({ kind: childKind, digest: child });
        });
      }
      if (tx.put(kind, digest, bytes)) this.objects++;
      await tx.breathe();
    }
    await tx.publish(async () => {});
    this.#waiting.clear();
    this.#frames = [];
    this.#frameBytes = this.#frameObjects = 0;
    for (const kind of [CHUNK, NODE] as const) this.#pending[kind].clear();
    for (const then of this.#onLanded.splice(0)) then();
  }

  get #isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#frames.length === 0;
  }

  async #flushIfMuch(): Promise<void> {
    const bytes = this.#waiting.bytes + this.#frameBytes;
    const objects = this.#waiting.length + this.#frameObjects;
    if (bytes >= BATCH_BYTES || objects >= BATCH_OBJECTS) await this.flush();
  }

  async #putApart(frame: ArrivedFrame): Promise<void> {
    for (const [{ kind, digest }, bytes] of await objectsOf(frame)) await this.put(kind, digest, bytes);
  }
}

async function objectsOf(frame: ArrivedFrame): Promise<[ObjectId, Uint8Array][]> {
  const raw = await openFrame(frame, frame.stored);
  let end = 0;
  return frame.ids.map((id, i) => [id, raw.subarray(end, (end += frame.lengths[i]))]);
}

function newPending(): Record<ObjectKind, DigestTable> {
  return { [CHUNK]: new DigestTable(1024), [NODE]: new DigestTable(64) };
}

function gone(id: ObjectId): ArtError {
  return new ArtError('REUSED_GONE', `object ${formatCid(id)} was removed while it was built on`);
}
