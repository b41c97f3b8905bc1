/** Keeps a bucket in an S3-compatible store: AWS, MinIO, R2, Ceph and their like. */
import { ArtError, assert, throwIfAborted } from '#base';
import { bytesBody, isKey, isPointerKey, readAll } from './bucket.ts';
import type {
  Abortable,
  Body,
  Bucket,
  ByteRange,
  Checked,
  Got,
  ListOptions,
  Listed,
  Tag,
  Traffic,
} from './bucket.ts';
import { HttpFailure } from './http-client.ts';
import { S3Client } from './s3-client.ts';
import type { S3ClientOptions, S3Request } from './s3-client.ts';
import { strangerError } from './s3-errors.ts';
import { listPages } from './s3-list.ts';
import type { S3Place } from './s3-place.ts';
import { Uploader, isLost, tagOf } from './s3-upload.ts';
import type { Written } from './s3-upload.ts';

const HELD_BYTES_MAX = 1024 * 1024;
const BREAKS_MAX = 5;

export class S3Bucket implements Bucket {
  readonly url: string;
  readonly #place: S3Place;
  readonly #client: S3Client;
  readonly #uploader: Uploader;
  /** How this store wants a tag in If-Match: Ceph 16 takes it only without the quotes that the standard demands. */
  #quotes: 'yes' | 'no' | 'unknown' = 'unknown';

  constructor(place: S3Place, options: S3ClientOptions) {
    this.url = `s3://${place.bucket}/${place.prefix}`.replace(/\/$/, '');
    this.#place = place;
    this.#client = new S3Client(place, options);
    this.#uploader = new Uploader(this.#client);
  }

  get traffic(): Traffic {
    return this.#client.http.traffic;
  }

  async get(
    key: string,
    { range, signal }: Abortable & { readonly range?: ByteRange } = {},
  ): Promise<Got | undefined> {
    checked(key);
    const opened = await this.#open(key, range, signal);
    if (opened === undefined) return undefined;
    const { tag, size, length } = opened;
    const body = this.#steady(key, opened, signal);
    if (length > HELD_BYTES_MAX) return { tag, size, body };
    // Taken whole: what the caller does not read holds no connection.
    const bytes = await readAll(body, HELD_BYTES_MAX);
    return { tag, size, body: bytesBody(bytes ?? new Uint8Array(0)).open() };
  }

  async putIfAbsent(key: string, body: Body, { signal }: Abortable = {}): Promise<Tag | undefined> {
    checked(key);
    const written = await this.#uploader.put({ key, body, condition: { 'if-none-match': '*' }, signal });
    return this.#tagWritten(key, written, signal);
  }

  async putIfTag(key: string, body: Body, tag: Tag, { signal }: Abortable = {}): Promise<Tag | undefined> {
    assert(isPointerKey(checked(key)), 'only pointers change');
    const written = await this.#ifMatch(key, tag, signal, {
      send: (etag) => this.#uploader.put({ key, body, condition: { 'if-match': etag }, signal }),
      lost: (result) => result === 'lost',
    });
    return this.#tagWritten(key, written, signal);
  }

  async *list(
    prefix: string,
    { after = '', pageRows = 1000, signal }: ListOptions = {},
  ): AsyncGenerator<Listed, void, undefined> {
    yield* listPages(this.#client, { base: this.#place.prefix, prefix, after, pageRows, signal });
  }

  async delete(key: string, { tag, signal }: Abortable & { readonly tag?: Tag } = {}): Promise<boolean> {
    const found = await this.#head(checked(key), signal);
    if (found === undefined || (tag !== undefined && found.tag !== tag)) return false;
    if (tag === undefined) return this.#remove(key, {}, signal);
    return this.#ifMatch(key, tag, signal, {
      send: (etag) => this.#remove(key, { 'if-match': etag }, signal),
      lost: (removed) => !removed,
    });
  }

  async time({ signal }: Abortable = {}): Promise<number> {
    // Any answer tells the time, a refusal too.
    const answer = await this.#client.call({
      method: 'HEAD',
      signal,
      doing: 'asking the time',
      accept: () => true,
    });
    const date = Date.parse(answer.headers.date ?? '');
    if (Number.isNaN(date)) throw strangerError(this.#client.attempt('asking the time'), answer.status);
    return date;
  }

  async inspect({ signal }: Abortable = {}): Promise<readonly Checked[]> {
    const doing = 'asking whether old versions are kept';
    const asked: S3Request = { method: 'GET', query: { versioning: '' }, signal, doing, accept: () => true };
    const { root } = await this.#client.document(asked, 'VersioningConfiguration');
    const told = (ok: boolean, detail: string): readonly Checked[] => [
      { check: 'versioning', ok, detail, needed: 'advice' },
    ];
    if (root === undefined) return told(true, 'the store does not say whether it keeps old versions');
    if (root.text('Status') !== 'Enabled') return told(true, 'no old versions are kept');
    return told(
      false,
      'old versions are kept: a delete frees nothing until a lifecycle rule expires noncurrent versions',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
  }

  async #open(key: string, range: ByteRange | undefined, signal?: AbortSignal): Promise<Opened | undefined> {
    throwIfAborted(signal);
    if (range?.length === 0) return this.#openNothing(key, 0, signal);
    const bytes = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
    const answer = await this.#client.call({
      method: 'GET',
      key,
      signal,
      stream: true,
      ...(bytes !== undefined && { headers: { range: bytes } }),
      doing: `reading ${key}`,
      accept: ({ status, code }) => status === 416 || (status === 404 && code === 'NoSuchKey'),
    });
    if (answer.refusal?.status === 404) return undefined;
    if (answer.refusal?.status === 416) return this.#openNothing(key, range?.offset ?? 0, signal);
    const tag = tagOf(answer.headers.etag);
    const total = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers['content-range'] ?? '');
    const ranged = answer.status === 206;
    const size = Number(ranged ? total?.[2] : answer.headers['content-length']);
    const offset = range?.offset ?? 0;
    if (tag === undefined || !Number.isSafeInteger(size) || (ranged && Number(total?.[1]) !== offset)) {
      throw strangerError(this.#client.attempt(`reading ${key}`), answer.status);
    }
    const length = Math.max(0, Math.min(range?.length ?? size, size - offset));
    // Some stores answer a range with the whole object.
    const body = ranged || range === undefined ? answer.body : cut(answer.body, offset, length);
    return { tag, size, offset, length, body };
  }

  async #openNothing(key: string, offset: number, signal?: AbortSignal): Promise<Opened | undefined> {
    const found = await this.#head(key, signal);
    return found && { ...found, offset, length: 0, body: bytesBody(new Uint8Array(0)).open() };
  }

  /** The bytes of `opened`, asked for again from where they broke off. */
  async *#steady(key: string, opened: Opened, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const { tag, offset, length } = opened;
    let { body } = opened;
    for (let done = 0, breaks = 0; ;) {
      try {
        for await (const piece of body) {
          done += piece.length;
          if (done > length)
            throw new ArtError('REMOTE_FAILED', `reading ${key}: more came than was asked for`);
          yield piece;
          breaks = 0;
        }
        if (done === length) return;
      } catch (error) {
        if (!(error instanceof HttpFailure)) throw error;
      }
      if (++breaks > BREAKS_MAX)
        throw new ArtError('REMOTE_FAILED', `reading ${key}: it breaks off again and again`);
      const again = await this.#open(key, { offset: offset + done, length: length - done }, signal);
      if (again?.tag !== tag) throw new ArtError('REMOTE_FAILED', `${key} changed while it was read`);
      ({ body } = again);
    }
  }

  async #head(
    key: string,
    signal?: AbortSignal,
  ): Promise<{ readonly tag: Tag; readonly size: number } | undefined> {
    const doing = `looking for ${key}`;
    const accept = ({ status }: { readonly status: number }) => status === 404;
    const answer = await this.#client.call({ method: 'HEAD', key, signal, doing, accept });
    if (answer.refusal !== undefined) return undefined;
    const tag = tagOf(answer.headers.etag);
    const size = Number(answer.headers['content-length']);
    if (tag === undefined || !Number.isSafeInteger(size))
      throw strangerError(this.#client.attempt(doing), answer.status);
    return { tag, size };
  }

  async #remove(
    key: string,
    condition: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const answer = await this.#client.call({
      method: 'DELETE',
      key,
      headers: condition,
      signal,
      doing: `removing ${key}`,
      accept: (refusal) => isLost(refusal) || refusal.status === 404 || refusal.status === 501,
    });
    // The tag was looked at a moment ago; this store cannot look again.
    if (answer.refusal?.status === 501 && 'if-match' in condition) return this.#remove(key, {}, signal);
    // Not there any more after a try without an answer: that try has removed it.
    return answer.refusal === undefined || answer.doubt;
  }

  /** Sends a request on condition of `tag`, written as this store wants it. */
  async #ifMatch<T>(
    key: string,
    tag: Tag,
    signal: AbortSignal | undefined,
    { send, lost }: { readonly send: (etag: string) => Promise<T>; readonly lost: (result: T) => boolean },
  ): Promise<T> {
    const result = await send(this.#quotes === 'no' ? tag : `"${tag}"`);
    if (!lost(result)) {
      if (this.#quotes === 'unknown') this.#quotes = 'yes';
      return result;
    }
    // A store that minds the quotes refuses the very tag that the object has.
    if (this.#quotes !== 'unknown' || (await this.#head(key, signal))?.tag !== tag) return result;
    const bare = await send(tag);
    if (!lost(bare)) this.#quotes = 'no';
    return bare;
  }

  async #tagWritten(key: string, written: Written, signal?: AbortSignal): Promise<Tag | undefined> {
    if (written === 'lost') return undefined;
    if (written.tag !== undefined) return written.tag;
    return (await this.#head(key, signal))?.tag;
  }
}

interface Opened {
  readonly tag: Tag;
  readonly size: number;
  readonly offset: number;
  /** How many bytes of the object are to come. */
  readonly length: number;
  readonly body: AsyncIterable<Uint8Array>;
}

async function* cut(
  body: AsyncIterable<Uint8Array>,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of body) {
    const from = Math.max(0, offset - at);
    const to = Math.min(piece.length, offset + length - at);
    if (to > from) yield piece.subarray(from, to);
    at += piece.length;
    if (at >= offset + length) return;
  }
}

function checked(key: string): string {
  assert(isKey(key), `not a key: ${JSON.stringify(key)}`);
  return key;
}
