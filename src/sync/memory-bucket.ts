/** Keeps a bucket in memory: the shortest thing that keeps every promise, for tests and models. */
import { assert, compareUtf8, throwIfAborted, toHex } from '#base';
import { hash } from '#object';
import { bytesBody, isKey, isPointerKey, readAll } from './bucket.ts';
import type { Abortable, Body, Bucket, ByteRange, Got, Listed, Tag } from './bucket.ts';

interface Kept {
  readonly bytes: Uint8Array;
  readonly tag: Tag;
  readonly modified: number;
}

export class MemoryBucket implements Bucket {
  readonly url: string;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  #tags = 0;

  constructor(options: { readonly url?: string; readonly now?: () => number } = {}) {
    this.url = options.url ?? 'memory:';
    this.#now = options.now ?? Date.now;
  }

  async get(
    key: string,
    { range, signal }: Abortable & { readonly range?: ByteRange } = {},
  ): Promise<Got | undefined> {
    throwIfAborted(signal);
    const kept = this.#kept.get(checked(key));
    if (kept === undefined) return undefined;
    return { tag: kept.tag, size: kept.bytes.length, body: bytesBody(kept.bytes).open(range) };
  }

  async putIfAbsent(key: string, body: Body, options: Abortable = {}): Promise<Tag | undefined> {
    const bytes = await bytesOf(body, options);
    return this.#kept.has(checked(key)) ? undefined : this.#set(key, bytes);
  }

  async putIfTag(key: string, body: Body, tag: Tag, options: Abortable = {}): Promise<Tag | undefined> {
    assert(isPointerKey(key), 'only pointers change');
    const bytes = await bytesOf(body, options);
    return this.#kept.get(checked(key))?.tag === tag ? this.#set(key, bytes) : undefined;
  }

  async *list(
    prefix: string,
    { after = '', signal }: Abortable & { readonly after?: string } = {},
  ): AsyncGenerator<Listed, void, undefined> {
    const keys = [...this.#kept.keys()].filter(
      (key) => key.startsWith(prefix) && compareUtf8(key, after) > 0,
    );
    for (const key of keys.sort(compareUtf8)) {
      throwIfAborted(signal);
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      yield { key, tag: kept.tag, size: kept.bytes.length, modified: kept.modified };
    }
  }

  async delete(key: string, { tag, signal }: Abortable & { readonly tag?: Tag } = {}): Promise<boolean> {
    throwIfAborted(signal);
    const kept = this.#kept.get(checked(key));
    if (kept === undefined || (tag !== undefined && kept.tag !== tag)) return false;
    return this.#kept.delete(key);
  }

  async time(): Promise<number> {
    return this.#now();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #set(key: string, bytes: Uint8Array): Tag {
    // With what it is made of: another bucket that counts as far has other values.
    const tag = `${++this.#tags}-${toHex(hash(bytes).subarray(0, 8))}`;
    this.#kept.set(key, { bytes, tag, modified: this.#now() });
    return tag;
  }
}

function checked(key: string): string {
  assert(isKey(key), `not a key: ${JSON.stringify(key)}`);
  return key;
}

async function bytesOf(body: Body, { signal }: Abortable): Promise<Uint8Array> {
  const bytes = await readAll(body.open(), body.size);
  throwIfAborted(signal);
  assert(bytes?.length === body.size, 'a body has the size it says');
  return bytes;
}
