/** Proves that cuts depend on content alone: not on pieces, scanner, or what a chunker did before. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes } from '#base';
import { CHUNK_BYTES_AVERAGE, CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, Chunker, cutOffsets, hash } from '#object';
import { plainScanner, SCAN_BYTES_MAX } from '../../src/object/gear.ts';
import { GEAR_WASM_BASE64, wasmScanner } from '../../src/object/gear-wasm.ts';
import { noise } from './samples.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** The rule word for word, over the whole file: slow, and with no state to get wrong. */
function cutsByTheBook(bytes: Uint8Array): number[] {
  if (bytes.length <= 256 * KIB) return [bytes.length];
  const gear = Array.from({ length: 256 }, (_, i) => Buffer.from(hash(Uint8Array.of(i))).readUInt32LE(0));
  const bits = new Uint8Array(bytes.length + 1);
  let h = 0;
  for (let p = 1; p <= bytes.length; p++) {
    h = (h * 2 + gear[bytes[p - 1]]) % 2 ** 32;
    bits[p] = Math.clz32(h);
  }
  const cuts: number[] = [];
  for (let s = 0; s < bytes.length; s = cuts.at(-1)!) {
    let p = s + 16 * KIB;
    while (p < s + 256 * KIB && p < bytes.length && bits[p] < (p - s <= 64 * KIB ? 18 : 14)) p++;
    cuts.push(Math.min(p, bytes.length));
  }
  return cuts;
}

const text = Buffer.from(
  Array.from({ length: 40_000 }, (_, i) => `${i},${(i * 7919) % 1000},label ${i % 17}\n`).join(''),
);
const period = noise(1000, 5);
const inputs: Readonly<Record<string, Uint8Array>> = {
  noise: noise(2 * MIB + 12_345),
  zeros: new Uint8Array(MIB + 1),
  'a repeated kilobyte': Uint8Array.from({ length: MIB }, (_, i) => period[i % period.length]),
  text,
  'noise, zeros, noise': Buffer.concat([noise(300 * KIB, 1), new Uint8Array(600 * KIB), noise(300 * KIB, 2)]),
};

describe.for(Object.entries(inputs))('%s', ([, bytes]) => {
  const expected = cutsByTheBook(bytes);

  test('is cut by the book, by both scanners', () => {
    expect(cutOffsets(bytes, { scanner: 'wasm' })).toEqual(expected);
    expect(cutOffsets(bytes, { scanner: 'plain' })).toEqual(expected);
  });

  test('is cut the same in any pieces and any space', () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 300 * KIB }),
      fc.constantFrom(0, 16 * KIB, 64 * KIB, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1),
    );
    const pieces = fc.array(size, { minLength: 1, maxLength: 5 }).map((sizes) => [...sizes, 100 * KIB]);
    const scanner = fc.constantFrom('plain' as const, 'wasm' as const);
    const spaceBytes = fc.constantFrom(40 * KIB, 256 * KIB, 300_001, MIB);
    fc.assert(
      fc.property(pieces, scanner, spaceBytes, (pieces, scanner, spaceBytes) => {
        expect(cutOffsets(bytes, { pieces, scanner, spaceBytes })).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  test('has chunks within their bounds', () => {
    const lengths = expected.map((end, i) => end - (expected[i - 1] ?? 0));
    for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(CHUNK_BYTES_MIN);
    for (const length of lengths) expect(length).toBeLessThanOrEqual(CHUNK_BYTES_MAX);
  });
});

test('the cuts of a known input never change', () => {
  const golden = JSON.parse(readFileSync(new URL('golden/cuts.json', import.meta.url), 'utf8')) as object;
  expect({ noise: cutOffsets(noise(4 * MIB)), zeros: cutOffsets(new Uint8Array(600_000)) }).toEqual(golden);
});

test('an average chunk is about as long as said', () => {
  const bytes = inputs['noise'];
  const average = bytes.length / cutOffsets(bytes).length;
  expect(average).toBeGreaterThan(CHUNK_BYTES_AVERAGE);
  expect(average).toBeLessThan(1.4 * CHUNK_BYTES_AVERAGE);
});

test('a file no longer than a chunk is one, an empty file an empty one', () => {
  for (const length of [0, 1, CHUNK_BYTES_MIN, CHUNK_BYTES_MAX]) {
    expect(cutOffsets(noise(length), { pieces: [70_000] })).toEqual([length]);
  }
  expect(cutOffsets(noise(CHUNK_BYTES_MAX + 1)).length).toBeGreaterThan(1);
});

test('an insertion changes the chunks around it only', () => {
  const bytes = inputs['noise'];
  const edited = Buffer.concat([bytes.subarray(0, MIB), noise(77, 9), bytes.subarray(MIB)]);
  const before = new Set(cutOffsets(bytes));
  const moved = cutOffsets(edited).filter((cut) => !before.has(cut > MIB ? cut - 77 : cut));
  expect(moved.length).toBeLessThanOrEqual(3);
});

test('chunks are the bytes of the file, file after file, whatever a file before left undone', () => {
  const chunker = new Chunker({ spaceBytes: 200_000 });
  chunker.space();
  chunker.take(150_000, { last: false });
  for (const bytes of [inputs['noise'], noise(10), new Uint8Array(0), inputs['text']]) {
    chunker.reset();
    const chunks: Uint8Array[] = [];
    for (let at = 0, last = false; !last;) {
      const part = bytes.subarray(at, at + 123_457);
      at += part.length;
      last = at === bytes.length;
      chunker.space().set(part);
      const count = chunker.take(part.length, { last });
      for (let i = 0; i < count; i++) chunks.push(chunker.chunk(i).slice());
    }
    expect(equalBytes(Buffer.concat(chunks), bytes)).toBe(true);
    expect(chunks.length).toBe(cutOffsets(bytes).length);
  }
});

test('an end that is learnt late, by reading nothing more, cuts the same', () => {
  const bytes = inputs['text'];
  const chunker = new Chunker();
  chunker.space().set(bytes);
  const early = chunker.take(bytes.length, { last: false });
  chunker.space();
  expect(early + chunker.take(0, { last: true })).toBe(cutOffsets(bytes).length);
});

test('a scan keeps up when every byte is a candidate', () => {
  // No real byte repeats into a candidate everywhere, so the scanners are asked by their interface alone: dense runs
  // come from a table that is all zeros, which makes every hash 0.
  const wasm = wasmScanner(SCAN_BYTES_MAX)!;
  new Uint32Array(wasm.buffer.buffer, 0, 256).fill(0);
  expect(wasm.scan(0, SCAN_BYTES_MAX)).toBe(SCAN_BYTES_MAX);
  for (let i = 0; i < SCAN_BYTES_MAX; i++) if (wasm.candidates[i] !== (i + 1) * 2 + 1) expect.fail(`at ${i}`);
});

test('scans of every short length agree, so no lane starts or ends askew', () => {
  const bytes = noise(2000, 3);
  const period = Uint8Array.from({ length: SCAN_BYTES_MAX }, (_, i) => bytes[i % 2000]);
  const wasm = wasmScanner(SCAN_BYTES_MAX)!;
  const plain = plainScanner(SCAN_BYTES_MAX);
  wasm.buffer.set(period);
  plain.buffer.set(period);
  let at = 0;
  for (let length = 0; length < 600; length++) {
    const count = wasm.scan(at, length);
    expect(plain.scan(at, length)).toBe(count);
    expect([...wasm.candidates.subarray(0, count)]).toEqual([...plain.candidates.subarray(0, count)]);
    at += length;
  }
  expect(at).toBeGreaterThan(SCAN_BYTES_MAX / 2);
});

test('the embedded code is gear.wat, compiled', async () => {
  const { default: load } = await import('wabt');
  const wat = readFileSync(new URL('../../src/object/gear.wat', import.meta.url), 'utf8');
  const module = (await load()).parseWat('gear.wat', wat, { bulk_memory: true });
  module.validate();
  expect(Buffer.from(module.toBinary({}).buffer).toString('base64')).toBe(GEAR_WASM_BASE64);
});
