/** An HTTP server on loopback that answers as a test says: wrong, late, half or not at all. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Cuts the connection after so many bytes of the body; 0: before any answer. */
  readonly cutAt?: number;
  /** Never answers. */
  readonly silent?: boolean;
}

export interface ScriptedStore extends AsyncDisposable {
  readonly endpoint: string;
  readonly asked: readonly Asked[];
}

/** `answer` is called for each request, with its number from 0. */
export async function scriptedStore(answer: (asked: Asked, index: number) => Reply): Promise<ScriptedStore> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://store');
      const one: Asked = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(pieces),
      };
      asked.push(one);
      give(response, answer(one, asked.length - 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function errorXml(code: string, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>because</Message>${more}</Error>`;
}

function give(response: ServerResponse, reply: Reply): void {
  const { status = 200, headers = {}, body = '', cutAt, silent } = reply;
  if (silent === true) return;
  const bytes = Buffer.from(body);
  if (cutAt === 0) return void response.destroy();
  response.writeHead(status, { 'content-length': String(bytes.length), ...headers });
  if (cutAt === undefined) return void response.end(bytes);
  response.write(bytes.subarray(0, cutAt), () => setTimeout(() => response.destroy(), 20));
}
