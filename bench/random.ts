/** Makes the same random numbers and bytes on every machine and in every run. */
import { createCipheriv } from 'node:crypto';

/** sfc32 (Chris Doty-Humphrey, PractRand): small, fast, and good enough to look like data. */
export class Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9 | 0;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  /** A 32-bit integer, signed. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }

  /** An integer from 0 to `bound` - 1; `bound` ≤ 2^32. */
  below(bound: number): number {
    return Math.floor(((this.next() >>> 0) / 4294967296) * bound);
  }

  /** `count` different integers below `bound`, ascending. */
  choose(count: number, bound: number): number[] {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(count, bound)) chosen.add(this.below(bound));
    return [...chosen].sort((a, b) => a - b);
  }

  /** Fills `target` with bytes that no compressor can shrink. */
  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i += 4) {
      const word = this.next();
      target[i] = word;
      target[i + 1] = word >>> 8;
      target[i + 2] = word >>> 16;
      target[i + 3] = word >>> 24;
    }
  }
}

/** A stream of incompressible bytes at over 1 GB/s: AES-128 in counter mode over zeros. */
export function byteStream(seed: number): (length: number) => Uint8Array {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed >>> 0);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return (length) => cipher.update(Buffer.alloc(length));
}
