/** Reads a file descriptor of the process, whatever somebody else has set it to. */
import { read } from 'node:fs';
import { ArtError, sleep, throwIfAborted } from '#base';

/** How long a pipe that somebody set to non-blocking, and that is empty, is left alone. */
const EMPTY_PIPE_MS = 5;
const PIECE_BYTES = 64 * 1024;

/**
 * What comes in on `fd`, until it ends. Not node:fs's own stream: that one fails with EAGAIN where nothing is there yet,
 * and a pipe may be non-blocking for the sake of another process that has it, too. Raises INTERRUPTED, and what the
 * system says.
 */
export async function* processSource(
  fd: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    throwIfAborted(signal);
    const piece = await readSome(fd, signal);
    if (piece === undefined) await sleep(EMPTY_PIPE_MS, signal);
    else if (piece.length === 0) return;
    else yield piece;
  }
}

/** Undefined if nothing is there yet; empty at the end. */
function readSome(fd: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const space = Buffer.allocUnsafe(PIECE_BYTES);
  return new Promise((resolve, reject) => {
    // Whoever writes may never come: the read itself cannot be called off.
    const stop = () => reject(new ArtError('INTERRUPTED', 'stopped before all was read'));
    signal.addEventListener('abort', stop, { once: true });
    read(fd, space, 0, space.length, null, (error, bytes) => {
      signal.removeEventListener('abort', stop);
      if (error?.code === 'EAGAIN') resolve(undefined);
      else if (error) reject(error);
      else resolve(space.subarray(0, bytes));
    });
  });
}
