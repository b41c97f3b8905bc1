/** Waits, stops and keeps long work stoppable. */
import { setTimeout as wait } from 'node:timers/promises';
import { ArtError } from './errors.ts';

export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  try {
    await wait(ms, undefined, signal ? { signal } : undefined);
  } catch {
    throwIfAborted(signal);
  }
}

/** Raises INTERRUPTED once `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new ArtError('INTERRUPTED', 'stopped before it was done');
}

/** Lets timers, signals and I/O have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Tells when `everyMs` have passed since it last said so: for looking up now and then inside a synchronous loop. */
export class Pace {
  readonly #everyMs: number;
  #next: number;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
    this.#next = performance.now() + everyMs;
  }

  due(): boolean {
    const now = performance.now();
    if (now < this.#next) return false;
    this.#next = now + this.#everyMs;
    return true;
  }
}
