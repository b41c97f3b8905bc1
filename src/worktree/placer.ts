/** Places files in a thread of its own where there is much to place, else at once. */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { ArtError } from '#base';
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
  /** Until the thread was started. */
  #program: string | undefined;
  #worker: Worker | undefined;
  readonly #waiting: Waiting[] = [];
  /** Memory that came back and serves again: fresh pages take longer than copying into them. */
  readonly #rooms: ArrayBuffer[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** Why the thread places nothing any more. */
  #failure: Error | undefined;

  /** `program`: what the thread runs, if not what was built. */
  constructor({ program = builtProgram() }: { readonly program?: string | undefined } = {}) {
    this.#program = program;
  }

  /** So many files there will be at least: where that is much the thread starts now, to be there when it is needed. */
  expect(files: number): void {
    if (files < FILES_MIN || this.#program === undefined) return;
    this.#worker = startThread(this.#program);
    this.#program = undefined;
    this.#worker?.on('message', (placed: PlacedInRoom) => this.#waiting.shift()?.resolve(placed));
    this.#worker?.on('error', (error) => this.#fail(error));
    this.#worker?.on('messageerror', (error) => this.#fail(error));
    this.#worker?.on('exit', (status) =>
      this.#fail(new ArtError('IO_FAILED', `the thread that places files ended (status ${status})`)),
    );
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
    // It would take the placement, and never answer.
    if (this.#failure !== undefined) throw this.#failure;
    const placed = new Promise<PlacedInRoom>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      worker.postMessage(placement, [room]);
    });
    this.#last = placed.catch(() => {});
    return placed;
  }

  /** Nobody waits for a thread that is gone, now or later. */
  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }

  /** Waits until what was begun is done: no file is left half written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#worker?.terminate();
  }
}

/** Undefined where the system gives no thread: then all is placed by the caller. */
function startThread(program: string): Worker | undefined {
  try {
    return new Worker(program, {
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
  } catch {
    return undefined;
  }
}

/** The thread's program as it was built; undefined when this runs from its sources, which a thread cannot read. */
function builtProgram(): string | undefined {
  const here = import.meta.url;
  return here.endsWith('.ts') ? undefined : createRequire(here).resolve('#placing-worker');
}
