/** Turns the signals that ask the process to stop into an AbortSignal, but for those that a pager is meant to have. */
import type { EventEmitter } from 'node:events';
import type { Pager } from './pager.ts';

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export class StopSignals {
  readonly #stopping = new AbortController();
  #paging = false;

  /** `process` sends the signals. */
  constructor(process: Pick<EventEmitter, 'on' | 'off'>) {
    const stop = (signal: NodeJS.Signals) => {
      // Ctrl-C stops a search in the pager. Dying here would leave it without its terminal.
      if (this.#paging && signal === 'SIGINT') return;
      this.#stopping.abort();
      // The second one does not wait for anything: what is half done is garbage at worst.
      for (const one of STOP_SIGNALS) process.off(one, stop);
    };
    for (const signal of STOP_SIGNALS) process.on(signal, stop);
  }

  /** Aborted by the first of them. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** The pager, to which Ctrl-C belongs until it is closed. */
  leftTo(pager: Pager): Pager {
    this.#paging = true;
    return { ...pager, close: () => pager.close().finally(() => (this.#paging = false)) };
  }
}
