/** Proves that names come out the same whichever library computes them. */
import { expect, test } from 'vitest';
import { toHex } from '#base';
import { contentHasher, hash, hashImplementation, loadNativeHash, loadWasmHash } from '#object';
import { noise } from './samples.ts';

const native = loadNativeHash();
const wasm = loadWasmHash();
const sizes = [0, 1, 31, 63, 64, 65, 1023, 1024, 1025, 2048, 2049, 65_536, 1024 * 1024 + 3];

// From test_vectors.json of the BLAKE3 project: input bytes count 0, 1, …, 250, 0, 1, …
const vectors: Readonly<Record<number, string>> = {
  0: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  1: '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213',
};

test.for([wasm, ...(native ? [native] : [])])('$name gives the digests of the specification', (blake3) => {
  for (const [length, hex] of Object.entries(vectors)) {
    const input = Uint8Array.from({ length: Number(length) }, (_, i) => i % 251);
    expect(toHex(blake3.hash(input))).toBe(hex);
  }
});

test.skipIf(!native)('native and WASM agree, at once and in odd pieces', () => {
  for (const size of sizes) {
    const bytes = noise(size, size);
    const expected = toHex(wasm.hash(bytes));
    expect(toHex(native!.hash(bytes))).toBe(expected);
    for (const blake3 of [native!, wasm]) {
      const hasher = blake3.contentHasher();
      for (let at = 0, piece = 1; at < size; at += piece, piece = piece * 3 + 1) {
        hasher.update(bytes.subarray(at, at + piece));
      }
      expect(toHex(hasher.digest())).toBe(expected);
    }
  }
});

test.for([wasm, ...(native ? [native] : [])])('a $name hasher is new after reset', (blake3) => {
  const hasher = blake3.contentHasher();
  hasher.update(noise(5000));
  hasher.reset();
  hasher.update(noise(100));
  expect(toHex(hasher.digest())).toBe(toHex(blake3.hash(noise(100))));
  hasher.reset();
  expect(toHex(hasher.digest())).toBe(vectors[0]);
});

test('a digest is 32 bytes of its own, and no view of a pool', () => {
  for (const digest of [hash(noise(10)), wasm.hash(noise(10)), contentHasher().digest()]) {
    expect(digest.constructor).toBe(Uint8Array);
    expect(digest.buffer.byteLength).toBe(32);
  }
});

test('the default is native where it is installed', () => {
  expect(hashImplementation()).toBe(native ? 'native' : 'wasm');
});
