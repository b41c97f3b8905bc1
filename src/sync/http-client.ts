/** Sends one HTTP request at a time over kept connections, and tells of a failure whether the other side may have acted. */
import { setMaxListeners } from 'node:events';
import { Agent as PlainAgent, request as plainRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { errnoOf, throwIfAborted } from '#base';
import type { Traffic } from './bucket.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** To be read to the end, or left by `return`, which gives the connection up. Breaks off with an HttpFailure. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** No whole answer came. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  /** Whether the request may have reached the other side, and had its effect there. */
  readonly maybeDone: boolean;
  /** The system's or TLS's name for it. */
  readonly errno: string | undefined;

  constructor(message: string, maybeDone: boolean, cause?: unknown) {
    super(message, { cause });
    this.maybeDone = maybeDone;
    this.errno = errnoOf(cause);
  }
}

const CONNECTIONS_MAX = 32;
/** Shorter than servers keep theirs, so that a request seldom meets a connection that is being closed. */
const IDLE_CONNECTION_MS = 4000;
const SILENCE_MS = 60_000;

export class HttpClient implements Disposable {
  readonly #plain = new PlainAgent({
    keepAlive: true,
    maxSockets: CONNECTIONS_MAX,
    timeout: IDLE_CONNECTION_MS,
  });
  readonly #secure = new SecureAgent({
    keepAlive: true,
    maxSockets: CONNECTIONS_MAX,
    timeout: IDLE_CONNECTION_MS,
  });
  readonly #silenceMs: number;
  #requests = 0;
  #bytesSent = 0;
  #bytesReceived = 0;

  /** A connection on which nothing moves for `silenceMs` is given up. */
  constructor(options: { readonly silenceMs?: number | undefined } = {}) {
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
  }

  get traffic(): Traffic {
    return { requests: this.#requests, bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived };
  }

  /** Raises HttpFailure if there is no answer, INTERRUPTED by the signal. Follows no redirect. */
  async send(asked: HttpRequest): Promise<HttpAnswer> {
    throwIfAborted(asked.signal);
    // One signal stops all that is on its way: many that listen to it are no leak, and Node would warn of one.
    if (asked.signal !== undefined) setMaxListeners(0, asked.signal);
    this.#requests++;
    this.#bytesSent += asked.body?.length ?? 0;
    const message = await this.#exchange(asked);
    const headers = message.headers as Record<string, string | undefined>;
    return { status: message.statusCode ?? 0, headers, body: this.#read(message, asked) };
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #exchange({ method, url, headers, body, signal }: HttpRequest): Promise<IncomingMessage> {
    const secure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      let connected = false;
      const request = (secure ? secureRequest : plainRequest)(url, {
        method,
        headers: { ...headers, 'content-length': String(body?.length ?? 0) },
        agent: secure ? this.#secure : this.#plain,
        timeout: this.#silenceMs,
        ...(signal && { signal }),
      });
      request.on('socket', (socket) => {
        if (!socket.connecting) connected = true;
        else socket.once(secure ? 'secureConnect' : 'connect', () => (connected = true));
      });
      request.on('timeout', () => request.destroy(new Error(`nothing came for ${this.#silenceMs / 1000} s`)));
      request.on('response', resolve);
      request.on('error', (error) => {
        reject(signal?.aborted ? interrupted(signal) : new HttpFailure(error.message, connected, error));
      });
      request.end(body);
    });
  }

  async *#read(message: IncomingMessage, { signal }: HttpRequest): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of message as AsyncIterable<Buffer>) {
        this.#bytesReceived += piece.length;
        yield piece;
      }
      if (!message.complete) throw new Error('the answer broke off');
    } catch (error) {
      throwIfAborted(signal);
      throw new HttpFailure((error as Error).message, true, error);
    }
  }
}

function interrupted(signal: AbortSignal): unknown {
  try {
    throwIfAborted(signal);
  } catch (error) {
    return error;
  }
  return undefined;
}
