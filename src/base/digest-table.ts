/** Remembers 32-byte digests in typed arrays: about 45 bytes each, where a Set of strings takes 150. */

const DIGEST_BYTES = 32;

export class DigestTable {
  #digests: Uint8Array;
  #slots: Int32Array;
  #size = 0;

  constructor(capacity = 1024) {
    this.#digests = new Uint8Array(capacity * DIGEST_BYTES);
    this.#slots = new Int32Array(powerOfTwo(capacity * 2));
  }

  get size(): number {
    return this.#size;
  }

  /** Remembers `digest`; tells whether it was new. */
  add(digest: Uint8Array): boolean {
    const slot = this.#slotOf(digest);
    if (this.#slots[slot] !== 0) return false;
    if ((this.#size + 1) * DIGEST_BYTES > this.#digests.length) {
      this.#grow();
      return this.add(digest);
    }
    this.#digests.set(digest, this.#size * DIGEST_BYTES);
    this.#slots[slot] = ++this.#size;
    return true;
  }

  has(digest: Uint8Array): boolean {
    return this.#slots[this.#slotOf(digest)] !== 0;
  }

  /** The how-manieth digest this was to be added, from 0; -1 if it was not. */
  indexOf(digest: Uint8Array): number {
    return this.#slots[this.#slotOf(digest)] - 1;
  }

  /** Every digest in the order it was added; views that the next `add` may leave stale. */
  *[Symbol.iterator](): IterableIterator<Uint8Array> {
    for (let i = 0; i < this.#size; i++)
      yield this.#digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES);
  }

  clear(): void {
    this.#size = 0;
    this.#slots.fill(0);
  }

  #slotOf(digest: Uint8Array): number {
    const mask = this.#slots.length - 1;
    // A digest is random already. Not its first bytes: tables of one range of digests would crowd in a few slots.
    let slot = (digest[4] | (digest[5] << 8) | (digest[6] << 16) | (digest[7] << 24)) & mask;
    for (;;) {
      const index = this.#slots[slot];
      if (index === 0 || this.#equals(index - 1, digest)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #equals(index: number, digest: Uint8Array): boolean {
    const at = index * DIGEST_BYTES;
    for (let i = 0; i < DIGEST_BYTES; i++) if (this.#digests[at + i] !== digest[i]) return false;
    return true;
  }

  #grow(): void {
    const digests = new Uint8Array(this.#digests.length * 2);
    digests.set(this.#digests);
    this.#digests = digests;
    this.#slots = new Int32Array(powerOfTwo((digests.length / DIGEST_BYTES) * 2));
    for (let i = 0; i < this.#size; i++) {
      const slot = this.#slotOf(digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES));
      this.#slots[slot] = i + 1;
    }
  }
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
