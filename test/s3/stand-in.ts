/**
 * An S3 server on loopback that keeps its objects in any bucket: as slow, as forbidding or as silent as a test wants it,
 * and it counts what it is sent. It looks at no signature; what a real server does is tested by `.ci/s3`.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { MemoryBucket, bytesBody } from '#sync';
import type { Bucket, Listed } from '#sync';

export const STAND_IN_BUCKET = 'stand-in';
const PIECE_BYTES = 64 * 1024;

/** What becomes of a request: answered, refused, or left waiting for as long as the caller bears it. */
export type Treatment = 'answer' | 'deny' | 'stall';

export interface Request {
  readonly method: string;
  /** Empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
}

export class S3StandIn implements AsyncDisposable {
  readonly bucket: Bucket;
  readonly requests: Request[] = [];
  /** Bodies that came, and that went, whoever asked; a body that was cut off counts as far as it came. */
  bytesIn = 0;
  bytesOut = 0;
  /** Bytes a second in each direction and request. */
  rate = Infinity;
  treat: (request: Request) => Treatment = () => 'answer';
  readonly #server = createServer((request, response) => void this.#take(request, response));
  readonly #uploads = new Map<string, Map<number, Buffer>>();

  private constructor(bucket: Bucket) {
    this.bucket = bucket;
  }

  static async start(bucket: Bucket = new MemoryBucket()): Promise<S3StandIn> {
    const standIn = new S3StandIn(bucket);
    await new Promise<void>((resolve) => standIn.#server.listen(0, '127.0.0.1', resolve));
    return standIn;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `s3://${STAND_IN_BUCKET}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '/', this.endpoint);
    const key = decodeURIComponent(url.pathname.slice(STAND_IN_BUCKET.length + 2));
    const request = { method: message.method ?? '', key, query: url.searchParams };
    this.requests.push(request);
    try {
      const treatment = this.treat(request);
      if (treatment === 'stall') return;
      const body = await this.#bodyOf(message);
      if (treatment === 'deny') return refuse(response, 403, 'AccessDenied');
      if (request.method === 'GET' && key === '') await this.#ask(request, response);
      else if (request.method === 'GET' || request.method === 'HEAD')
        await this.#get(request, message, response);
      else if (request.method === 'DELETE') await this.#remove(request, response);
      else await this.#put(request, message, body, response);
    } catch {
      response.destroy(); // Who asked has gone.
    }
  }

  async #bodyOf(message: IncomingMessage): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of message as AsyncIterable<Buffer>) {
      this.bytesIn += piece.length;
      pieces.push(piece);
      await this.#pace(piece.length);
    }
    return Buffer.concat(pieces);
  }

  async #ask({ query }: Request, response: ServerResponse): Promise<void> {
    if (query.has('versioning')) return answer(response, '<VersioningConfiguration/>');
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const max = Number(query.get('max-keys') ?? 1000);
    const rows: Listed[] = [];
    for await (const row of this.bucket.list(query.get('prefix') ?? '', { after })) {
      rows.push(row);
      if (rows.length > max) break;
    }
    const more = rows.length > max;
    if (more) rows.pop();
    const contents = rows.map(
      ({ key, tag, size, modified }) =>
        `<Contents><Key>${key}</Key><ETag>"${tag}"</ETag><Size>${size}</Size>` +
        `<LastModified>${new Date(modified).toISOString()}</LastModified></Contents>`,
    );
    const token = more ? `<NextContinuationToken>${rows.at(-1)!.key}</NextContinuationToken>` : '';
    const head = `<IsTruncated>${more}</IsTruncated>${token}`;
    answer(response, `<ListBucketResult>${head}${contents.join('')}</ListBucketResult>`);
  }

  async #get({ method, key }: Request, message: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = /^bytes=(\d+)-(\d+)$/.exec(message.headers.range ?? '');
    const offset = Number(asked?.[1] ?? 0);
    const range = asked && { offset, length: Number(asked[2]) - offset + 1 };
    const got = key === '' ? undefined : await this.bucket.get(key, range ? { range } : {});
    if (got === undefined) return refuse(response, 404, 'NoSuchKey');
    if (offset > 0 && offset >= got.size) return refuse(response, 416, 'InvalidRange');
    const length = Math.min(range?.length ?? got.size, got.size - offset);
    response.writeHead(range ? 206 : 200, {
      etag: `"${got.tag}"`,
      'content-length': length,
      ...(range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${got.size}` }),
    });
    if (method === 'HEAD') return void response.end();
    await pipeline(() => this.#paced(got.body), response);
  }

  async *#paced(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const whole of body) {
      for (let at = 0; at < whole.length; at += PIECE_BYTES) {
        const piece = whole.subarray(at, at + PIECE_BYTES);
        this.bytesOut += piece.length;
        yield piece;
        await this.#pace(piece.length);
      }
    }
  }

  async #remove({ key, query }: Request, response: ServerResponse): Promise<void> {
    const upload = query.get('uploadId');
    if (upload === null) await this.bucket.delete(key);
    else this.#uploads.delete(upload);
    response.writeHead(204).end();
  }

  async #put(
    { method, key, query }: Request,
    { headers }: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const upload = query.get('uploadId');
    if (query.has('uploads')) {
      const id = `upload-${this.requests.length}`;
      this.#uploads.set(id, new Map());
      return answer(
        response,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    const parts = upload === null ? undefined : this.#uploads.get(upload);
    if (upload !== null && parts === undefined) return refuse(response, 404, 'NoSuchUpload');
    if (parts !== undefined && method === 'PUT') {
      parts.set(Number(query.get('partNumber')), body);
      return void response.writeHead(200, { etag: '"part"' }).end();
    }
    const whole =
      parts === undefined
        ? body
        : Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes));
    const wanted = headers['if-match']?.replaceAll('"', '');
    const tag =
      wanted === undefined
        ? await this.bucket.putIfAbsent(key, bytesBody(whole))
        : await this.bucket.putIfTag(key, bytesBody(whole), wanted);
    if (tag === undefined) return refuse(response, 412, 'PreconditionFailed');
    if (upload === null) return void response.writeHead(200, { etag: `"${tag}"` }).end();
    this.#uploads.delete(upload);
    answer(response, `<CompleteMultipartUploadResult><ETag>"${tag}"</ETag></CompleteMultipartUploadResult>`);
  }

  async #pace(bytes: number): Promise<void> {
    if (this.rate < Infinity) await new Promise((resolve) => setTimeout(resolve, (bytes / this.rate) * 1000));
  }
}

function answer(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(xml);
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status)
    .end(`<Error><Code>${code}</Code><Message>the stand-in says so</Message></Error>`);
}
