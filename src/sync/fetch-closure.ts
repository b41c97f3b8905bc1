/** Fetches what states keep alive and the store lacks: depth first, so that children land before their parents. */
import { DigestTable } from '#base';
import { CHUNK, NODE, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import { nextTurn, throwIfAborted } from '#base';
import { visitHistoryLinks } from './history-links.ts';
import type { Landing } from './landing.ts';
import { ReadRooms } from './read-rooms.ts';
import type { Place } from './pack-index.ts';
import { IN_FRAME } from './remote-reader.ts';
import type { RemoteReader } from './remote-reader.ts';
import { windowsOf } from './windows.ts';

/** Siblings that are opened together. */
const NODES_AT_ONCE = 64;
/** Content that is read in one go: what is in memory beside what waits to land. */
const WINDOW = { bytesMax: 8 * 1024 * 1024, itemsMax: 2048 };
/** Chunks that are looked up in one go: nodes may name hundreds of thousands of them, and each place is an object. */
const LOOKED_UP_MAX = 2048;

export interface FetchOptions {
  /** Only states, versions and commits: what is below commits stays where it is. */
  readonly lazy?: boolean;
  readonly signal?: AbortSignal;
  readonly onFetched?: (objects: number, bytes: number) => void;
}

/** All below `roots` that is missing, and the roots themselves. Raises REMOTE_CORRUPT, OBJECT_INVALID, REUSED_GONE. */
export async function fetchClosure(
  reader: RemoteReader,
  landing: Landing,
  roots: readonly Digest[],
  options: FetchOptions = {},
): Promise<void> {
  await new ClosureFetch(reader, landing, options).nodes(roots);
  await landing.flush();
}

class ClosureFetch {
  readonly #reader: RemoteReader;
  readonly #landing: Landing;
  readonly #options: FetchOptions;
  readonly #rooms = new ReadRooms();

  constructor(reader: RemoteReader, landing: Landing, options: FetchOptions) {
    this.#reader = reader;
    this.#landing = landing;
    this.#options = options;
  }

  async nodes(digests: readonly Digest[]): Promise<void> {
    for (let i = 0; i < digests.length; i += NODES_AT_ONCE) {
      const ids = digests.slice(i, i + NODES_AT_ONCE).map((digest) => ({ kind: NODE, digest }) as const);
      // An earlier sibling may have brought it.
      const missing = await this.#landing.missing(ids);
      if (missing.length > 0) await this.#siblings(missing);
    }
  }

  async #siblings(ids: readonly ObjectId[]): Promise<void> {
    throwIfAborted(this.#options.signal);
    const contents = await this.#reader.getMany(ids);
    this.#tell(contents.map(({ length }) => length));
    const links = { [CHUNK]: new DigestTable(256), [NODE]: new DigestTable(64) };
    const visitLinks = this.#options.lazy === true ? visitHistoryLinks : visitStrongLinks;
    for (const bytes of contents) visitLinks(bytes, (kind, digest) => void links[kind].add(digest));
    for (const digests of windowsOf(links[CHUNK], () => 1, { bytesMax: LOOKED_UP_MAX }))
      await this.#chunks(digests);
    await this.nodes([...links[NODE]]);
    for (const [i, { digest }] of ids.entries()) await this.#landing.put(NODE, digest, contents[i]);
    await nextTurn();
  }

  /** One window is read while the one before it lands. */
  async #chunks(digests: readonly Digest[]): Promise<void> {
    const ids = digests.map((digest) => ({ kind: CHUNK, digest }) as const);
    const missing = await this.#landing.missing(ids);
    const places = await this.#reader.places(missing);
    let landing = Promise.resolve();
    try {
      const together = (a: number, b: number) => isOneFrame(places[a][0], places[b][0]);
      const bytesOf = (at: number) => places[at][0].location.bytes;
      for (const window of windowsOf(missing.keys(), bytesOf, { ...WINDOW, together })) {
        throwIfAborted(this.#options.signal);
        const ids = window.map((at) => missing[at]);
        const { memory, giveBack } = this.#rooms.lend();
        const at = window.map((at) => places[at]);
        const read = await this.#reader.fetchAt(ids, at, memory);
        this.#tell(at.map(([{ location }]) => location.bytes));
        await landing;
        landing = this.#land(ids, read).then(() => this.#landing.whenLanded(giveBack));
        landing.catch(() => {}); // Raised where it is waited for.
      }
    } finally {
      await landing;
    }
  }

  async #land(
    ids: readonly ObjectId[],
    { contents, frames }: Awaited<ReturnType<RemoteReader['fetchAt']>>,
  ): Promise<void> {
    for (const frame of frames) await this.#landing.putFrame(frame);
    for (const [i, { digest }] of ids.entries())
      if (contents[i] !== IN_FRAME) await this.#landing.put(CHUNK, digest, contents[i]);
  }

  #tell(lengths: readonly number[]): void {
    this.#options.onFetched?.(
      lengths.length,
      lengths.reduce((sum, length) => sum + length, 0),
    );
  }
}

/** Whether both lie in one frame. Any number of frames of no stored bytes can be said to begin where that one does. */
function isOneFrame({ pack, location: { offset, storedBytes } }: Place, other: Place): boolean {
  const { location } = other;
  return (
    pack === other.pack &&
    offset === location.offset &&
    storedBytes === location.storedBytes &&
    storedBytes > 0
  );
}
