/** Places files in a thread of its own where there is much to place, else at once. */
import { Worker } from 'node:worker_threads';
import { placeFiles, type Placed, type Placement } from './placing.ts';

/** With fewer, a thread has not even started when all is done. */
const FILES_MIN = 1000;

/** The least that memory is taken for at a time. */
const ROOM_BYTES = 4 * 1024 * 1024;

interface Waiting {
  readonly resolve: (placed: PlacedInRoom) => void;
  readonly reject: (error: Error) => void;
}

/** What the thread answers: it gives the memory back. */
export interface PlacedInRoom extends Placed {
  readonly room: ArrayBuffer;
}

export class Placer implements AsyncDisposable {
  readonly #worker: Worker | undefined;
  readonly #waiting: Waiting[] = [];
  /** Memory that came back and serves again: fresh pages take longer than copying into them. */
  readonly #rooms: ArrayBuffer[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** `files`: how many there will be, about. */
  constructor({ files }: { readonly files: number }) {
    const program = files < FILES_MIN ? undefined : workerProgram();
    if (program === undefined) return;
    this.#worker = new Worker(program, {
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    this.#worker.on('message', (placed: PlacedInRoom) => this.#waiting.shift()?.resolve(placed));
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** Room for the contents of one placement. */
  room(bytes: number): Uint8Array {
    const free = this.#rooms.pop();
    const room = free !== undefined && free.byteLength >= bytes ? free : undefined;
    return new Uint8Array(room ?? new ArrayBuffer(Math.max(bytes, ROOM_BYTES)), 0, bytes);
  }

  /** Places in the order of the calls. The placement, with the room it is in, is the placer's from now on. */
  async place(placement: Placement): Promise<Placed> {
    const { room, ...placed } = await this.#begin(placement);
    this.#rooms.push(room);
    return placed;
  }

  async #begin(placement: Placement): Promise<PlacedInRoom> {
    const room = placement.bytes.buffer as ArrayBuffer;
    const worker = this.#worker;
    if (worker === undefined) return { ...placeFiles(placement), room };
    const placed = new Promise<PlacedInRoom>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      worker.postMessage(placement, [room]);
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
