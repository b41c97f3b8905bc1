/** Writes to a file descriptor of the process without ever keeping the process itself waiting. */
import { fstatSync, statSync, write } from 'node:fs';
import type { Stats } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';
import { sleep } from '#base';
import type { Sink } from './sink.ts';

/** How long a pipe that somebody set to non-blocking, and that is full, is left alone. */
const FULL_PIPE_MS = 5;

/**
 * Not the process's own stream: on a pipe that blocks, and then nothing else happens here, no signal is seen and no
 * waiting process is let in. `write` of node:fs waits in another thread.
 */
export function processSink(fd: 1 | 2): Sink {
  const stat = statOf(fd);
  let terminal: boolean | undefined;
  return {
    get isTTY() {
      return (terminal ??= stat?.isCharacterDevice() === true && isTerminal(fd, stat));
    },
    get columns() {
      return (fd === 1 ? process.stdout : process.stderr).columns;
    },
    mayBlock: stat?.isFile() !== true,
    write: (data) => writeWhole(fd, typeof data === 'string' ? Buffer.from(data) : data),
  };
}

async function writeWhole(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const written = await writeSome(fd, bytes, done);
    if (written === 0) await sleep(FULL_PIPE_MS);
    done += written;
  }
}

function writeSome(fd: number, bytes: Uint8Array, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error?.code === 'EAGAIN') resolve(0);
      else if (error) reject(error);
      else resolve(written);
    });
  });
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    // Closed from the start: the first write will say so.
    return undefined;
  }
}

// node:tty is asked, and so loaded, only where there may be a terminal: it brings the network along.
function isTerminal(fd: number, { rdev }: Stats): boolean {
  if (statSync(devNull, { throwIfNoEntry: false })?.rdev === rdev) return false;
  return isatty(fd);
}
