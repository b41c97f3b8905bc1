/** Reads a file descriptor of the process, whatever somebody else has set it to. */
import { fstatSync, read } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { ReadStream, isatty } from 'node:tty';
import { ArtError, throwIfAborted } from '#base';

const PIECE_BYTES = 64 * 1024;

/**
 * What comes in on `fd`, until it ends. A pipe, a socket or a terminal is waited for by the event loop, and belongs to this:
 * a read that waits in a thread cannot be called off, and the process would not end before it. Nor does node:fs know
 * what to do about a pipe that somebody set to non-blocking. Raises INTERRUPTED, and what the system says.
 */
export async function* processSource(
  fd: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal);
  const stream = streamOf(fd);
  if (stream !== undefined) return yield* piecesOf(stream, signal);
  for (;;) {
    throwIfAborted(signal);
    const piece = await readSome(fd);
    if (piece.length === 0) return;
    yield piece;
  }
}

/** Undefined for what never lets a reader wait. */
function streamOf(fd: number): Readable | undefined {
  if (isatty(fd)) return new ReadStream(fd);
  const stats = fstatSync(fd);
  if (!stats.isFIFO() && !stats.isSocket()) return undefined;
  return new Socket({ fd, readable: true, writable: false });
}

async function* piecesOf(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = () => void stream.destroy(new ArtError('INTERRUPTED', 'stopped before all was read'));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop(); // Since it was last looked at: that is told to nobody who listens from now on.
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Empty at the end. */
function readSome(fd: number): Promise<Uint8Array> {
  const space = Buffer.allocUnsafe(PIECE_BYTES);
  return new Promise((resolve, reject) => {
    read(fd, space, 0, space.length, null, (error, bytes) => {
      if (error) reject(error);
      else resolve(space.subarray(0, bytes));
    });
  });
}
