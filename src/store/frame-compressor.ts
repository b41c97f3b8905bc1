/** Compresses frames beside the caller, in a thread that is started once there is more to do than its start costs. */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { compress } from './compression.ts';
import { FrameSlots, SLOTS } from './frame-slots.ts';
import { FRAME_RAW_MAX } from './pack-format.ts';

/** So much is compressed by the caller before a thread is started, in about the time that takes. */
const ALONE_BYTES = 1536 * 1024;

let slots: FrameSlots | undefined;
let aloneBytes = 0;

/** A frame that was handed over. Whoever did that takes it or drops it. */
export class HandedOver {
  readonly #slots: FrameSlots;
  readonly #slot: number;

  constructor(slots: FrameSlots, slot: number) {
    this.#slots = slots;
    this.#slot = slot;
  }

  /** Whether `take` need not wait. */
  get done(): boolean {
    return this.#slots.done(this.#slot);
  }

  /** The frame as it was and compressed, both only until another is handed over. */
  take(): { readonly raw: Uint8Array; readonly packed: Uint8Array } {
    const packed = this.#slots.take(this.#slot);
    const raw = this.#slots.raw(this.#slot);
    return { raw, packed: packed ?? compress(raw) };
  }

  drop(): void {
    this.#slots.drop(this.#slot);
  }
}

/**
 * Hands a copy of a frame of at most FRAME_RAW_MAX bytes over, or gives undefined where nothing is won by that: then
 * compress it at once. `loadCompression` was awaited.
 */
export function handOver(raw: Uint8Array): HandedOver | undefined {
  if (slots === undefined) {
    aloneBytes += raw.length;
    if (aloneBytes <= ALONE_BYTES || compressingWorker() === undefined) return undefined;
    slots = FrameSlots.make(SLOTS, FRAME_RAW_MAX);
  }
  const slot = slots.fill(raw);
  if (slot === undefined) return undefined;
  if (!slots.attended) startThread(slots);
  return new HandedOver(slots, slot);
}

// What waits in its slot where no thread can be had, or none any more, is compressed by whoever takes it.
function startThread(slots: FrameSlots): void {
  const program = compressingWorker();
  if (program === undefined) return;
  try {
    slots.attended = true;
    const worker = new Worker(program, {
      workerData: slots.shared,
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 },
    });
    worker.unref();
    worker.on('error', () => slots.abandon());
    worker.on('exit', (status) => {
      if (status !== 0) slots.abandon();
    });
  } catch {
    slots.abandon();
  }
}

/** The thread's program as it was built; undefined when this runs from its sources, which a thread cannot read. */
function compressingWorker(): string | undefined {
  const here = import.meta.url;
  return here.endsWith('.ts') ? undefined : createRequire(here).resolve('#compressing-worker');
}
