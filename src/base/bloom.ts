/** Remembers a set of digests in fixed memory; may say yes for one it never saw, never no for one it did. */
import { assert } from './assert.ts';

const PROBES = 6;

/** A Bloom filter over digests (B. H. Bloom, 1970); the digest's own words serve as its hashes. */
export class BloomFilter {
  readonly #bits: Uint8Array;
  readonly #mask: number;

  /** `bytes` is a power of two of at most 256 MiB; 16 bits a digest give one false yes in about 1,000. */
  constructor(bytes: number) {
    assert(bytes >= 4 && bytes <= 2 ** 28 && (bytes & (bytes - 1)) === 0);
    this.#bits = new Uint8Array(bytes);
    this.#mask = bytes - 1;
  }

  add(digest: Uint8Array): void {
    for (let probe = 0; probe < PROBES; probe++)
      this.#bits[this.#byteOf(digest, probe)] |= bitOf(digest, probe);
  }

  has(digest: Uint8Array): boolean {
    for (let probe = 0; probe < PROBES; probe++) {
      if ((this.#bits[this.#byteOf(digest, probe)] & bitOf(digest, probe)) === 0) return false;
    }
    return true;
  }

  #byteOf(digest: Uint8Array, probe: number): number {
    const at = probe * 4;
    return (
      (digest[at] | (digest[at + 1] << 8) | (digest[at + 2] << 16) | (digest[at + 3] << 24)) & this.#mask
    );
  }
}

function bitOf(digest: Uint8Array, probe: number): number {
  return 1 << (digest[24 + probe] & 7);
}
