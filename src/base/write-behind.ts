/** Writes to one file beside the caller, who goes on meanwhile. */
import { write } from 'node:fs';
import { promisify } from 'node:util';

/** Writes under way at once; more would only hold more memory. */
const WRITES_MAX = 3;

const writeSome = promisify(write);

export class WriteBehind {
  readonly #fd: number;
  readonly #writing = new Set<Promise<void>>();
  #failure: unknown;

  /** The caller closes `fd`, and only once all is `settled`. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether so much is under way that the next write should wait, or be done by the caller. */
  get busy(): boolean {
    return this.#writing.size >= WRITES_MAX;
  }

  /** Writes under way. */
  get writing(): readonly Promise<void>[] {
    return [...this.#writing];
  }

  /** Raises what the system said of a write before. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Begins to write `bytes`, which stay as they are until the promise resolves. It never rejects: `check` tells. */
  write(bytes: Uint8Array, position: number): Promise<void> {
    const writing = this.#write(bytes, position)
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
    return writing;
  }

  /** Waits until nothing is under way; never rejects. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await writeSome(this.#fd, bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }
}
