/** Sends what people read through their pager, and to the terminal itself if there turns out to be no pager. */
import { isReaderGone } from './failure.ts';
import type { Pager } from './pager.ts';
import type { Sink } from './sink.ts';

export class PagedSink implements Sink {
  readonly isTTY = true;
  readonly mayBlock = true;
  readonly #start: () => Promise<Pager | undefined>;
  readonly #terminal: Sink;
  /** Undefined before anything is shown, null without one. */
  #pager: Pager | null | undefined;
  /** What was written as long as it is all that was: nobody has seen it if the pager never ran. */
  #first: string | Uint8Array | undefined;

  /** `start` is called once there is something to show. */
  constructor(start: () => Promise<Pager | undefined>, terminal: Sink) {
    this.#start = start;
    this.#terminal = terminal;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const isFirst = this.#pager === undefined;
    if (isFirst) this.#pager = (await this.#start()) ?? null;
    if (!this.#pager) return this.#terminal.write(data);
    this.#first = isFirst ? data : undefined;
    try {
      await this.#pager.write(data);
    } catch (error) {
      if (!isReaderGone(error) || (await this.#leave())) throw error;
    }
  }

  /** Waits until whoever reads has left the pager. */
  async close(): Promise<void> {
    await this.#leave();
  }

  /** Tells whether there was a pager. */
  async #leave(): Promise<boolean> {
    if (!this.#pager) return false;
    const { ran } = await this.#pager.close();
    this.#pager = null;
    const unseen = this.#first;
    this.#first = undefined;
    if (!ran && unseen !== undefined) await this.#terminal.write(unseen);
    return ran;
  }
}
