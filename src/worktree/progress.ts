/** Gives others a turn in the middle of long synchronous work: progress, signals, waiting processes. */
import { Pace, nextTurn, throwIfAborted } from '#base';

export interface Progress {
  readonly files: number;
  readonly bytes: number;
  /** What there is to do, where it is known beforehand. */
  readonly totalFiles?: number;
  readonly totalBytes?: number;
  /** What `files` counts, if not files. */
  readonly what?: 'object' | 'difference';
}

export interface Watched {
  /** Told at most every 50 ms, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
  /** Raises INTERRUPTED soon after it is aborted. */
  readonly signal?: AbortSignal;
}

const TURN_EVERY_MS = 50;
const REST_EVERY_MS = 15;

/** Counts what is done. Call `turn` between pieces of work and wait for it only if it gives something to wait for. */
export class Work {
  files = 0;
  bytes = 0;
  readonly #watched: Watched;
  readonly #rest: (() => Promise<void> | undefined) | undefined;
  readonly #totals: Pick<Progress, 'totalFiles' | 'totalBytes'>;
  readonly #turnPace = new Pace(TURN_EVERY_MS);
  readonly #restPace = new Pace(REST_EVERY_MS);

  /** `rest` is called every ~15 ms, or as often as `turn` is. */
  constructor(
    watched: Watched,
    more: {
      readonly rest?: () => Promise<void> | undefined;
      readonly totals?: Pick<Progress, 'totalFiles' | 'totalBytes'>;
    } = {},
  ) {
    this.#watched = watched;
    this.#rest = more.rest;
    this.#totals = more.totals ?? {};
  }

  /** `now`: much was done since the last call, so rest whatever the clock says. */
  turn(options: { readonly now?: boolean } = {}): Promise<void> | undefined {
    if (options.now !== true && !this.#restPace.due()) return undefined;
    throwIfAborted(this.#watched.signal);
    const rest = this.#rest?.();
    if (!this.#turnPace.due()) return rest;
    this.#tell();
    return rest === undefined ? nextTurn() : rest.then(nextTurn);
  }

  end(): void {
    throwIfAborted(this.#watched.signal);
    this.#tell();
  }

  #tell(): void {
    this.#watched.onProgress?.({ files: this.files, bytes: this.bytes, ...this.#totals });
  }
}
