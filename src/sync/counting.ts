/** Counts what a bucket is asked, for buckets that do not count themselves. */
import type {
  Abortable,
  Body,
  Bucket,
  GetOptions,
  Got,
  ListOptions,
  Listed,
  Tag,
  Traffic,
} from './bucket.ts';

/** What a page of a listing holds where pages are counted: S3's number. */
const PAGE_ROWS = 1000;

/** The same bucket with `traffic`; a list counts once for every 1,000 rows read of it. */
export function counting(bucket: Bucket): Bucket & { readonly traffic: Traffic } {
  return bucket.traffic === undefined
    ? new CountingBucket(bucket)
    : (bucket as Bucket & { readonly traffic: Traffic });
}

class CountingBucket implements Bucket {
  readonly inspect?: NonNullable<Bucket['inspect']>;
  readonly #inner: Bucket;
  #requests = 0;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(inner: Bucket) {
    this.#inner = inner;
    if (inner.inspect !== undefined) this.inspect = inner.inspect.bind(inner);
  }

  get url(): string {
    return this.#inner.url;
  }

  get traffic(): Traffic {
    return { requests: this.#requests, bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived };
  }

  async get(key: string, options?: GetOptions): Promise<Got | undefined> {
    this.#requests++;
    const got = await this.#inner.get(key, options);
    return got && { ...got, body: this.#counted(got.body) };
  }

  putIfAbsent(key: string, body: Body, options?: Abortable): Promise<Tag | undefined> {
    return this.#inner.putIfAbsent(key, this.#sent(body), options);
  }

  putIfTag(key: string, body: Body, tag: Tag, options?: Abortable): Promise<Tag | undefined> {
    return this.#inner.putIfTag(key, this.#sent(body), tag, options);
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<Listed, void, undefined> {
    let rows = 0;
    this.#requests++;
    for await (const listed of this.#inner.list(prefix, options)) {
      if (rows > 0 && rows % PAGE_ROWS === 0) this.#requests++;
      rows++;
      yield listed;
    }
  }

  delete(key: string, options?: Abortable & { readonly tag?: Tag }): Promise<boolean> {
    this.#requests++;
    return this.#inner.delete(key, options);
  }

  time(options?: Abortable): Promise<number> {
    this.#requests++;
    return this.#inner.time(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#inner[Symbol.asyncDispose]() as Promise<void>;
  }

  #sent(body: Body): Body {
    this.#requests++;
    this.#bytesSent += body.size;
    return body;
  }

  async *#counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.#bytesReceived += piece.length;
      yield piece;
    }
  }
}
