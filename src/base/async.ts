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

/** Runs `work` on all items, at most `atOnce` at a time, and waits for all; outcomes in the order of the items. */
export async function settleAtMost<T, R>(
  atOnce: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const outcomes: PromiseSettledResult<R>[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++)
      [outcomes[i]] = await Promise.allSettled([work(items[i])]);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return outcomes;
}

/** Milliseconds by a clock that only goes forward. Not `performance.now()`: to load it takes a millisecond of every start. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
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
    this.#next = clockMs() + everyMs;
  }

  due(): boolean {
    const now = clockMs();
    if (now < this.#next) return false;
    this.#next = now + this.#everyMs;
    return true;
  }
}
