/** Puts bodies into S3: short ones by one request, longer ones in parts, with at most two parts in memory. */
import { ArtError, assert, throwIfAborted } from '#base';
import type { Body, Tag } from './bucket.ts';
import { sha256 } from './s3-client.ts';
import type { S3Answer, S3Client, S3Request } from './s3-client.ts';
import { refusesChecksum } from './s3-errors.ts';
import type { S3Refusal } from './s3-errors.ts';
import { partsXml } from './s3-xml.ts';
import type { Part, XmlElement } from './s3-xml.ts';

export interface Upload {
  readonly key: string;
  readonly body: Body;
  /** The condition under which it may appear. */
  readonly condition: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
}

/** What became of a conditional write: its tag, or `lost`. Not knowing raises REMOTE_UNCERTAIN. */
export type Written = { readonly tag: Tag | undefined } | 'lost';

const SINGLE_BYTES_MAX = 16 * 1024 * 1024;
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
const PARTS_MAX = 10_000;
const CONFLICTS_MAX = 4;
const ABORT_MS = 10_000;

export class Uploader {
  readonly #client: S3Client;
  /** Sent along until a store says that it does not know them; the signed hash guards the way there in any case. */
  #checksums = true;
  /** Memory of parts that arrived, to be filled again. */
  readonly #spare: Buffer<ArrayBuffer>[] = [];

  constructor(client: S3Client) {
    this.#client = client;
  }

  async put(upload: Upload): Promise<Written> {
    throwIfAborted(upload.signal);
    if (upload.body.size <= SINGLE_BYTES_MAX) return this.#putWhole(upload);
    for (let tries = 1; ; tries++) {
      const written = await this.#putParts(upload);
      if (written !== 'conflict') return written;
      if (tries === CONFLICTS_MAX) {
        throw new ArtError('REMOTE_FAILED', `writing ${upload.key}: others write it at the same time`);
      }
    }
  }

  async #putWhole({ key, body, condition, signal }: Upload): Promise<Written> {
    const bytes = await bytesOf(body, { offset: 0, length: body.size });
    const { answer } = await this.#checked(undefined, (sums) => ({
      method: 'PUT',
      key,
      body: bytes,
      signal,
      headers: { ...condition, ...(sums && { 'x-amz-checksum-sha256': sha256(bytes).toString('base64') }) },
      doing: `writing ${key}`,
      accept: isLost,
      once: true,
    }));
    return outcome(answer, key) ?? { tag: tagOf(answer.headers.etag) };
  }

  async #putParts(upload: Upload): Promise<Written | 'conflict'> {
    const { key, signal } = upload;
    const doing = `writing ${key}`;
    const begun = await this.#checked('InitiateMultipartUploadResult', (sums) => ({
      method: 'POST',
      key,
      query: { uploads: '' },
      signal,
      headers: sums ? { 'x-amz-checksum-algorithm': 'SHA256' } : {},
      doing,
    }));
    const sums = this.#checksums;
    const uploadId = begun.root?.text('UploadId');
    if (uploadId === undefined) throw new ArtError('REMOTE_FAILED', `${doing}: the store names no upload`);
    let kept = false;
    try {
      const parts = await this.#sendParts(upload, uploadId, { sums });
      const written = await this.#complete(upload, uploadId, parts);
      kept = written !== 'lost' && written !== 'conflict';
      return written;
    } finally {
      if (!kept) await this.#abort(key, uploadId);
    }
  }

  async #sendParts(upload: Upload, uploadId: string, how: { readonly sums: boolean }): Promise<Part[]> {
    const { size } = upload.body;
    const bytes = Math.max(PART_BYTES, Math.ceil(size / PARTS_MAX));
    const count = Math.ceil(size / bytes);
    const parts: Part[] = [];
    const failed = new AbortController();
    const signal = upload.signal ? AbortSignal.any([upload.signal, failed.signal]) : failed.signal;
    let next = 0;
    const lane = async () => {
      while (next < count && !failed.signal.aborted) {
        const index = next++;
        const range = { offset: index * bytes, length: Math.min(bytes, size - index * bytes) };
        const spare = this.#spare.pop();
        const room = spare && spare.length >= range.length ? spare : Buffer.allocUnsafeSlow(bytes);
        const part = await bytesOf(upload.body, range, room);
        parts[index] = await this.#sendPart({ ...upload, signal }, uploadId, index + 1, {
          bytes: part,
          ...how,
        });
        this.#spare.push(room); // Not after a failure: a socket may still read it.
      }
    };
    // All lanes end before the upload is given up, or a late part would stay behind.
    let failure: { readonly error: unknown } | undefined;
    const stop = (error: unknown) => {
      failure ??= { error };
      failed.abort();
    };
    await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, count) }, () => lane().catch(stop)));
    if (failure !== undefined) throw failure.error;
    return parts;
  }

  async #sendPart(
    { key, signal }: Upload,
    uploadId: string,
    number: number,
    { bytes, sums }: { readonly bytes: Uint8Array; readonly sums: boolean },
  ): Promise<Part> {
    const sum = sums ? sha256(bytes).toString('base64') : undefined;
    const answer = await this.#client.call({
      method: 'PUT',
      key,
      query: { partNumber: String(number), uploadId },
      body: bytes,
      signal,
      headers: sum === undefined ? {} : { 'x-amz-checksum-sha256': sum },
      doing: `writing part ${number} of ${key}`,
    });
    const etag = tagOf(answer.headers.etag);
    if (etag === undefined)
      throw new ArtError('REMOTE_FAILED', `the store gives part ${number} of ${key} no tag`);
    return { number, etag, ...(sum !== undefined && { sha256: sum }) };
  }

  async #complete(
    { key, condition, signal }: Upload,
    uploadId: string,
    parts: readonly Part[],
  ): Promise<Written | 'conflict'> {
    const doing = `writing ${key}`;
    const completed: S3Request = {
      method: 'POST',
      key,
      query: { uploadId },
      body: partsXml(parts),
      signal,
      headers: { ...condition, 'content-type': 'application/xml' },
      doing,
      // After a conflict the parts must be sent anew; an upload that is gone may have been completed by an earlier try.
      accept: (refusal) => isLost(refusal) || refusal.status === 409 || refusal.code === 'NoSuchUpload',
      once: true,
    };
    const { answer, root } = await this.#client.document(completed, 'CompleteMultipartUploadResult');
    if (answer.refusal?.code === 'NoSuchUpload' || answer.refusal?.status === 409) {
      if (!answer.doubt && answer.refusal.status === 409) return 'conflict';
      throw uncertain(key, answer.refusal);
    }
    return outcome(answer, key) ?? { tag: tagOf(root?.text('ETag')) };
  }

  // Parts of an upload that is never completed are kept, and paid for.
  async #abort(key: string, uploadId: string): Promise<void> {
    try {
      await this.#client.call({
        method: 'DELETE',
        key,
        query: { uploadId },
        signal: AbortSignal.timeout(ABORT_MS),
        doing: `giving up the upload of ${key}`,
        accept: ({ status }) => status === 404,
      });
    } catch {
      // What made us give up is what the user is told.
    }
  }

  async #checked(
    name: string | undefined,
    request: (sums: boolean) => S3Request,
  ): Promise<{ readonly answer: S3Answer; readonly root?: XmlElement }> {
    const send = async (asked: S3Request) =>
      name === undefined ? { answer: await this.#client.call(asked) } : this.#client.document(asked, name);
    const first = request(this.#checksums);
    if (!this.#checksums) return send(first);
    const accept = (refusal: S3Refusal) => refusesChecksum(refusal) || first.accept?.(refusal) === true;
    const sent = await send({ ...first, accept });
    if (sent.answer.refusal === undefined || !refusesChecksum(sent.answer.refusal)) return sent;
    this.#checksums = false;
    return send(request(false));
  }
}

/** What stands between quotes in an ETag. */
export function tagOf(etag: string | undefined): Tag | undefined {
  return etag?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
}

/** The condition does not hold; a pointer that is not there has no tag either. */
export function isLost({ status, code }: S3Refusal): boolean {
  return status === 412 || (status === 404 && code === 'NoSuchKey');
}

function outcome(answer: S3Answer, key: string): 'lost' | undefined {
  if (answer.refusal === undefined) return undefined;
  // "There is one already": it may be the one that an earlier try has put.
  if (answer.doubt) throw uncertain(key, answer.refusal);
  return 'lost';
}

function uncertain(key: string, { status, code }: S3Refusal): ArtError {
  const why = `a try went without an answer, and the next was told ${code ?? status}`;
  return new ArtError('REMOTE_UNCERTAIN', `it is not known who wrote ${key}: ${why}`);
}

/** Reads a part of `body`, into `room` if that is given; the bytes are a view of it then. */
async function bytesOf(
  body: Body,
  range: { readonly offset: number; readonly length: number },
  room: Buffer = Buffer.allocUnsafe(range.length),
): Promise<Uint8Array> {
  let end = 0;
  for await (const piece of body.open(range)) {
    assert(end + piece.length <= range.length, 'a body has the size it says');
    room.set(piece, end);
    end += piece.length;
  }
  assert(end === range.length, 'a body has the size it says');
  return room.subarray(0, end);
}
