/** Keeps the frames read last as they are decompressed, in memory that is used again. */
import { FRAME_RAW_MAX } from './pack-format.ts';

const CACHE_BYTES = 16 * 1024 * 1024;
/** Most frames are nearly as long as they may be, and fit into each other's memory; shorter ones have their own. */
const REUSED_BYTES_MIN = FRAME_RAW_MAX / 2;

export interface CachedFrame {
  readonly bytes: Uint8Array;
  /** How many readers gave out views of it that must stay as they are. */
  uses: number;
}

export class FrameCache {
  /** Oldest first. */
  readonly #frames = new Map<string, CachedFrame>();
  /** Memory that waits to be used again; with that of the frames no more than CACHE_BYTES. */
  readonly #free: Uint8Array[] = [];
  /** What the frames take, with the rest of memory that is longer than they are. */
  #bytes = 0;

  /** The frame called `key`; if it is not here, `fill` writes its bytes. Throws what that throws. */
  get(key: string, rawBytes: number, fill: (into: Uint8Array) => void): CachedFrame {
    let frame = this.#frames.get(key);
    if (frame !== undefined) return frame;
    this.#makeRoom(memoryOf(rawBytes));
    frame = { bytes: this.#take(rawBytes), uses: 0 };
    fill(frame.bytes);
    this.#frames.set(key, frame);
    this.#bytes += frame.bytes.buffer.byteLength;
    return frame;
  }

  /** Forgets the frames whose keys begin with `prefix`. */
  forget(prefix: string): void {
    for (const [key, frame] of this.#frames) if (key.startsWith(prefix)) this.#drop(key, frame);
  }

  clear(): void {
    this.#frames.clear();
    this.#free.length = 0;
    this.#bytes = 0;
  }

  #makeRoom(bytes: number): void {
    for (const [key, frame] of this.#frames) {
      if (this.#bytes + bytes <= CACHE_BYTES) break;
      this.#drop(key, frame);
    }
    const wanted = bytes === FRAME_RAW_MAX ? 1 : 0;
    const free = Math.floor((CACHE_BYTES - this.#bytes - bytes) / FRAME_RAW_MAX) + wanted;
    this.#free.length = Math.min(this.#free.length, Math.max(0, free));
  }

  #drop(key: string, { bytes, uses }: CachedFrame): void {
    this.#frames.delete(key);
    this.#bytes -= bytes.buffer.byteLength;
    // What is still looked at is left to whoever looks.
    if (uses === 0 && bytes.buffer.byteLength === FRAME_RAW_MAX) this.#free.push(bytes);
  }

  #take(bytes: number): Uint8Array {
    if (memoryOf(bytes) !== FRAME_RAW_MAX) return new Uint8Array(bytes);
    const { buffer } = this.#free.pop() ?? new Uint8Array(FRAME_RAW_MAX);
    return new Uint8Array(buffer, 0, bytes);
  }
}

/** How much memory a frame of so many bytes is given. */
function memoryOf(bytes: number): number {
  return bytes < REUSED_BYTES_MIN || bytes > FRAME_RAW_MAX ? bytes : FRAME_RAW_MAX;
}
