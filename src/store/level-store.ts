/** The store on disk: objects in packs, found through LevelDB, small records beside them. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArtError, equalBytes, fileError, makeFolders } from '#base';
import { NODE, formatCid, hash } from '#object';
import type { Digest, ObjectId } from '#object';
import { LevelCache } from './cache.ts';
import { CODEC_NONE, loadCompression } from './compression.ts';
import { Database } from './database.ts';
import { JOURNAL_START, createJournal } from './journal.ts';
import { LevelTransaction } from './level-transaction.ts';
import { decodeLocation, isInline } from './location.ts';
import type { Location } from './location.ts';
import type {
  ObjectStore,
  ReadMemory,
  RecordRow,
  Roots,
  StoredReader,
  StoredRun,
  Transaction,
  WalkWatch,
} from './object-store.ts';
import { bytesOnlyBelow } from './only-below.ts';
import { OwnerLock } from './owner-lock.ts';
import { listPacks, packName } from './pack-files.ts';
import { Given, PackGone, PackReader } from './pack-reader.ts';
import { META_KEY, OBJECT_KEY_BYTES, encodeMeta, objectKey } from './records.ts';
import { runsOf } from './stored-runs.ts';
import { openTable } from './table.ts';
import type { Unpublished } from './unpublished.ts';

/**
 * Makes the folders, the first journal and the database of a new store in `art` (a `.art` folder that exists). What a
 * killed one has left is made anew; a store that ever held something stays as it is. Raises LOCKED.
 */
export async function createStore(art: string): Promise<void> {
  try {
    for (const folder of ['packs', 'tmp', 'lock']) makeFolders(join(art, folder));
  } catch (error) {
    throw fileError(error, art);
  }
  const lock = new OwnerLock(join(art, 'lock'));
  try {
    await lock.acquire();
    if (!hasHeld(join(art, 'packs'))) await createDatabase(art);
  } finally {
    lock.close();
  }
}

async function createDatabase(art: string): Promise<void> {
  const objects = join(art, 'objects');
  const journal = join(art, 'packs', packName(1, 'journal'));
  for (const begun of [objects, journal]) rmSync(begun, { recursive: true, force: true });
  createJournal(journal);
  const table = openTable(objects, { create: true });
  await table.open();
  try {
    const meta = { journal: 1, journalEnd: JOURNAL_START, nextPack: 2, epoch: 0 };
    await table.put(META_KEY, encodeMeta(meta), { sync: true });
  } finally {
    await table.close();
  }
}

function hasHeld(packs: string): boolean {
  return listPacks(packs).some(({ path, journal }) => !journal || statSync(path).size > JOURNAL_START);
}

export class LevelStore implements ObjectStore {
  readonly art: string;
  readonly database: Database;
  readonly packReader: PackReader;
  readonly cache: LevelCache;
  /** Published and empty, to be filled by the next transaction: 10 to 35 MB each that would else be taken anew each time. */
  readonly spares: Unpublished[] = [];
  #publishing: Promise<unknown> = Promise.resolve();

  /**
   * Nothing is opened before it is needed. `art` is the `.art` folder; `waitMsMax` is how long to wait for whoever has
   * the database open, before LOCKED is raised.
   */
  constructor(art: string, { waitMsMax }: { readonly waitMsMax?: number } = {}) {
    this.art = art;
    this.packReader = new PackReader(join(art, 'packs'));
    this.database = new Database(art, this.packReader, waitMsMax);
    this.cache = new LevelCache(this.database);
  }

  async missing(ids: readonly ObjectId[]): Promise<ObjectId[]> {
    const absent: ObjectId[] = [];
    await this.database.use(async () => {
      for (let i = 0; i < ids.length; i += 1000) {
        const page = ids.slice(i, i + 1000);
        const found = await this.database.table.hasMany(
          page.map(({ kind, digest }) => objectKey(kind, digest)),
        );
        absent.push(...page.filter((_, j) => !found[j]));
      }
    });
    return absent;
  }

  /** How long each of `ids` is, undefined where it is absent. Reads no content. Keep one call to ~1,000 ids. */
  async lengths(ids: readonly ObjectId[]): Promise<(number | undefined)[]> {
    return this.database.use(() =>
      ids.map(({ kind, digest }) => {
        const value = this.database.table.getSync(objectKey(kind, digest));
        return value && decodeLocation(value).bytes;
      }),
    );
  }

  reader(): StoredReader {
    const begun = new Map<ObjectId, Location>();
    const given = new Given();
    return {
      getMany: async (ids, memory) => (await this.#read(ids, given, memory)).contents,
      runs: (ids) => this.#runs(ids, begun, given),
    };
  }

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    const ids = digests.map((digest) => ({ kind: NODE, digest }) as const);
    const given = new Given();
    const { locations, contents } = await this.#read(ids, given);
    // What stands in a row of the database is nobody else's; what was read from a pack is a view.
    const nodes = contents.map((bytes, i) => locations[i].inline ?? Buffer.from(bytes));
    given.release();
    return nodes;
  }

  async getRecord(key: string): Promise<Uint8Array | undefined> {
    return this.database.use(() => this.database.getRecord(key));
  }

  async listRecords(
    prefix: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<RecordRow[]> {
    return this.database.use(() => this.database.listRecords(prefix, page));
  }

  async epoch(): Promise<number> {
    return this.database.use(() => this.database.meta.epoch);
  }

  bytesOnlyBelow(nodes: readonly Digest[], kept: Roots, watched?: WalkWatch): Promise<number> {
    return bytesOnlyBelow(this, nodes, kept, watched);
  }

  async rest(): Promise<void> {
    await this.database.rest();
  }

  async begin(): Promise<Transaction> {
    await loadCompression();
    await this.database.pin();
    return new LevelTransaction(this);
  }

  /** Runs one publishing at a time in this process; others are kept out by the database being open here. */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#publishing;
    let done = () => {};
    this.#publishing = new Promise<void>((resolve) => (done = resolve));
    await before;
    try {
      return await work();
    } finally {
      done();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database.close();
    this.packReader.close();
  }

  /** `begun`: where those are that were left open last, which are asked for again; replaced by those that are now. */
  async #runs(
    asked: readonly ObjectId[],
    begun: Map<ObjectId, Location>,
    given: Given,
  ): Promise<StoredRun[]> {
    const locations = await this.#locate(asked, { known: begun, inline: false });
    begun.clear();
    await loadCompression();
    return runsOf(locations).map(({ at, what }) => {
      const ids = at.map((i) => asked[i]);
      const places = at.map((i) => locations[i]);
      const open = what === 'beginning';
      if (open) for (const i of at) begun.set(asked[i], locations[i]);
      const read = async (memory: ReadMemory) => {
        const frame = what === 'frame' ? this.packReader.readFrame(ids, places, memory) : undefined;
        if (frame !== undefined) return { frame };
        const known = standAlone(ids, places) ? places : undefined;
        const { contents } = await this.#read(ids, given, memory, known);
        return { contents };
      };
      return { ids, open, read };
    });
  }

  /** `known`: where they were a moment ago. */
  async #read(
    ids: readonly ObjectId[],
    given: Given,
    memory?: ReadMemory,
    known?: readonly Location[],
  ): Promise<{ readonly locations: readonly Location[]; readonly contents: Uint8Array[] }> {
    for (let attempt = 0; ; attempt++) {
      const locations = attempt === 0 && known !== undefined ? known : await this.#locate(ids);
      if (locations.some(({ codec, inline }) => codec !== 0 && inline === undefined)) await loadCompression();
      let contents: Uint8Array[];
      try {
        contents = this.packReader.read(locations, given, memory);
      } catch (error) {
        // gc may have moved what we looked for between the look-up and the read.
        if (!(error instanceof PackGone)) throw named(error, ids);
        if (attempt === 2)
          throw new ArtError('PACK_CORRUPT', `${error.message} but the database still names it`);
        continue;
      }
      ids.forEach((id, i) => verify(id, contents[i]));
      return { locations, contents };
    }
  }

  /** Without `inline` nothing is kept of what rows hold beside places: of thousands of tiny objects that is much. */
  async #locate(
    ids: readonly ObjectId[],
    {
      known,
      inline = true,
    }: { readonly known?: ReadonlyMap<ObjectId, Location>; readonly inline?: boolean } = {},
  ): Promise<Location[]> {
    return this.database.use(() => {
      const { table } = this.database;
      const key = Buffer.allocUnsafe(OBJECT_KEY_BYTES);
      return ids.map((id) => {
        const place = known?.get(id);
        if (place !== undefined) return place;
        const value = table.getSync(objectKey(id.kind, id.digest, key));
        if (value === undefined)
          throw new ArtError('OBJECT_NOT_FOUND', `object ${formatCid(id)} is not in the store`);
        try {
          const location = decodeLocation(value);
          return inline ? location : { ...location, inline: undefined };
        } catch (cause) {
          throw new ArtError('STORE_DAMAGED', `the database's row for object ${formatCid(id)} is damaged`, {
            cause,
          });
        }
      });
    });
  }
}

/** Whether these are read from their places and nowhere else. */
function standAlone(ids: readonly ObjectId[], locations: readonly Location[]): boolean {
  return locations.every(
    ({ codec, bytes }, i) => codec === CODEC_NONE && !isInline({ kind: ids[i].kind, bytes }),
  );
}

function verify(id: ObjectId, bytes: Uint8Array): void {
  if (equalBytes(hash(bytes), id.digest)) return;
  throw new ArtError('OBJECT_CORRUPT', `object ${formatCid(id)} does not have the bytes of its name`);
}

function named(error: unknown, ids: readonly ObjectId[]): unknown {
  if (!(error instanceof ArtError) || error.code !== 'PACK_CORRUPT') return error;
  return new ArtError('OBJECT_CORRUPT', `${error.message} (read for ${formatCid(ids[0])})`, { cause: error });
}
