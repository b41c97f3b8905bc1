/** Checks a store from LevelDB's own files up to what every root keeps alive (the work of fsck). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DigestTable, crc32c, equalBytes, isArtError, nextTurn, throwIfAborted, toHex } from '#base';
import { CHUNK, NODE, formatCid, hash } from '#object';
import type { Digest, ObjectId, ObjectKind } from '#object';
import type { Roots } from './object-store.ts';
import { walkClosure } from './closure.ts';
import type { Promised } from './closure.ts';
import { loadCompression } from './compression.ts';
import type { Database } from './database.ts';
import { checkLevelFiles } from './level-check.ts';
import type { LevelStore } from './level-store.ts';
import { decodeLocation, locationOf, samePlace } from './location.ts';
import type { Location } from './location.ts';
import { OwnerLock } from './owner-lock.ts';
import { listPacks, walkPack } from './pack-files.ts';
import type { PackFile, PackWalk } from './pack-files.ts';
import { isRowOf } from './pack-index.ts';
import type { Row } from './pack-format.ts';
import { batches, objectsIn } from './pack-rows.ts';
import { RECORD_RANGE, SNAPSHOT_END, objectKey, objectRange, openRecord } from './records.ts';
import { replayJournals } from './replay.ts';
import { pagesOf } from './table.ts';

export interface CheckOptions {
  readonly roots: Roots;
  /** Absent: nothing is promised, and whatever is absent is damage. */
  readonly promised?: Promised;
  /** Read every object, not only the nodes. */
  readonly deep?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly step: 'files' | 'packs' | 'rows' | 'closure';
    readonly objects: number;
  }) => void;
}

export interface DamagedObject extends ObjectId {
  readonly why: string;
}

export interface Checked {
  /** What is wrong, in words; empty if all is well. */
  readonly problems: readonly string[];
  /** What a root keeps alive and cannot be read, at most DAMAGED_MAX of it. */
  readonly damaged: readonly DamagedObject[];
  /** Whether the database could be opened, and so more than its files be looked at. */
  readonly opened: boolean;
  /** Objects looked at. */
  readonly checked: number;
  /** Objects that are named, not here, and promised by a remote; what only those name is not known. */
  readonly promised: number;
  /** Whether `rebuildDatabase` (with `deep` if something is damaged) can be expected to bring everything back. */
  readonly healable: boolean;
}

export const DAMAGED_MAX = 10_000;
const PROBLEMS_MAX = 1000;

/** Checks everything and changes nothing. The store must not be in use in this process. Raises LOCKED, INTERRUPTED. */
export async function checkStore(store: LevelStore, options: CheckOptions): Promise<Checked> {
  await loadCompression();
  return new Check(store, options).run();
}

class Check {
  readonly #store: LevelStore;
  readonly #database: Database;
  readonly #folder: string;
  readonly #options: CheckOptions;
  readonly #problems: string[] = [];
  readonly #damaged = new Map<string, DamagedObject>();
  /** Rows of LevelDB that were found in the pack that they name, by pack. */
  readonly #found = new Map<number, number>();
  #checked = 0;
  readonly #promised = new DigestTable(1);

  constructor(store: LevelStore, options: CheckOptions) {
    this.#store = store;
    this.#database = store.database;
    this.#folder = join(store.art, 'packs');
    this.#options = options;
  }

  async run(): Promise<Checked> {
    const levelProblems = await this.#checkFiles();
    for (const problem of levelProblems) this.#problem(problem);
    if (levelProblems.length > 0 || !(await this.#opens())) {
      // Opening what is damaged could make it worse: all that can be told is whether the packs can replace it, or it them.
      const healable = this.#packsAreWhole() || levelProblems.length === 0;
      return this.#result({ opened: false, healable });
    }
    return this.#database.use(async () => {
      await this.#checkPacks();
      await this.#checkRows();
      await this.#checkRecords();
      await this.#checkClosure();
      return this.#result({ opened: true, healable: this.#damaged.size === 0 || this.#copiesExist() });
    });
  }

  async #checkFiles(): Promise<string[]> {
    await this.#store.rest();
    const lock = new OwnerLock(join(this.#store.art, 'lock'));
    try {
      await lock.acquire();
      return await checkLevelFiles(join(this.#store.art, 'objects'), () => this.#turn());
    } finally {
      lock.close();
    }
  }

  async #opens(): Promise<boolean> {
    try {
      await this.#database.use(() => {});
      return true;
    } catch (error) {
      if (!isArtError(error) || error.exit !== 4) throw error;
      this.#problem(error.message);
      return false;
    }
  }

  #packsAreWhole(): boolean {
    const files = existsSync(this.#folder) ? listPacks(this.#folder) : [];
    let whole = files.some(({ journal }) => journal);
    if (!whole) this.#problem(`${this.#folder} has no journal`);
    for (const file of files) {
      for (const problem of problemsOf(file, walkPack(file.path), files, undefined)) {
        whole = false;
        this.#problem(problem);
      }
    }
    return whole;
  }

  // Every file that was walked; every row of it that LevelDB says is here.
  async #checkPacks(): Promise<void> {
    const files = listPacks(this.#folder);
    for (const file of files) {
      this.#store.packReader.forget(file.number);
      const walk = walkOf(file);
      if (walk === undefined) continue; // gc has taken it meanwhile.
      const { journal, journalEnd } = this.#database.meta;
      const endMin = file.number === journal ? journalEnd : undefined;
      for (const problem of problemsOf(file, walk, files, endMin)) this.#problem(problem);
      for (const { rows } of walk.segments) {
        for (const batch of batches(objectsIn(rows))) await this.#checkBatch(file, batch);
      }
    }
  }

  async #checkBatch(file: PackFile, rows: readonly Row[]): Promise<void> {
    const { table } = this.#database;
    const here = rows.map((row) => {
      const value = table.getSync(objectKey(row.kind as ObjectKind, row.digest as Digest));
      const location = value && placeOf(value);
      return location && samePlace(location, locationOf(file.number, row)) ? location : undefined;
    });
    const count = here.filter((location) => location !== undefined).length;
    this.#found.set(file.number, (this.#found.get(file.number) ?? 0) + count);
    if (this.#options.deep === true) {
      const ids = rows.map(({ kind, digest }) => ({ kind, digest }) as ObjectId);
      const contents = this.#store.packReader.readWhole(
        ids,
        rows.map((row) => locationOf(file.number, row)),
      );
      ids.forEach((id, i) => {
        const inline = here[i]?.inline;
        if (inline !== undefined && !equalBytes(hash(inline), id.digest))
          this.#damage(id, 'has other bytes in the database');
        if (contents[i] !== undefined || !existsSync(file.path)) return;
        if (here[i] !== undefined) this.#damage(id, `is damaged in ${file.path}`);
        else this.#problem(`${file.path}: a copy of object ${formatCid(id)} that is not in use is damaged`);
      });
    }
    this.#checked += rows.length;
    await this.#pause('packs');
  }

  // A row is well if its pack has it; only if a pack's rows do not add up is each of them looked for.
  async #checkRows(): Promise<void> {
    const named = new Map<number, number>();
    await this.#eachRow((id, location) => {
      if (location === undefined) this.#damage(id, 'has a damaged row in the database');
      else named.set(location.pack, (named.get(location.pack) ?? 0) + 1);
    });
    const suspects = new Set(
      [...named].filter(([pack, count]) => count !== (this.#found.get(pack) ?? 0)).map(([pack]) => pack),
    );
    if (suspects.size === 0) return;
    for (const pack of suspects) {
      const file = listPacks(this.#folder).find(({ number }) => number === pack);
      const places = new Set(
        file &&
          walkOf(file)?.segments.flatMap(({ rows }) =>
            rows.map((row) => placeText(row.digest, locationOf(pack, row))),
          ),
      );
      await this.#eachRow((id, location) => {
        if (location?.pack !== pack || places.has(placeText(id.digest, location))) return;
        const why =
          file === undefined
            ? `is said to be in pack ${pack}, which is gone`
            : `is not in ${file.path}, where it is said to be`;
        if (location.inline === undefined) this.#damage(id, why);
        else this.#problem(`object ${formatCid(id)} ${why}; only the database has it`);
      });
    }
  }

  async #eachRow(visit: (id: ObjectId, location: Location | undefined) => void): Promise<void> {
    for (const kind of [CHUNK, NODE] as const) {
      for await (const page of pagesOf(this.#database, objectRange(kind))) {
        for (const [key, value] of page) visit({ kind, digest: key.subarray(1) }, placeOf(value));
        await this.#pause('rows');
      }
    }
  }

  // Both ways, by checksum; nobody is let in meanwhile, or the two would differ.
  async #checkRecords(): Promise<void> {
    const replayed = new Map<string, number>();
    const problems = replayJournals(this.#folder, this.#store.packReader, (changes) => {
      for (const [key, value] of changes) {
        if (key === SNAPSHOT_END) continue;
        if (value === undefined) replayed.delete(key);
        else replayed.set(key, crc32c(value));
      }
    });
    for (const problem of problems) if (!this.#problems.includes(problem)) this.#problem(problem);
    for await (const page of pagesOf(this.#database, RECORD_RANGE)) {
      for (const [bytes, sealed] of page) {
        const key = Buffer.from(bytes).toString('utf8', 1);
        const crc = replayed.get(key);
        replayed.delete(key);
        try {
          const value = openRecord(key, sealed);
          if (crc === undefined)
            this.#problem(`the record "${key}" is in the database and not in the journals`);
          else if (crc !== crc32c(value)) this.#problem(`the record "${key}" is not what the journals say`);
        } catch (error) {
          if (!isArtError(error)) throw error;
          this.#problem(error.message);
        }
      }
    }
    for (const key of replayed.keys())
      this.#problem(`the record "${key}" is in the journals and not in the database`);
  }

  async #checkClosure(): Promise<void> {
    const reached = new DigestTable();
    const promised = (await this.#options.promised?.(this.#store)) === true;
    const visitor = {
      enter: (digest: Digest) => reached.add(digest),
      chunk: (digest: Digest) => {
        if (this.#database.table.getSync(objectKey(CHUNK, digest)) !== undefined) return;
        if (promised) this.#promised.add(digest);
        else this.#damage({ kind: CHUNK, digest }, 'is not in the store');
      },
      broken: (id: ObjectId, why: string, { promisable }: { readonly promisable: boolean }) => {
        if (promised && promisable) this.#promised.add(id.digest);
        else this.#damage(id, why);
      },
      pause: () => this.#pause('closure'),
    };
    try {
      await walkClosure(this.#database, this.#store.packReader, this.#options.roots(this.#store), visitor);
    } catch (error) {
      if (!isArtError(error) || error.exit === 130) throw error;
      this.#problem(`not every root could be found: ${error.message}`);
    }
    this.#checked += reached.size;
  }

  /** Whether each damaged object has an intact copy in LevelDB or some pack. */
  #copiesExist(): boolean {
    const wanted = new Map(this.#damaged);
    const { packReader } = this.#store;
    for (const [name, id] of wanted) {
      const value = this.#tableValue(id);
      const location = value && placeOf(value);
      if (location?.inline !== undefined && packReader.readWhole([id], [location])[0] !== undefined)
        wanted.delete(name);
    }
    for (const file of listPacks(this.#folder)) {
      if (wanted.size === 0) return true;
      const rows = walkOf(file)?.segments.flatMap(({ rows: all }) => objectsIn(all)) ?? [];
      for (const row of rows) {
        const id = row as unknown as ObjectId;
        const name = formatCid(id);
        const damaged = wanted.get(name);
        if (damaged === undefined || !isRowOf(row, damaged)) continue;
        if (packReader.readWhole([id], [locationOf(file.number, row)])[0] !== undefined) wanted.delete(name);
      }
    }
    return wanted.size === 0;
  }

  #tableValue({ kind, digest }: ObjectId): Uint8Array | undefined {
    return this.#database.table.getSync(objectKey(kind, digest));
  }

  #problem(problem: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem);
  }

  #damage(id: ObjectId, why: string): void {
    const name = formatCid(id);
    if (this.#damaged.has(name)) return;
    this.#problem(`object ${name} ${why}`);
    if (this.#damaged.size < DAMAGED_MAX)
      this.#damaged.set(name, { kind: id.kind, digest: Buffer.from(id.digest), why });
  }

  #result({ opened, healable }: Pick<Checked, 'opened' | 'healable'>): Checked {
    return {
      problems: this.#problems,
      damaged: [...this.#damaged.values()],
      opened,
      checked: this.#checked,
      promised: this.#promised.size,
      healable,
    };
  }

  async #pause(step: 'packs' | 'rows' | 'closure'): Promise<void> {
    throwIfAborted(this.#options.signal);
    this.#options.onProgress?.({ step, objects: this.#checked });
    await (this.#database.breathe() ?? nextTurn());
  }

  async #turn(): Promise<void> {
    throwIfAborted(this.#options.signal);
    this.#options.onProgress?.({ step: 'files', objects: 0 });
    await nextTurn();
  }
}

/** Problems of a file; the last journal may end with a write that was cut short, beyond what LevelDB has seen. */
function problemsOf(
  file: PackFile,
  walk: PackWalk,
  files: readonly PackFile[],
  endMin: number | undefined,
): readonly string[] {
  const last = files.findLast(({ journal }) => journal) === file;
  if (last && walk.wholeToEnd && (endMin === undefined || walk.end >= endMin)) return [];
  return walk.problems;
}

function walkOf(file: PackFile): PackWalk | undefined {
  try {
    return walkPack(file.path);
  } catch (error) {
    if (isArtError(error, 'PATH_NOT_FOUND')) return undefined;
    throw error;
  }
}

function placeOf(value: Uint8Array): Location | undefined {
  try {
    return decodeLocation(value);
  } catch (error) {
    if (!isArtError(error)) throw error;
    return undefined;
  }
}

function placeText(digest: Digest, { offset, inFrame, bytes }: Location): string {
  return `${offset}:${inFrame}:${bytes}:${toHex(digest)}`;
}
