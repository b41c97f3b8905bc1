import { expect, test } from 'vitest';
import { ByteWriter } from '#base';
import {
  HEADER_BYTES,
  JOURNAL_ALIGNMENT,
  SEGMENT_ROWS_MAX,
  decodeTrailer,
  encodeTrailer,
} from '../../src/store/pack-format.ts';

/** A trailer whose sums are right: frames of no bytes, and `rows` empty chunks in the first. */
function trailer(frames: number, rows: number): Uint8Array {
  const frameBytes = new ByteWriter(frames * 13);
  for (let i = 0; i < frames; i++)
    frameBytes
      .u32(0)
      .u32(0)
      .u32(i === 0 ? rows : 0)
      .u8(0);
  const parts = {
    start: HEADER_BYTES,
    previous: 0,
    frames: frameBytes.take(),
    rows: new Uint8Array(rows * 37),
  };
  return encodeTrailer(parts, JOURNAL_ALIGNMENT);
}

const decode = (bytes: Uint8Array) => decodeTrailer(bytes, HEADER_BYTES, 'it');

test('a trailer with more rows or frames than any segment has is refused before it takes memory', () => {
  expect(decode(trailer(1, SEGMENT_ROWS_MAX)).rows).toHaveLength(SEGMENT_ROWS_MAX);
  for (const bytes of [trailer(1, 400_000), trailer(1_000_000, 1)]) {
    expect(bytes.length).toBeLessThan(16 * 1024 * 1024);
    const before = process.memoryUsage().heapUsed;
    expect(() => decode(bytes)).toThrow('has more rows or frames than a segment may');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 1024 * 1024);
  }
});
