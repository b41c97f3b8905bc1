/** Signs requests to S3, sends them, tries again where that is safe, and tells what became of them. */
import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { ArtError, clockMs, sleep } from '#base';
import type { Credentials } from './aws-settings.ts';
import { readAll } from './bucket.ts';
import { HttpClient, HttpFailure } from './http-client.ts';
import type { HttpAnswer } from './http-client.ts';
import {
  failureError,
  isBroken,
  isBusy,
  isPassing,
  refusalError,
  refusalOf,
  strangerError,
} from './s3-errors.ts';
import type { Attempt, S3Refusal } from './s3-errors.ts';
import { movedTo, urlOf } from './s3-place.ts';
import type { S3Place } from './s3-place.ts';
import { parseXml } from './s3-xml.ts';
import type { XmlElement } from './s3-xml.ts';

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Without one it is the bucket that is asked. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** For messages, as in `reading KEY`. */
  readonly doing: string;
  /** Refusals to hand back instead of raising them. */
  readonly accept?: (refusal: S3Refusal) => boolean;
  /** Whether it matters if it is done once or twice: then not knowing raises REMOTE_UNCERTAIN. */
  readonly once?: boolean;
  /** Whether the answer is to be read from its `body`, bit by bit. */
  readonly stream?: boolean;
}

export interface S3Answer extends HttpAnswer {
  /** The whole answer, unless it was to be a stream. */
  readonly bytes: Uint8Array;
  /** Set if the request was refused in a way that `accept` takes. */
  readonly refusal: S3Refusal | undefined;
  /** An earlier try of this request may have had its effect. */
  readonly doubt: boolean;
}

export interface S3ClientOptions {
  readonly credentials: Credentials;
  readonly source: string;
  readonly now: () => number;
  readonly silenceMs?: number | undefined;
}

interface Tried {
  readonly answer: HttpAnswer;
  readonly bytes: Uint8Array;
  readonly refusal: S3Refusal | undefined;
}

const TRIES_MAX = 8;
/** Without any answer at all, the user should know soon. */
const SILENT_TRIES_MAX = 5;
const TRYING_MS_MAX = 180_000;
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 5000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

export class S3Client implements Disposable {
  readonly http: HttpClient;
  readonly #options: S3ClientOptions;
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  #place: S3Place;

  constructor(place: S3Place, options: S3ClientOptions) {
    this.#place = place;
    this.#options = options;
    this.http = new HttpClient({ silenceMs: options.silenceMs });
  }

  /** Raises what `refusalError` and `failureError` say, INTERRUPTED, or REMOTE_UNCERTAIN. */
  async call(request: S3Request): Promise<S3Answer> {
    const start = clockMs();
    let doubt = false;
    for (let tries = 1; ; tries++) {
      const tried = await this.#try(request);
      if (!(tried instanceof HttpFailure)) {
        const { refusal } = tried;
        if (refusal === undefined || request.accept?.(refusal) === true) {
          return { ...tried.answer, bytes: tried.bytes, refusal, doubt };
        }
        if (this.#follow(refusal)) continue;
      }
      const why = tried instanceof HttpFailure ? tried : tried.refusal!;
      const { again, maybeDone, triesMax } = judge(why);
      doubt ||= maybeDone;
      if (!again || tries >= triesMax || clockMs() - start > TRYING_MS_MAX) {
        throw this.#error(request, doubt, why);
      }
      const pauseMs = Math.min(PAUSE_MS * 2 ** (tries - 1), PAUSE_MS_MAX);
      await sleep(pauseMs * (0.5 + Math.random()), request.signal);
    }
  }

  /** The root element of the answer to `request`, named `name`; undefined if it was refused as `accept` says. */
  async document(
    request: S3Request,
    name: string,
  ): Promise<{ readonly answer: S3Answer; readonly root?: XmlElement }> {
    const answer = await this.call(request);
    if (answer.refusal !== undefined) return { answer };
    const root = parseXml(answer.bytes);
    if (root?.name !== name) throw strangerError(this.attempt(request.doing), answer.status);
    return { answer, root };
  }

  attempt(doing: string): Attempt {
    return { doing, place: this.#place, source: this.#options.source, now: this.#options.now() };
  }

  [Symbol.dispose](): void {
    this.http[Symbol.dispose]();
  }

  async #try(request: S3Request): Promise<Tried | HttpFailure> {
    try {
      const { method, body, signal } = request;
      const { url, headers } = await this.#sign(request);
      const answer = await this.http.send({ method, url, headers, ...(body && { body }), signal });
      const done = answer.status >= 200 && answer.status < 300;
      if (done && request.stream === true) return { answer, bytes: NOTHING, refusal: undefined };
      const bytes = (await readAll(answer.body, ANSWER_BYTES_MAX)) ?? NOTHING;
      // A long request may begin with 200 and end in an error.
      const failed = done && parseXml(bytes)?.name === 'Error';
      const refusal = refusalOf(failed ? 500 : answer.status, answer.headers, bytes);
      return { answer, bytes, refusal: done && !failed ? undefined : refusal };
    } catch (error) {
      if (error instanceof HttpFailure) return error;
      throw error;
    }
  }

  /** Goes to the region that the store names, unless the user has chosen another. */
  #follow({ status, code, region }: S3Refusal): boolean {
    if (region === undefined || region === this.#place.region || this.#place.regionChosen) return false;
    if (status >= 400 && code !== 'AuthorizationHeaderMalformed' && status !== 400) return false;
    this.#place = movedTo(this.#place, region);
    return true;
  }

  async #sign(request: S3Request): Promise<{ readonly url: URL; readonly headers: Record<string, string> }> {
    const { credentials, now } = this.#options;
    const url = urlOf(this.#place, request.key, request.query);
    const signer = new AwsV4Signer({
      method: request.method,
      url: url.href,
      // The hash is signed, so that no store takes a body that was damaged on the way.
      headers: {
        ...request.headers,
        'x-amz-content-sha256': sha256(request.body ?? NOTHING).toString('hex'),
      },
      ...credentials,
      service: 's3',
      region: this.#place.region,
      datetime: new Date(now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
      cache: this.#signingKeys,
    });
    const { headers } = await signer.sign();
    return { url, headers: Object.fromEntries(headers as Iterable<[string, string]>) };
  }

  #error(request: S3Request, doubt: boolean, why: HttpFailure | S3Refusal): ArtError {
    const attempt = this.attempt(request.doing);
    const cause = why instanceof HttpFailure ? failureError(why, attempt) : refusalError(why, attempt);
    if (!doubt || request.once !== true) return cause;
    return new ArtError('REMOTE_UNCERTAIN', `it is not known whether it was done: ${cause.message}`, {
      cause,
    });
  }
}

function judge(why: HttpFailure | S3Refusal): {
  readonly again: boolean;
  readonly maybeDone: boolean;
  readonly triesMax: number;
} {
  if (why instanceof HttpFailure) {
    return { again: isPassing(why), maybeDone: why.maybeDone, triesMax: SILENT_TRIES_MAX };
  }
  const busy = isBusy(why);
  const broken = !busy && isBroken(why);
  return { again: busy || broken, maybeDone: broken, triesMax: TRIES_MAX };
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
