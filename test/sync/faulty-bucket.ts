/** A bucket that fails, lies, is slow, forgets conditions, lists late and delivers twice, as a seed says. */
import { setTimeout as wait } from 'node:timers/promises';
import { ArtError } from '#base';
import { bytesBody, readAll } from '#sync';
import type { Abortable, Body, Bucket, ByteRange, Got, Listed, Tag } from '#sync';

export type Method = 'get' | 'putIfAbsent' | 'putIfTag' | 'list' | 'delete' | 'time';

/** Chances are from 0 to 1, for each call. */
export interface Faults {
  /** Nothing is done, and it is told so. */
  readonly fail?: number;
  /** Exactly the call of this number, from 1, fails so. */
  readonly failAt?: number;
  /** It is done, but the reply is lost: REMOTE_UNCERTAIN for a conditional write. */
  readonly loseReply?: number;
  /** One byte of what is read is another. */
  readonly flip?: number;
  /** What is read ends early, without a word. */
  readonly truncate?: number;
  /** What is read breaks off with an error. */
  readonly breakOff?: number;
  /** Every call waits, at most so long. */
  readonly slowMs?: number;
  /** Writes are carried out whatever their condition. */
  readonly forgetConditions?: boolean;
  /** A list shows a change only after so many further calls. */
  readonly listLate?: number;
  /** A write is delivered once more, some calls later. */
  readonly duplicate?: number;
  /** Only calls of keys for which this holds are faulty. */
  readonly where?: (method: Method, key: string) => boolean;
}

const BYTES_MAX = 64 * 1024 * 1024;

export class FaultyBucket implements Bucket {
  /** May be replaced at any time: a store that was good turns bad, and good again. */
  faults: Faults;
  /** How many calls there were. */
  calls = 0;
  /** Awaited before each call: for tests that hold one up. */
  before: ((method: Method, key: string) => Promise<void> | void) | undefined;
  readonly #inner: Bucket;
  readonly #random: () => number;
  readonly #late = new Map<string, { readonly since: number; readonly old: Listed | undefined }>();
  #again: { readonly at: number; readonly deliver: () => Promise<unknown> }[] = [];

  constructor(inner: Bucket, seed: number, faults: Faults = {}) {
    this.#inner = inner;
    this.#random = randomFrom(seed);
    this.faults = faults;
  }

  get url(): string {
    return this.#inner.url;
  }

  async get(key: string, options: Abortable & { readonly range?: ByteRange } = {}): Promise<Got | undefined> {
    const faulty = await this.#begin('get', key);
    const got = await this.#inner.get(key, options);
    if (got === undefined || !faulty) return got;
    return { ...got, body: this.#read(got.body) };
  }

  async putIfAbsent(key: string, body: Body, options: Abortable = {}): Promise<Tag | undefined> {
    return this.#write('putIfAbsent', key, body, options, (bytes) =>
      this.#inner.putIfAbsent(key, bytes, options),
    );
  }

  async putIfTag(key: string, body: Body, tag: Tag, options: Abortable = {}): Promise<Tag | undefined> {
    return this.#write('putIfTag', key, body, options, (bytes) =>
      this.#inner.putIfTag(key, bytes, tag, options),
    );
  }

  async *list(prefix: string, options: Abortable & { readonly after?: string } = {}): AsyncGenerator<Listed> {
    await this.#begin('list', prefix);
    for await (const listed of this.#inner.list(prefix, options)) {
      const late = this.#late.get(listed.key);
      if (late === undefined || this.calls - late.since > (this.faults.listLate ?? 0)) yield listed;
      else if (late.old !== undefined) yield late.old;
    }
  }

  async delete(key: string, options: Abortable & { readonly tag?: Tag } = {}): Promise<boolean> {
    const faulty = await this.#begin('delete', key);
    const { tag: _, ...unconditional } = options;
    const done = await this.#inner.delete(key, this.faults.forgetConditions ? unconditional : options);
    if (faulty && this.#chance(this.faults.loseReply)) throw lost(`removing ${key}`);
    return done;
  }

  async time(options: Abortable = {}): Promise<number> {
    await this.#begin('time', '');
    return this.#inner.time(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  async #write(
    method: Method,
    key: string,
    body: Body,
    options: Abortable,
    put: (body: Body) => Promise<Tag | undefined>,
  ): Promise<Tag | undefined> {
    const faulty = await this.#begin(method, key);
    const old = (this.faults.listLate ?? 0) > 0 ? await this.#listed(key) : undefined;
    let tag = await put(body);
    if (tag === undefined && this.faults.forgetConditions === true) {
      await this.#inner.delete(key, options);
      tag = await this.#inner.putIfAbsent(key, body, options);
    }
    if (tag !== undefined) this.#late.set(key, { since: this.calls, old });
    if (faulty && this.#chance(this.faults.duplicate)) {
      const bytes = bytesBody((await readAll(body.open(), BYTES_MAX)) ?? new Uint8Array(0));
      const at = this.calls + Math.ceil(this.#random() * 5);
      this.#again.push({ at, deliver: () => put(bytes) });
    }
    if (faulty && this.#chance(this.faults.loseReply)) {
      throw new ArtError('REMOTE_UNCERTAIN', `it is not known whether ${key} was written (a fault)`);
    }
    return tag;
  }

  /** Counts the call, is slow, delivers what is due again, and fails if it is to; tells whether it may be faulty. */
  async #begin(method: Method, key: string): Promise<boolean> {
    const call = ++this.calls;
    await this.before?.(method, key);
    if (this.faults.slowMs !== undefined) await wait(this.#random() * this.faults.slowMs);
    const due = this.#again.filter(({ at }) => at <= call);
    this.#again = this.#again.filter(({ at }) => at > call);
    for (const { deliver } of due) await deliver();
    const faulty = this.faults.where?.(method, key) ?? true;
    if (faulty && (this.faults.failAt === call || this.#chance(this.faults.fail)))
      throw lost(`${method} ${key}`);
    return faulty;
  }

  async *#read(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const flip = this.#chance(this.faults.flip);
    const truncate = this.#chance(this.faults.truncate);
    const breakOff = this.#chance(this.faults.breakOff);
    if (!flip && !truncate && !breakOff) return yield* pieces;
    const bytes = Buffer.from((await readAll(pieces, BYTES_MAX)) ?? new Uint8Array(0));
    const at = Math.floor(this.#random() * bytes.length);
    if (flip && bytes.length > 0) bytes[at] ^= 1 << Math.floor(this.#random() * 8);
    yield* bytesBody(truncate || breakOff ? bytes.subarray(0, at) : bytes).open();
    if (breakOff) throw new ArtError('REMOTE_FAILED', 'the answer broke off (a fault)');
  }

  async #listed(key: string): Promise<Listed | undefined> {
    for await (const listed of this.#inner.list(key)) if (listed.key === key) return listed;
    return undefined;
  }

  #chance(of: number | undefined): boolean {
    return of !== undefined && of > 0 && this.#random() < of;
  }
}

function lost(doing: string): ArtError {
  return new ArtError('REMOTE_UNREACHABLE', `no answer, ${doing} (a fault)`);
}

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
