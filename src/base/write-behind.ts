/** Writes to one file beside the caller, who goes on meanwhile. */
import { write } from 'node:fs';
import { promisify } from 'node:util';
import { assert } from './assert.ts';

const writeSome = promisify(write);

export class WriteBehind {
  readonly #fd: number;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  /** The caller closes `fd`, and only once all is `settled`. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The write under way. There is one at most: another waits for it, or is done by the caller. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  /** Raises what the system said of a write before. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Begins to write `bytes`, which stay as they are until the promise resolves. It never rejects: `check` tells. */
  write(bytes: Uint8Array, position: number): Promise<void> {
    assert(this.#writing === undefined, 'one write at a time');
    const writing = this.#write(bytes, position)
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => (this.#writing = undefined));
    this.#writing = writing;
    return writing;
  }

  /** Waits until nothing is under way; never rejects. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await writeSome(this.#fd, bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}
