/** Frames on their way to a thread that compresses them and back, in memory that both threads share. */

/** How a slot goes round: FREE, FILLED by the caller, TAKEN by the thread, DONE, FREE. LOST: the thread never answered. */
const FREE = 0;
const FILLED = 1;
const TAKEN = 2;
const DONE = 3;
const LOST = 4;

const BELL = 0;
const ATTENDED = 1;
const FIRST_SLOT = 2;
/** State, raw bytes, packed bytes. */
const SLOT_WORDS = 3;
const FAILED = -1;

/** How many frames may wait; with more the caller compresses too, so that both have as much to do. */
export const SLOTS = 4;
const IDLE_MS = 2000;
/** A frame takes some 10 ms. */
const ANSWER_MS = 500;

/** The caller's `fill`, `done`, `take`, `drop`; the thread's `serve`. A slot is known by its number. */
export class FrameSlots {
  readonly shared: SharedArrayBuffer;
  readonly #slots: number;
  readonly #frameBytes: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #next = 0;
  #abandoned = false;

  static make(slots: number, frameBytes: number): FrameSlots {
    const words = FIRST_SLOT + slots * SLOT_WORDS;
    return new FrameSlots(new SharedArrayBuffer(words * 4 + slots * frameBytes * 2), slots, frameBytes);
  }

  constructor(shared: SharedArrayBuffer, slots: number, frameBytes: number) {
    const words = FIRST_SLOT + slots * SLOT_WORDS;
    this.shared = shared;
    this.#slots = slots;
    this.#frameBytes = frameBytes;
    this.#words = new Int32Array(shared, 0, words);
    this.#bytes = new Uint8Array(shared, words * 4);
  }

  /** Whether a thread serves, or is about to. */
  get attended(): boolean {
    return Atomics.load(this.#words, ATTENDED) === 1;
  }

  set attended(attended: boolean) {
    Atomics.store(this.#words, ATTENDED, attended ? 1 : 0);
  }

  /** Says that no thread will ever answer again: nobody waits for one, and no frame is taken any more. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Copies a frame into the next slot and rings; undefined if that is not free. */
  fill(raw: Uint8Array): number | undefined {
    if (this.#abandoned) return undefined;
    const slot = this.#next;
    if (Atomics.load(this.#words, stateOf(slot)) !== FREE) return undefined;
    this.#next = (slot + 1) % this.#slots;
    this.#words[stateOf(slot) + 1] = raw.length;
    this.raw(slot).set(raw);
    Atomics.store(this.#words, stateOf(slot), FILLED);
    Atomics.add(this.#words, BELL, 1);
    Atomics.notify(this.#words, BELL);
    return slot;
  }

  raw(slot: number): Uint8Array {
    const start = slot * 2 * this.#frameBytes;
    return this.#bytes.subarray(start, start + this.#words[stateOf(slot) + 1]);
  }

  done(slot: number): boolean {
    return Atomics.load(this.#words, stateOf(slot)) === DONE;
  }

  /**
   * Waits for the slot's frame and frees the slot: the packed bytes, or the raw ones if they are no longer than those;
   * undefined if the caller must compress them. All of these hold until the slot is filled again.
   */
  take(slot: number): Uint8Array | undefined {
    const state = stateOf(slot);
    if (Atomics.compareExchange(this.#words, state, FILLED, FREE) === FILLED) return undefined;
    if (!this.#abandoned) Atomics.wait(this.#words, state, TAKEN, ANSWER_MS);
    if (Atomics.compareExchange(this.#words, state, TAKEN, LOST) === TAKEN) return undefined;
    const length = this.#words[state + 2];
    Atomics.store(this.#words, state, FREE);
    if (length === FAILED) return undefined;
    return length === this.#words[state + 1] ? this.raw(slot) : this.#packed(slot).subarray(0, length);
  }

  /** Frees a slot whose frame nobody wants any more. */
  drop(slot: number): void {
    const state = stateOf(slot);
    for (const [from, to] of [
      [FILLED, FREE],
      [TAKEN, LOST],
      [DONE, FREE],
    ] as const)
      if (Atomics.compareExchange(this.#words, state, from, to) === from) return;
  }

  /** Compresses what comes, until nothing came for a while. */
  serve(compress: (bytes: Uint8Array) => Uint8Array, idleMs = IDLE_MS): void {
    for (let slot = 0, idle = 0; ;) {
      const bell = Atomics.load(this.#words, BELL);
      if (this.#serveOne(slot, compress)) idle = 0;
      else if (++idle >= this.#slots) {
        idle = 0;
        if (Atomics.wait(this.#words, BELL, bell, idleMs) === 'timed-out' && this.#leave()) return;
      }
      slot = (slot + 1) % this.#slots;
    }
  }

  #serveOne(slot: number, compress: (bytes: Uint8Array) => Uint8Array): boolean {
    const state = stateOf(slot);
    if (Atomics.compareExchange(this.#words, state, FILLED, TAKEN) !== FILLED) return false;
    const raw = this.raw(slot);
    let length = FAILED;
    try {
      const packed = compress(raw);
      length = Math.min(packed.length, raw.length);
      if (packed.length < raw.length) this.#packed(slot).set(packed);
    } catch {
      // Whoever takes it tries again, and sees why.
    }
    this.#words[state + 2] = length;
    if (Atomics.compareExchange(this.#words, state, TAKEN, DONE) !== TAKEN)
      Atomics.store(this.#words, state, FREE);
    Atomics.notify(this.#words, state);
    return true;
  }

  // A frame that comes just now finds nobody attending, and another thread is started for it.
  #leave(): boolean {
    this.attended = false;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (Atomics.load(this.#words, stateOf(slot)) !== FILLED) continue;
      this.attended = true;
      return false;
    }
    return true;
  }

  #packed(slot: number): Uint8Array {
    const start = (slot * 2 + 1) * this.#frameBytes;
    return this.#bytes.subarray(start, start + this.#frameBytes);
  }
}

function stateOf(slot: number): number {
  return FIRST_SLOT + slot * SLOT_WORDS;
}
