/** Keeps remotes to what they promised: brings what is missing here, and says whose versions suffer if it is gone. */
import { ArtError, isArtError } from '#base';
import { CHUNK, formatCid } from '#object';
import type { Digest, ObjectId } from '#object';
import type { RecordRow, RecordSource } from '#store';
import { INCOMPLETE_IDS_MAX, decodeIncomplete, decodePromise, encodeIncomplete, promiseKeys } from '#version';
import type { PromiseRecord } from '#version';
import type { Context } from './context.ts';
import { records } from './operation.ts';
import { getRemote, listRemotes } from './remotes.ts';
import type { RemoteEntry } from './remotes.ts';
import { whereNeeded } from './where-needed.ts';

/** A remote that has promised something, and what was noted of it. */
export interface Promiser {
  readonly remote: RemoteEntry;
  readonly promise: PromiseRecord;
}

export interface Spent {
  readonly objects: number;
  /** Bytes that went over the wire. */
  readonly bytes: number;
  readonly requests: number;
}

const NOTHING: Spent = { objects: 0, bytes: 0, requests: 0 };

/** Deals with remotes for a repository; the room that knows buckets makes one. `context.store` is the plain store. */
export interface PromiseKeeper extends AsyncDisposable {
  /**
   * Puts those of `ids` into the store that the remote has, each verified; gives the others. Raises REMOTE_UNREACHABLE and
   * the like if it cannot be asked.
   */
  fetch(context: Context, from: Promiser, ids: readonly ObjectId[]): Promise<readonly ObjectId[]>;
  /** What was brought so far, and what that cost. */
  spent(): Spent;
  /** Which of `ids` no pack names that the remote lists. */
  absent(context: Context, from: Promiser, ids: readonly ObjectId[]): Promise<readonly ObjectId[]>;
}

const NAMED_MAX = 3;

export class Promises implements AsyncDisposable {
  readonly #context: Context;
  readonly #keeper: PromiseKeeper | undefined;
  #bringing: Promise<unknown> = Promise.resolve();

  /** `context.store` is the store on disk alone. */
  constructor(context: Context, keeper: PromiseKeeper | undefined) {
    this.#context = context;
    this.#keeper = keeper;
  }

  /** Who has promised anything, of the remotes there still are. Raises REMOTE_NOT_FOUND if that is none of those who have. */
  async promisers(): Promise<Promiser[]> {
    const rows = await allRecords(this.#context.store, promiseKeys.all);
    const known = new Set(listRemotes(this.#context).map(({ name }) => name));
    const there = rows.filter(({ key }) => known.has(promiseKeys.remoteOf(key)));
    return (there.length > 0 ? there : rows).map(({ key, value }) => ({
      remote: getRemote(this.#context, promiseKeys.remoteOf(key)),
      promise: decodePromise(value),
    }));
  }

  /** What was brought since the repository was opened, and what that cost. */
  spent(): Spent {
    return this.#keeper?.spent() ?? NOTHING;
  }

  /** Brings `ids` from whoever promised them; false if nobody did. Raises PROMISE_BROKEN, and what asking a remote raises. */
  async bring(ids: readonly ObjectId[]): Promise<boolean> {
    const before = this.#bringing;
    let done = () => {};
    this.#bringing = new Promise<void>((resolve) => (done = resolve));
    await before;
    try {
      return await this.#bring(ids);
    } finally {
      done();
    }
  }

  /** Raises PROMISE_BROKEN for those of `ids` that are neither here nor at whoever promised them. */
  async check(ids: readonly ObjectId[]): Promise<void> {
    const keeper = this.#keeper;
    const absent = await this.#context.store.missing(ids);
    if (keeper === undefined || absent.length === 0) return;
    await this.#ask(absent, (from, left) => keeper.absent(this.#context, from, left));
  }

  /** Tries to bring what was found to be lost; versions that lack nothing of it any more are whole again. */
  async mend(): Promise<void> {
    const { store, onWarning } = this.#context;
    for (const { key, value } of await allRecords(store, promiseKeys.incomplete)) {
      try {
        await this.bring(decodeIncomplete(value).lost);
        await this.#setRecords([{ key, value: undefined }]);
      } catch (error) {
        if (!isArtError(error, 'PROMISE_BROKEN')) throw error;
        onWarning?.(error.message);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#keeper?.[Symbol.asyncDispose]();
  }

  async #bring(ids: readonly ObjectId[]): Promise<boolean> {
    const { store } = this.#context;
    const keeper = this.#keeper;
    const absent = await store.missing(ids);
    if (absent.length === 0) return true;
    if (keeper === undefined) return false;
    return this.#ask(absent, (from, left) => keeper.fetch(this.#context, from, left));
  }

  async #ask(
    ids: readonly ObjectId[],
    ask: (from: Promiser, ids: readonly ObjectId[]) => Promise<readonly ObjectId[]>,
  ): Promise<boolean> {
    const promisers = await this.promisers();
    if (promisers.length === 0) return false;
    await this.#context.store.rest();
    let left = ids;
    for (const from of promisers) if (left.length > 0) left = await ask(from, left);
    if (left.length === 0) return true;
    const broken = await this.#broken(promisers, left);
    if (broken === undefined) return false;
    throw broken;
  }

  /** Marks the versions that need `lost`, and says which they are; what no version needs was never promised. */
  async #broken(promisers: readonly Promiser[], lost: readonly ObjectId[]): Promise<ArtError | undefined> {
    const { store } = this.#context;
    const needed = await whereNeeded(store, lost);
    const versions = new Map<string, Digest>();
    const paths = new Set<string>();
    for (const one of needed) {
      for (const [name, commit] of one.versions) versions.set(name, commit);
      for (const path of one.paths) paths.add(path);
    }
    if (versions.size === 0) return undefined;
    const remote = promisers.map((one) => one.remote.name).join(' and ');
    const value = encodeIncomplete({ remote, lost: lost.slice(0, INCOMPLETE_IDS_MAX) });
    await this.#setRecords(
      [...versions.values()].map((commit) => ({ key: promiseKeys.incompleteOf(commit), value })),
    );
    const urls = promisers.map((one) => JSON.stringify(one.remote.url)).join(' and ');
    const what = lost.length === 1 ? `object ${formatCid(lost[0])}` : `${lost.length} objects`;
    const whose = ` of ${named([...versions.keys()])}`;
    const where = paths.size === 0 ? '' : ` (${named([...paths].map((path) => JSON.stringify(path)))})`;
    return new ArtError(
      'PROMISE_BROKEN',
      `${remote} promised ${what}${whose}${where}, and ${urls} does not have ${lost.length === 1 ? 'it' : 'them'} whole`,
    );
  }

  async #setRecords(
    records: readonly { readonly key: string; readonly value: Uint8Array | undefined }[],
  ): Promise<void> {
    if (records.length === 0) return;
    await using tx = await this.#context.store.begin();
    await tx.publish(async (locked) => {
      for (const { key, value } of records) locked.setRecord(key, value);
    });
  }
}

/** Whether any remote has promised anything. */
export async function promisedAnything(source: RecordSource): Promise<boolean> {
  return (await source.listRecords(promiseKeys.all, { limit: 1 })).length > 0;
}

/** What a remote had promised and was found not to have, and is still not here. */
export async function lostPromises({
  disk,
}: {
  readonly disk: Context['store'];
}): Promise<{ readonly id: ObjectId; readonly problem: string }[]> {
  const found = new Map<string, { readonly id: ObjectId; readonly problem: string }>();
  for (const { value } of await allRecords(disk, promiseKeys.incomplete)) {
    const { remote, lost } = decodeIncomplete(value);
    for (const id of await disk.missing(lost)) {
      const cid = formatCid(id);
      const kind = id.kind === CHUNK ? 'chunk' : 'node';
      found.set(cid, {
        id,
        problem: `the ${kind} ${cid} is not here, and ${remote}, which promised it, lost it`,
      });
    }
  }
  return [...found.values()];
}

/** Every record whose key begins with `prefix`, for the few there are. */
export async function allRecords(source: RecordSource, prefix: string): Promise<RecordRow[]> {
  const rows: RecordRow[] = [];
  for await (const row of records(source, prefix)) rows.push(row);
  return rows;
}

function named(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
