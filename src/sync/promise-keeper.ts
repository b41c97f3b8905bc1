/** Brings what remotes have promised: finds it in their packs, verifies it and puts it into the store. */
import { throwIfAborted } from '#base';
import { CHUNK } from '#object';
import type { ObjectId } from '#object';
import type { Context, PromiseKeeper, Promiser, RemoteEntry, Spent } from '#repo';
import type { Bucket, Traffic } from './bucket.ts';
import { counting } from './counting.ts';
import { Landing } from './landing.ts';
import { PackIndex } from './pack-index.ts';
import { RemoteReader } from './remote-reader.ts';
import { requireFormat } from './bucket-format.ts';
import { notThePromiser } from './session.ts';
import { windowsOf } from './windows.ts';

/** Content that is read in one go. */
const WINDOW_BYTES = 16 * 1024 * 1024;

interface Met {
  readonly bucket: Bucket;
  readonly index: PackIndex;
  readonly reader: RemoteReader;
}

/** `open` opens a remote's bucket; it is opened once, when something is first asked of it. */
export function promiseKeeper(
  open: (context: Context, remote: RemoteEntry) => Promise<Bucket>,
): PromiseKeeper {
  return new BucketKeeper(open);
}

class BucketKeeper implements PromiseKeeper {
  readonly #openBucket: (context: Context, remote: RemoteEntry) => Promise<Bucket>;
  /** Every bucket that was opened, for what it was asked. */
  readonly #traffic: (Bucket & { readonly traffic: Traffic })[] = [];
  readonly #met = new Map<string, Promise<Met>>();
  #objects = 0;
  #bytes = 0;

  constructor(open: (context: Context, remote: RemoteEntry) => Promise<Bucket>) {
    this.#openBucket = open;
  }

  async fetch(context: Context, from: Promiser, ids: readonly ObjectId[]): Promise<readonly ObjectId[]> {
    const { reader } = await this.#meet(context, from);
    const places = await reader.findPlaces(ids);
    const lost = ids.filter((_, i) => places[i].length === 0);
    const found = ids.flatMap((id, i) =>
      places[i].slice(0, 1).map(({ location }) => ({ id, bytes: location.bytes })),
    );
    for (const window of windowsOf(found, ({ bytes }) => bytes, { bytesMax: WINDOW_BYTES }))
      lost.push(
        ...(await this.#land(
          context,
          reader,
          window.map(({ id }) => id),
        )),
      );
    return lost;
  }

  spent(): Spent {
    let [bytes, requests] = [0, 0];
    for (const { traffic } of this.#traffic) {
      bytes += traffic.bytesReceived;
      requests += traffic.requests;
    }
    return { objects: this.#objects, bytes, requests };
  }

  async absent(context: Context, from: Promiser, ids: readonly ObjectId[]): Promise<readonly ObjectId[]> {
    const { index } = await this.#meet(context, from);
    if (!index.fresh) await index.refresh(); // What is remembered of its packs may be gone.
    const places = await index.places(ids);
    return ids.filter((_, i) => places[i].length === 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const meeting of this.#met.values()) {
      const met = await meeting.catch(() => undefined);
      await met?.bucket[Symbol.asyncDispose]();
    }
    this.#met.clear();
  }

  // What has arrived is kept at once: an interrupted checkout asks for nothing twice.
  async #land(context: Context, reader: RemoteReader, ids: readonly ObjectId[]): Promise<ObjectId[]> {
    throwIfAborted(context.signal);
    await context.store.rest();
    const contents = await reader.findMany(ids);
    const landing = new Landing(context.store, { promised: 'all' });
    const lost: ObjectId[] = [];
    for (const [i, id] of ids.entries()) {
      const bytes = contents[i];
      if (bytes === undefined) {
        lost.push(id);
        continue;
      }
      await landing.put(id.kind, id.digest, bytes);
      this.#objects++;
      this.#bytes += bytes.length;
    }
    await landing.flush();
    if (ids.some(({ kind }) => kind === CHUNK))
      context.onProgress?.({ files: this.#objects, bytes: this.#bytes, what: 'object' });
    return lost;
  }

  #meet(context: Context, { remote, promise }: Promiser): Promise<Met> {
    let meeting = this.#met.get(remote.name);
    if (meeting === undefined) {
      meeting = this.#meetFirst(context, remote, promise.bucket);
      this.#met.set(remote.name, meeting);
      meeting.catch(() => this.#met.delete(remote.name));
    }
    return meeting;
  }

  async #meetFirst(context: Context, remote: RemoteEntry, promised: string): Promise<Met> {
    const { store, signal, onWarning } = context;
    const options = { ...(signal && { signal }), ...(onWarning && { onWarning }) };
    const bucket = counting(await this.#openBucket(context, remote));
    this.#traffic.push(bucket);
    try {
      const { id } = await requireFormat(bucket, { ...options, writing: false });
      if (id !== promised) throw notThePromiser(bucket.url, remote.name);
      const index = new PackIndex(store.cache, bucket, id, options);
      return { bucket, index, reader: new RemoteReader(bucket, index, options) };
    } catch (error) {
      await bucket[Symbol.asyncDispose]();
      throw error;
    }
  }
}
