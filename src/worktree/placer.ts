/** Places files in a thread of its own where there is much to place, else at once. */
import { Worker } from 'node:worker_threads';
import { placeFiles, type Placed, type Placement } from './placing.ts';

/** With fewer, a thread has not even started when all is done. */
const FILES_MIN = 1000;

interface Waiting {
  readonly resolve: (placed: Placed) => void;
  readonly reject: (error: Error) => void;
}

export class Placer implements AsyncDisposable {
  readonly #worker: Worker | undefined;
  readonly #waiting: Waiting[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** `files`: how many there will be, about. */
  constructor({ files }: { readonly files: number }) {
    const program = files < FILES_MIN ? undefined : workerProgram();
    if (program === undefined) return;
    this.#worker = new Worker(program, {
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on('message', (placed: Placed) => this.#waiting.shift()?.resolve(placed));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** Places in the order of the calls. The placement is the placer's from now on. */
  async place(placement: Placement): Promise<Placed> {
    const worker = this.#worker;
    if (worker === undefined) return placeFiles(placement);
    const placed = new Promise<Placed>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      worker.postMessage(placement, [placement.bytes.buffer as ArrayBuffer]);
    });
    this.#last = placed.catch(() => {});
    return placed;
  }

  /** Waits until what was begun is done: no file is left half written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#worker?.terminate();
  }
}

/** The worker as it was built; undefined when the program runs from its sources, which a thread cannot read. */
function workerProgram(): URL | undefined {
  return import.meta.url.endsWith('.ts') ? undefined : new URL(import.meta.resolve('#placing-worker'));
}
