import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { fromHex, sleep, utf8 } from '#base';
import { compress, decompress, loadCompression } from '../../src/store/compression.ts';
import { wasmZstd } from '../../src/store/zstd-wasm.ts';
import { expectRefusal, hostile } from '../hostile.ts';

const CORRUPT = expect.objectContaining({ code: 'PACK_CORRUPT' }) as Error;
const rows = utf8(Array.from({ length: 30 }, (_, i) => `row,${i + 1}\n`).join(''));

/** What `zstd` 1.5.4, the reference, made of those rows. */
const REFERENCE = {
  'level 1, checked':
    '28b52ffd24c92d03000403726f772c310a726f772c3233343536373839313031323334353637383932303132333435363738390a726f772c' +
    '33300a1b0060081807060343c03830181802c60583e03230048c03838121601c180c0c01e3aa0c8263a0099003c7401320078ea52d7339ee' +
    '4604',
  'level 3, unchecked':
    '28b52ffd20c93d0300a402726f772c310a726f772c323334353637383931303131313131313131313232323232323232323233300a1c0060' +
    '081807060343c03830181802c681c1604812e39018ec8821468c2b623022860c314e88c1823082aa43d018100177a0312002ee406311ca1c',
  'level 19, checked':
    '28b52ffd24c90d0200b402726f772c310a726f772c32333435363738393130313233343536373839323031323334353637383933300a1ca8' +
    '10f0d637f0d5105a1faaf845aa76bc3833a539ee4604',
};

beforeAll(loadCompression);

function unpacked(bytes: Uint8Array, rawBytes: number): Uint8Array {
  const raw = new Uint8Array(rawBytes);
  decompress(bytes, raw);
  return raw;
}

describe('frames', () => {
  test.each(Object.entries(REFERENCE))('of the reference are read: %s', (_, hex) => {
    expect(Buffer.from(unpacked(fromHex(hex), rows.length)).equals(rows)).toBe(true);
  });

  const reference = spawnSync('zstd', ['--version']).status === 0;
  test.skipIf(!reference)('are read by the reference', () => {
    const { stdout } = spawnSync('zstd', ['-dc'], { input: compress(rows) });
    expect(stdout.equals(rows)).toBe(true);
  });

  test('give back what went in', () => {
    const some = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 3000 }))
        .map(([piece, times]) => Buffer.concat(Array.from({ length: times }, () => piece))),
    );
    fc.assert(
      fc.property(some, (raw) => {
        expect(Buffer.from(unpacked(compress(raw), raw.length)).equals(raw)).toBe(true);
      }),
    );
  });

  test('of another size than was said are refused', () => {
    const packed = Buffer.from(compress(rows));
    for (const bytes of [0, rows.length - 1, rows.length + 1, 2 ** 20])
      expect(() => unpacked(packed, bytes)).toThrow(CORRUPT);
  });

  test('that are damaged give the size that was said, or are refused', () => {
    const valid = [rows, Buffer.alloc(100_000, 'abc')].map((raw) => Buffer.from(compress(raw)));
    expectRefusal(hostile(valid), (bytes) => unpacked(bytes, rows.length), {
      codes: ['PACK_CORRUPT'],
      bytesMax: 1 << 20,
      holds: (raw) => expect(raw.length).toBe(rows.length),
    });
  });
});

describe('zstd as WebAssembly', () => {
  const raws = [rows, Buffer.alloc(300_000, 'row,1\n'), randomBytes(400_000), new Uint8Array(1)];

  test('in memory that is used again makes what the package makes', async () => {
    const zstd = await wasmZstd(3);
    const wasm = createRequire(import.meta.url)('@bokuweb/zstd-wasm') as typeof import('@bokuweb/zstd-wasm');
    for (const raw of [...raws, ...raws]) {
      const packed = Buffer.from(zstd.compress(raw));
      expect(packed.equals(wasm.compress(raw, 3))).toBe(true);
      const into = new Uint8Array(raw.length);
      expect(zstd.decompress(packed, into)).toBe(raw.length);
      expect(Buffer.from(into).equals(raw)).toBe(true);
      expect(() => zstd.decompress(packed, new Uint8Array(raw.length - 1))).toThrow();
      expect(() => zstd.decompress(packed.subarray(0, -1), into)).toThrow();
    }
  });

  test('may be loaded by many at the same time and again later', async () => {
    const several = [...(await Promise.all([wasmZstd(3), wasmZstd(3)])), await wasmZstd(3)];
    await sleep(200); // What a second instance would do to the first comes late.
    for (const zstd of [...several, ...several]) {
      const into = new Uint8Array(rows.length);
      expect(zstd.decompress(Buffer.from(zstd.compress(rows)), into)).toBe(rows.length);
      expect(Buffer.from(into).equals(rows)).toBe(true);
    }
  });

  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as Record<
    string,
    ((bytes: Uint8Array) => Uint8Array) | undefined
  >;
  test.skipIf(zstdCompressSync === undefined)('reads what Node writes, and the other way round', async () => {
    const zstd = await wasmZstd(3);
    for (const raw of raws) {
      const into = new Uint8Array(raw.length);
      zstd.decompress(zstdCompressSync!(raw), into);
      expect(Buffer.from(into).equals(raw)).toBe(true);
      expect(Buffer.from(zstdDecompressSync!(zstd.compress(raw))).equals(raw)).toBe(true);
    }
  });
});
