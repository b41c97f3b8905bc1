/** Counts what a bucket is asked for, and the bytes that go there and come from there. */
import type { Abortable, Body, Bucket, ByteRange, Got, Listed, Tag } from './bucket.ts';

/** Stores give so many names an answer. */
const NAMES_A_REQUEST = 1000;

export class CountingBucket implements Bucket {
  readonly url: string;
  requests = 0;
  bytesSent = 0;
  bytesReceived = 0;
  readonly #inner: Bucket;

  constructor(inner: Bucket) {
    this.#inner = inner;
    this.url = inner.url;
  }

  async get(key: string, options?: Abortable & { readonly range?: ByteRange }): Promise<Got | undefined> {
    this.requests++;
    const got = await this.#inner.get(key, options);
    return got && { ...got, body: this.#received(got.body) };
  }

  putIfAbsent(key: string, body: Body, options?: Abortable): Promise<Tag | undefined> {
    this.requests++;
    return this.#inner.putIfAbsent(key, this.#sent(body), options);
  }

  putIfTag(key: string, body: Body, tag: Tag, options?: Abortable): Promise<Tag | undefined> {
    this.requests++;
    return this.#inner.putIfTag(key, this.#sent(body), tag, options);
  }

  async *list(
    prefix: string,
    options?: Abortable & { readonly after?: string },
  ): AsyncGenerator<Listed, void, undefined> {
    this.requests++;
    let names = 0;
    for await (const listed of this.#inner.list(prefix, options)) {
      if (names > 0 && names % NAMES_A_REQUEST === 0) this.requests++;
      names++;
      yield listed;
    }
  }

  delete(key: string, options?: Abortable & { readonly tag?: Tag }): Promise<boolean> {
    this.requests++;
    return this.#inner.delete(key, options);
  }

  time(options?: Abortable): Promise<number> {
    this.requests++;
    return this.#inner.time(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }

  #sent(body: Body): Body {
    const count = (bytes: number) => (this.bytesSent += bytes);
    return {
      size: body.size,
      async *open(range) {
        for await (const piece of body.open(range)) {
          count(piece.length);
          yield piece;
        }
      },
    };
  }

  async *#received(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of body) {
      this.bytesReceived += piece.length;
      yield piece;
    }
  }
}
