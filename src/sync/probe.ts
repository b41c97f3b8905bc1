/** Is what a check of a bucket works with: names nobody else uses, remembered until they are removed. */
import { isArtError, settleAtMost } from '#base';
import { bytesBody, readAll } from './bucket.ts';
import type { Bucket, ByteRange, Checked, ListOptions, Tag } from './bucket.ts';
import { probePrefixes } from './keys.ts';

export interface Check {
  readonly check: string;
  readonly needed: Checked['needed'];
  /** Gives what is wrong, or undefined. */
  readonly try: (probe: Probe) => Promise<string | undefined>;
}

const BYTES_MAX = 64 * 1024 * 1024;
const DELETES_AT_ONCE = 8;

export class Probe {
  readonly bucket: Bucket;
  readonly signal: AbortSignal | undefined;
  readonly #objects: string;
  readonly #pointers: string;
  readonly #made = new Set<string>();

  constructor(bucket: Bucket, id: string, signal: AbortSignal | undefined) {
    this.bucket = bucket;
    this.signal = signal;
    const { objects, pointers } = probePrefixes(id);
    this.#objects = objects;
    this.#pointers = pointers;
  }

  object(name: string): string {
    return this.#objects + name;
  }

  pointer(name: string): string {
    return this.#pointers + name;
  }

  get options(): { readonly signal?: AbortSignal } {
    return this.signal === undefined ? {} : { signal: this.signal };
  }

  create(key: string, content: string | Uint8Array): Promise<Tag | undefined> {
    this.#made.add(key);
    return this.bucket.putIfAbsent(key, bytesBody(Buffer.from(content)), this.options);
  }

  swap(key: string, content: string, tag: Tag): Promise<Tag | undefined> {
    return this.bucket.putIfTag(key, bytesBody(Buffer.from(content)), tag, this.options);
  }

  async read(key: string, range?: ByteRange): Promise<{ tag: Tag; size: number; bytes: Buffer } | undefined> {
    const got = await this.bucket.get(key, { ...this.options, ...(range && { range }) });
    if (got === undefined) return undefined;
    const bytes = await readAll(got.body, BYTES_MAX);
    return { tag: got.tag, size: got.size, bytes: Buffer.from(bytes ?? []) };
  }

  async text(key: string): Promise<string | undefined> {
    return (await this.read(key))?.bytes.toString();
  }

  async keys(prefix: string, how: Pick<ListOptions, 'after' | 'pageRows'> = {}): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.bucket.list(prefix, { ...this.options, ...how })) keys.push(key);
    return keys;
  }

  /** Runs the writes at once; gives those that won, and whether the outcome of any is not known. */
  async race(
    count: number,
    write: (index: number) => Promise<Tag | undefined>,
  ): Promise<{ readonly winners: readonly number[]; readonly unknown: boolean }> {
    let unknown = false;
    const outcome = async (index: number) => {
      try {
        return (await write(index)) !== undefined;
      } catch (error) {
        if (!isArtError(error, 'REMOTE_UNCERTAIN')) throw error;
        unknown = true;
        return false;
      }
    };
    const settled = await Promise.allSettled(Array.from({ length: count }, (_, index) => outcome(index)));
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
    const winners = settled.flatMap((one, index) => (one.status === 'fulfilled' && one.value ? [index] : []));
    return { winners, unknown };
  }

  /** Removes all that was made, found by name and by list; gives how much could not be. */
  async tidy(signal: AbortSignal): Promise<number> {
    const keys = new Set(this.#made);
    for (const prefix of [this.#objects, this.#pointers]) {
      try {
        for await (const { key } of this.bucket.list(prefix, { signal })) keys.add(key);
      } catch {
        // The names that we remember are enough for what we put.
      }
    }
    const removed = await settleAtMost(DELETES_AT_ONCE, [...keys], (key) =>
      this.bucket.delete(key, { signal }),
    );
    return removed.filter(({ status }) => status === 'rejected').length;
  }
}
