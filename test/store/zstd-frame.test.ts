import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { fromHex, utf8 } from '#base';
import { compress, decompress, loadCompression } from '../../src/store/compression.ts';
import { isOneFrame } from '../../src/store/zstd-frame.ts';

beforeAll(loadCompression);

const rows = utf8(Array.from({ length: 30 }, (_, i) => `row,${i + 1}\n`).join(''));
const packed = (raw: Uint8Array) => Buffer.from(compress(raw));

test('what is compressed here is one frame of the size it holds, and of no other', () => {
  const raws = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 9000 }))
      .map(([piece, times]) => Buffer.concat(Array.from({ length: times }, () => piece))),
  );
  fc.assert(
    fc.property(raws, (raw) => {
      const frame = packed(raw);
      expect(isOneFrame(frame, raw.length)).toBe(true);
      expect(isOneFrame(frame, raw.length + 1)).toBe(false);
      expect(isOneFrame(Buffer.concat([frame, Buffer.of(0)]), raw.length)).toBe(false);
      expect(isOneFrame(frame.subarray(0, -1), raw.length)).toBe(false);
    }),
  );
});

test('what is cut short anywhere is none', () => {
  const frame = packed(rows);
  for (let length = 0; length < frame.length; length++)
    expect(isOneFrame(frame.subarray(0, length), rows.length)).toBe(false);
});

// Made by `zstd` 1.5.4 of those rows, with a checksum.
const CHECKED = fromHex(
  '28b52ffd24c92d03000403726f772c310a726f772c3233343536373839313031323334353637383932303132333435363738390a726f772c' +
    '33300a1b0060081807060343c03830181802c60583e03230048c03838121601c180c0c01e3aa0c8263a0099003c7401320078ea52d7339ee' +
    '4604',
);

test('a checksum belongs to the frame', () => {
  expect(isOneFrame(CHECKED, rows.length)).toBe(true);
  expect(isOneFrame(CHECKED.subarray(0, -4), rows.length)).toBe(false);
});

const skippable = Buffer.concat([fromHex('502a4d1804000000'), Buffer.from('abcd')]);
const edited = (at: number, change: (byte: number) => number) => {
  const frame = packed(rows);
  frame[at] = change(frame[at]);
  return frame;
};

test.each([
  ['a skippable frame behind it', () => Buffer.concat([packed(rows), skippable])],
  ['a skippable frame before it', () => Buffer.concat([skippable, packed(rows)])],
  ['an empty frame behind it', () => Buffer.concat([packed(rows), packed(new Uint8Array(0))])],
  ['the magic number of an old format', () => edited(0, () => 0x27)],
  ['a reserved bit', () => edited(4, (byte) => byte | 0x08)],
  ['the id of a dictionary', () => edited(4, (byte) => byte | 0x01)],
])('a frame with %s is refused', (_, make) => {
  expect(isOneFrame(make(), rows.length)).toBe(false);
});

const block = (type: number, size: number, body: Uint8Array, isLast: boolean) => {
  const header = size * 8 + type * 2 + Number(isLast);
  return Buffer.concat([Buffer.of(header & 0xff, (header >> 8) & 0xff, header >> 16), body]);
};
/** Four bytes of size; `window` is the byte that tells it, undefined for a single segment. */
const frame = (window: number | undefined, rawBytes: number, ...blocks: Uint8Array[]) => {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(rawBytes);
  const head = window === undefined ? Buffer.of(0xa0) : Buffer.of(0x80, window);
  return Buffer.concat([fromHex('28b52ffd'), head, size, ...blocks]);
};
const LONG = 200_000;
const a = Buffer.of(0x61);

// WebAssembly reads the first three, and Node's own zstd refuses them; of the last it is the other way round.
test.each([
  ['a block that repeats a byte more than 128 Ki times', frame(undefined, LONG, block(1, LONG, a, true))],
  ['a plain block of more than 128 KiB', frame(undefined, LONG, block(0, LONG, Buffer.alloc(LONG), true))],
  [
    'a window that is less than it holds',
    frame(0, LONG, block(1, 100_000, a, false), block(1, 100_000, a, true)),
  ],
  [
    'a compressed block of nothing',
    frame(undefined, 100_000, block(2, 0, a.subarray(1), false), block(1, 100_000, a, true)),
  ],
])('a frame with %s is refused', (_, bytes) => {
  const rawBytes = Buffer.from(bytes).readUInt32LE(bytes[4] === 0x80 ? 6 : 5);
  expect(isOneFrame(bytes, rawBytes)).toBe(false);
});

test('the window is measured to the byte', () => {
  const blocks = [block(1, 100_000, a, false), block(1, 50_000, a, true)];
  const of = (window: number) => isOneFrame(frame(window, 150_000, ...blocks), 150_000);
  expect([(7 << 3) | 2, (7 << 3) | 1, (13 << 3) | 0, (13 << 3) | 1].map(of)).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test.each([
  [23, true],
  [24, false],
])('a window of 2^%i bytes: %s', (log, fine) => {
  // Two bytes of size, no single segment: as a frame of a long file would begin.
  const raw = Buffer.alloc(5000, 'a');
  const block = Buffer.of(
    ((5000 << 3) & 0xff) | 1 | (1 << 1),
    ((5000 << 3) >> 8) & 0xff,
    (5000 << 3) >> 16,
    0x61,
  );
  const frame = Buffer.concat([
    fromHex('28b52ffd'),
    Buffer.of(0x40, (log - 10) << 3, (5000 - 256) & 0xff, (5000 - 256) >> 8),
    block,
  ]);
  expect(isOneFrame(frame, raw.length)).toBe(fine);
  if (!fine) return;
  const into = Buffer.alloc(raw.length);
  decompress(frame, into);
  expect(into.equals(raw)).toBe(true);
});

const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array };
test.skipIf(zstdCompressSync === undefined)('what Node compresses is one frame', () => {
  for (const raw of [rows, Buffer.alloc(400_000, 'row,1\n')])
    expect(isOneFrame(zstdCompressSync!(raw), raw.length)).toBe(true);
});
