/** Computes MurmurHash3 x86 32-bit (Austin Appleby, public domain, `MurmurHash3_x86_32`). */

/** The hash of `bytes` under `seed`; unsigned 32 bits. Not safe against crafted input: bound whatever it decides. */
export function murmur3(bytes: Uint8Array, seed: number): number {
  const end = bytes.length & ~3;
  let h = seed | 0;
  for (let i = 0; i < end; i += 4) {
    h ^= scramble(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24));
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= end; i--) tail = (tail << 8) | bytes[i];
  if (bytes.length !== end) h ^= scramble(tail);
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function scramble(k: number): number {
  k = Math.imul(k, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}
