/** Removes what nothing names any more, beside whoever else is at work (local gc). */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  ArtError,
  BloomFilter,
  DigestTable,
  formatBytes,
  formatCount,
  nextTurn,
  syncFolder,
  throwIfAborted,
} from '#base';
import { CHUNK, NODE, formatCid } from '#object';
import type { Digest, ObjectId, ObjectKind } from '#object';
import { childrenFirst } from './children-first.ts';
import { walkClosure } from './closure.ts';
import type { ClosureVisitor, Promised } from './closure.ts';
import { loadCompression } from './compression.ts';
import type { Database } from './database.ts';
import type { LevelStore } from './level-store.ts';
import { decodeLocation } from './location.ts';
import type { Roots } from './object-store.ts';
import { listPacks } from './pack-files.ts';
import type { PackFile } from './pack-files.ts';
import { FRAME_BYTES, HEADER_BYTES, PACK_ALIGNMENT, ROW_BYTES } from './pack-format.ts';
import { RECORD_RANGE, objectKey, objectRange } from './records.ts';
import type { Meta } from './records.ts';
import { Repacker, beginJournal } from './repack.ts';
import { UNHEARD_DAYS, reapSessions, sparedPacks, unseenProcesses } from './sessions.ts';
import { findSpare } from './spare.ts';
import type { Elsewhere } from './spare.ts';
import { sparedIds } from './spared.ts';
import { pagesOf } from './table.ts';

export interface CollectOptions {
  readonly roots: Roots;
  /** Absent: nothing is promised, and whatever is absent is damage. */
  readonly promised?: Promised;
  /** Lets chunks go that roots need. */
  readonly elsewhere?: Elsewhere;
  /** Only say what would go. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CollectProgress) => void;
}

export interface CollectProgress {
  /** `mark` and `sweep` come often; the others after each durable step. */
  readonly step: 'mark' | 'sweep' | 'removed' | 'unlinked' | 'journal' | 'copied' | 'named' | 'moved';
  readonly objects: number;
}

export interface Collected {
  readonly objectsRemoved: number;
  readonly objectsKept: number;
  /** Bytes of packs and journals; an estimate for a dry run. */
  readonly freedBytes: number;
  readonly keptBytes: number;
  readonly packsRemoved: number;
  readonly packsRewritten: number;
  /** Unfinished packs of dead processes and stray files. */
  readonly strayFiles: number;
  /** Why something that could go stays, in words. */
  readonly reasons: readonly string[];
}

/** A slice removes at most this many rows: a synced batch of this size takes a few milliseconds. */
const SLICE_ROWS = 2000;
const BLOOM_BYTES_MAX = 64 * 1024 * 1024;
const BLOOM_BITS_A_CHUNK = 16;
/** A pack with a smaller share of live bytes is rewritten. */
const LIVE_SHARE_MIN = 0.5;
/** Journals are only begun anew if at least this much goes. */
const JOURNAL_DEAD_MIN = 1024 * 1024;
/** Packs have some bytes beside their objects: less than this is not worth a word. */
const EXPLAINED_BYTES_MIN = 1024 * 1024;
const STRAY_MS = 24 * 60 * 60 * 1000;

/**
 * Removes objects that no root names, then packs without live objects; rewrites packs that are mostly dead. Others may
 * read and write meanwhile: what they publish is marked before anything more is removed, and what they rely on without
 * having published makes their `publish` raise REUSED_GONE if it went. Killed at any moment, it leaves every root whole.
 * Raises OBJECT_NOT_FOUND if something below a root is missing or damaged: then nothing is removed.
 */
export async function collect(store: LevelStore, options: CollectOptions): Promise<Collected> {
  await loadCompression();
  return new Collection(store, options).run();
}

interface Usage {
  rows: number;
  liveBytes: number;
}

class Collection {
  readonly #store: LevelStore;
  readonly #database: Database;
  readonly #options: CollectOptions;
  readonly #nodes = new DigestTable();
  #chunks = new BloomFilter(4096);
  /** What `#nodes` and `#chunks` are complete for. */
  #marked: Meta | undefined;
  /** Chunks that are elsewhere for certain, and what was published when that was found. */
  #spare: { readonly chunks: DigestTable; readonly meta: Meta } | undefined;
  readonly #sparedPacks = new Set<number>();
  readonly #reasons: string[] = [];
  #removed = 0;

  constructor(store: LevelStore, options: CollectOptions) {
    this.#store = store;
    this.#database = store.database;
    this.#options = options;
  }

  async run(): Promise<Collected> {
    const dryRun = this.#options.dryRun === true;
    const tmp = join(this.#store.art, 'tmp');
    const strayFiles = dryRun ? 0 : reapSessions(tmp) + reapStrays(tmp);
    for (const { pid, host } of unseenProcesses(tmp)) {
      this.#reasons.push(
        `what process ${pid} on ${host} is writing stays until it ends or writes nothing for ${formatCount(UNHEARD_DAYS, 'day')}`,
      );
    }
    const before = this.#packBytes();
    return this.#database.use(async () => {
      await this.#findSpare();
      await this.#mark();
      if (dryRun) return this.#forecast(before);
      await this.#removeNodes();
      await this.#removeChunks();
      const { packsRemoved, packsRewritten, kept } = await this.#clearPacks();
      const keptBytes = this.#packBytes();
      return {
        objectsRemoved: this.#removed,
        objectsKept: kept,
        freedBytes: Math.max(0, before - keptBytes),
        keptBytes,
        packsRemoved,
        packsRewritten,
        strayFiles,
        reasons: this.#reasons,
      };
    });
  }

  #isLive(kind: ObjectKind, digest: Digest): boolean {
    return kind === NODE ? this.#nodes.has(digest) : this.#chunks.has(digest);
  }

  #visitor(options: {
    readonly tolerant: boolean;
    readonly promised: boolean;
    readonly mayRest: boolean;
  }): ClosureVisitor {
    return {
      enter: (digest) => this.#nodes.add(digest),
      chunk: (digest) => {
        if (this.#spare?.chunks.has(digest) !== true) this.#chunks.add(digest);
      },
      broken: (id, why, { promisable }) => {
        if (options.tolerant || (options.promised && promisable)) return;
        throw new ArtError('OBJECT_NOT_FOUND', `nothing was removed: object ${formatCid(id)} ${why}`);
      },
      pause: () => {
        this.#progress('mark', this.#nodes.size);
        return options.mayRest ? this.#pause() : undefined;
      },
    };
  }

  async #findSpare(): Promise<void> {
    const { elsewhere, roots, promised } = this.#options;
    if (elsewhere === undefined) return;
    const { meta } = this.#database;
    const mayLack = (await promised?.(this.#store)) === true;
    const { chunks, isAll } = await findSpare(this.#store, {
      elsewhere,
      roots,
      needed: await this.#newChunkFilter(),
      visitor: this.#visitor({ tolerant: false, promised: mayLack, mayRest: true }),
      pause: () => this.#pause(),
    });
    if (!isAll) this.#reasons.push('there is more that is elsewhere: run it again');
    this.#spare = { chunks, meta };
  }

  async #newChunkFilter(): Promise<BloomFilter> {
    let chunks = 0;
    for await (const page of pagesOf(this.#database, objectRange(CHUNK))) {
      chunks += page.length;
      await this.#pause();
    }
    let bytes = 4096;
    while (bytes < BLOOM_BYTES_MAX && bytes * 8 < chunks * 1.25 * BLOOM_BITS_A_CHUNK) bytes *= 2;
    return new BloomFilter(bytes);
  }

  async #mark(): Promise<void> {
    this.#chunks = await this.#newChunkFilter();
    const { meta } = this.#database;
    await this.#markAll({ mayRest: true });
    this.#marked = meta;
  }

  async #markAll(options: { readonly mayRest: boolean }): Promise<void> {
    const { database, packReader } = this.#store;
    const promised = (await this.#options.promised?.(this.#store)) === true;
    if (this.#spare !== undefined && hasMoved(this.#spare.meta, database.meta)) {
      // What was published may need any of it.
      this.#spare = undefined;
      this.#reasons.push('what is elsewhere stays, as something was written meanwhile: run it again');
    }
    for (const ids of sparedIds(this.#store.art, this.#sparedPacks)) {
      const nodes = [];
      for (const { kind, digest } of ids) {
        if (kind === NODE) nodes.push(digest);
        else this.#chunks.add(digest);
      }
      // What such a node names may be gone if its session is to begin again.
      await walkClosure(database, packReader, nodes, this.#visitor({ tolerant: true, promised, ...options }));
    }
    await walkClosure(
      database,
      packReader,
      this.#options.roots(this.#store),
      this.#visitor({ tolerant: false, promised, ...options }),
    );
  }

  /** Under the lock: marks what was published since the last look, as often as something was. */
  async #catchUp(): Promise<void> {
    while (this.#marked === undefined || hasMoved(this.#marked, this.#database.meta)) {
      const { meta } = this.#database;
      await this.#markAll({ mayRest: false });
      this.#marked = meta;
    }
  }

  // Parents before their children, all nodes before chunks: whatever is found in between still has all below it.
  async #removeNodes(): Promise<void> {
    const dead = new DigestTable();
    for await (const page of pagesOf(this.#database, objectRange(NODE))) {
      for (const [key] of page) if (!this.#nodes.has(key.subarray(1))) dead.add(key.subarray(1));
      await this.#pause();
    }
    const order = await childrenFirst(this.#database, this.#store.packReader, dead, () => this.#pause());
    for (let end = order.length; end > 0; end -= SLICE_ROWS) {
      const slice = order.slice(Math.max(0, end - SLICE_ROWS), end).reverse();
      await this.#remove(slice.map((digest) => ({ kind: NODE, digest })));
    }
  }

  async #removeChunks(): Promise<void> {
    for await (const page of pagesOf(this.#database, objectRange(CHUNK))) {
      const dead = page.filter(([key]) => !this.#chunks.has(key.subarray(1)));
      if (dead.length > 0)
        await this.#remove(dead.map(([key]) => ({ kind: CHUNK, digest: key.subarray(1) })));
      await this.#pause();
    }
  }

  async #remove(ids: readonly ObjectId[]): Promise<void> {
    await this.#store.exclusively(async () => {
      await this.#catchUp();
      const dead = ids.filter(({ kind, digest }) => !this.#isLive(kind, digest));
      if (dead.length === 0) return;
      const { meta } = this.#database;
      const removals = dead.map(
        ({ kind, digest }) => ({ type: 'del', key: objectKey(kind, digest) }) as const,
      );
      await this.#database.write([this.#database.setMeta({ ...meta, epoch: meta.epoch + 1 }), ...removals]);
      this.#removed += dead.length;
    });
    this.#progress('removed', this.#removed);
    await this.#pause();
  }

  async #clearPacks(): Promise<{ packsRemoved: number; packsRewritten: number; kept: number }> {
    const { files, usage, kept } = await this.#survey(() => true);
    let packsRemoved = 0;
    const rewritten: PackFile[] = [];
    for (const file of files) {
      if (file.journal) continue;
      const { rows, liveBytes } = usage.get(file.number) ?? { rows: 0, liveBytes: 0 };
      if (rows === 0) {
        this.#unlink(file);
        packsRemoved++;
      } else if (liveBytes < LIVE_SHARE_MIN * bytesOf(file)) rewritten.push(file);
    }
    if (packsRemoved > 0) {
      syncFolder(join(this.#store.art, 'packs'));
      this.#progress('unlinked', packsRemoved);
    }
    const journals = this.#deadJournals(files, usage, await this.#recordBytes());
    if (journals.length > 0) {
      await beginJournal(this.#store);
      this.#progress('journal', 0);
      rewritten.push(...journals);
    }
    const packsRewritten = await this.#rewrite(rewritten, usage);
    this.#explainRest(
      files.filter((file) => usage.has(file.number) && !rewritten.includes(file)),
      usage,
    );
    return { packsRemoved, packsRewritten, kept };
  }

  // Journals hold records as well: those are written anew, all of them, so it must be worth it.
  #deadJournals(
    files: readonly PackFile[],
    usage: ReadonlyMap<number, Usage>,
    recordBytes: number,
  ): PackFile[] {
    const journals = files.filter(
      (file) => file.journal && (usage.get(file.number)?.liveBytes ?? 0) < LIVE_SHARE_MIN * bytesOf(file),
    );
    const dead = journals.reduce(
      (sum, file) => sum + bytesOf(file) - (usage.get(file.number)?.liveBytes ?? 0),
      0,
    );
    return dead >= Math.max(JOURNAL_DEAD_MIN, 2 * recordBytes) ? journals : [];
  }

  async #rewrite(files: readonly PackFile[], usage: ReadonlyMap<number, Usage>): Promise<number> {
    if (files.length === 0) return 0;
    const { signal } = this.#options;
    await using repacker = new Repacker(this.#store, {
      ...(signal && { signal }),
      onStep: (step) => this.#progress(step, 0),
    });
    const whole: PackFile[] = [];
    for (const file of files) {
      const unreadable = repacker.unreadable.length;
      const copied = await repacker.copyPack(file);
      if (repacker.unreadable.length > unreadable)
        this.#reasons.push(`${file.path} stays: some of its objects are damaged`);
      else if (copied !== (usage.get(file.number)?.rows ?? 0))
        this.#reasons.push(`${file.path} stays: it changed meanwhile`);
      else whole.push(file);
    }
    await repacker.publish();
    for (const file of whole) this.#unlink(file);
    syncFolder(join(this.#store.art, 'packs'));
    this.#progress('unlinked', whole.length);
    return whole.length;
  }

  #unlink(file: PackFile): void {
    this.#store.packReader.forget(file.number);
    rmSync(file.path, { force: true });
  }

  /** How much of each pack is named by rows; packs that somebody is still publishing are left out. */
  async #survey(counts: (kind: ObjectKind, digest: Digest) => boolean) {
    const { nextPack } = this.#database.meta;
    const spared = sparedPacks(join(this.#store.art, 'tmp'));
    const files = listPacks(join(this.#store.art, 'packs')).filter(
      ({ number }) => number < nextPack && !spared.has(number),
    );
    const usage = new Map<number, Usage>();
    let kept = 0;
    let rest = 0;
    for (const kind of [CHUNK, NODE] as const) {
      for await (const page of pagesOf(this.#database, objectRange(kind))) {
        for (const [key, value] of page) {
          if (!counts(kind, key.subarray(1))) {
            rest++;
            continue;
          }
          kept++;
          const { pack, storedBytes, rawBytes, bytes } = decodeLocation(value);
          let used = usage.get(pack);
          if (used === undefined)
            usage.set(pack, (used = { rows: 0, liveBytes: HEADER_BYTES + PACK_ALIGNMENT }));
          used.rows++;
          used.liveBytes += ROW_BYTES + FRAME_BYTES + (rawBytes === 0 ? 0 : (storedBytes * bytes) / rawBytes);
        }
        this.#progress('sweep', kept);
        await this.#pause();
      }
    }
    return { files, usage, kept, rest };
  }

  async #forecast(packBytes: number): Promise<Collected> {
    const { files, usage, kept, rest } = await this.#survey((kind, digest) => this.#isLive(kind, digest));
    const packs = files.filter(({ journal }) => !journal);
    const empty = packs.filter(({ number }) => !usage.has(number));
    const sparse = packs.filter(
      (file) => usage.has(file.number) && usage.get(file.number)!.liveBytes < LIVE_SHARE_MIN * bytesOf(file),
    );
    sparse.push(...this.#deadJournals(files, usage, await this.#recordBytes()));
    const gone = [...empty, ...sparse];
    const freedBytes = deadBytesOf(gone, usage);
    this.#explainRest(
      files.filter((file) => !gone.includes(file)),
      usage,
    );
    return {
      objectsRemoved: rest,
      objectsKept: kept,
      freedBytes,
      keptBytes: packBytes - freedBytes,
      packsRemoved: empty.length,
      packsRewritten: sparse.length,
      strayFiles: 0,
      reasons: this.#reasons,
    };
  }

  #explainRest(files: readonly PackFile[], usage: ReadonlyMap<number, Usage>): void {
    const bytes = deadBytesOf(
      files.filter(({ journal }) => !journal),
      usage,
    );
    if (bytes < EXPLAINED_BYTES_MIN) return;
    this.#reasons.push(
      `${formatBytes(bytes)} that nothing needs lies among what is needed: a pack is written anew once less than half of it is`,
    );
  }

  async #recordBytes(): Promise<number> {
    let bytes = 0;
    for await (const page of pagesOf(this.#database, RECORD_RANGE)) {
      for (const [key, value] of page) bytes += key.length + value.length;
      await this.#pause();
    }
    return bytes;
  }

  #packBytes(): number {
    return listPacks(join(this.#store.art, 'packs')).reduce((sum, file) => sum + bytesOf(file), 0);
  }

  async #pause(): Promise<void> {
    throwIfAborted(this.#options.signal);
    await (this.#database.breathe() ?? nextTurn());
  }

  #progress(step: CollectProgress['step'], objects: number): void {
    this.#options.onProgress?.({ step, objects });
  }
}

function hasMoved(a: Meta, b: Meta): boolean {
  return a.journal !== b.journal || a.journalEnd !== b.journalEnd || a.nextPack !== b.nextPack;
}

function deadBytesOf(files: readonly PackFile[], usage: ReadonlyMap<number, Usage>): number {
  const dead = (file: PackFile) => Math.max(0, bytesOf(file) - (usage.get(file.number)?.liveBytes ?? 0));
  return Math.round(files.reduce((sum, file) => sum + dead(file), 0));
}

function bytesOf({ path }: PackFile): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

// What nobody has touched for a day belongs to nobody.
function reapStrays(tmp: string): number {
  let reaped = 0;
  for (const name of readdirSync(tmp)) {
    if (/^session-|^[0-9a-f]{16}-\d+\.pack$/.test(name)) continue;
    const path = join(tmp, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (changed === undefined || Date.now() - changed < STRAY_MS) continue;
    rmSync(path, { recursive: true, force: true });
    reaped++;
  }
  return reaped;
}
