/** Whatever bytes the store's decoders get, they refuse with a code: they neither break, nor hang, nor take much memory. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter, crc32c, utf8 } from '#base';
import { CHUNK, NODE, hash } from '#object';
import { decodeLocation, encodeLocation, decodeWireIndex } from '#store';
import { CODEC_NONE, CODEC_ZSTD } from '../../src/store/compression.ts';
import { decodeHeader, decodeTrailer, encodeHeader, encodeTrailer } from '../../src/store/pack-format.ts';
import type { Row, SegmentInfo } from '../../src/store/pack-format.ts';
import { decodeChanges, decodeMeta, encodeChanges, encodeMeta } from '../../src/store/records.ts';
import { uncompressSnappy } from '../../src/store/snappy.ts';
import { expectRefusal, hostile } from '../hostile.ts';

const KIB = 1024;
const ID = new Uint8Array(16).fill(5);

function trailer(counts: readonly number[], alignment: number, start = 32): Uint8Array {
  const frames = new ByteWriter();
  const rows = new ByteWriter();
  counts.forEach((count, f) => {
    frames
      .u32(f % 2 === 0 ? count * 100 : 77)
      .u32(count * 100)
      .u32(count)
      .u8(f % 2 === 0 ? CODEC_NONE : CODEC_ZSTD);
    for (let i = 0; i < count; i++)
      rows
        .u8(i % 3)
        .u32(100)
        .bytes(hash(utf8(`${f} ${i}`)));
  });
  return encodeTrailer({ start, previous: 0, frames: frames.take(), rows: rows.take() }, alignment);
}

function crcAt(bytes: Uint8Array, fromEnd: number): Uint8Array {
  const sealed = Buffer.from(bytes);
  const at = sealed.length - fromEnd;
  if (at >= 0) sealed.writeUInt32LE(crc32c(sealed.subarray(0, at)), at);
  return sealed;
}

function headerCrc(bytes: Uint8Array): Uint8Array {
  const sealed = Buffer.from(bytes);
  if (sealed.length >= 32) sealed.writeUInt32LE(crc32c(sealed.subarray(0, 28)), 28);
  return sealed;
}

const trailers = [trailer([1, 3, 2], 512), trailer([], 512), trailer([40, 1], 4096)];
const OFFSET = 4096;

function expectSense({ start, previous, rows, end }: SegmentInfo, offset: number): void {
  expect(Number.isSafeInteger(start) && start >= 32 && start <= offset).toBe(true);
  expect(Number.isSafeInteger(previous) && previous >= 0 && previous <= start).toBe(true);
  expect(end).toBeGreaterThan(offset);
  for (const { frame, offset: inFrame, bytes } of rows) {
    expect(frame.offset).toBeGreaterThanOrEqual(start);
    expect(frame.offset + frame.storedBytes).toBeLessThanOrEqual(offset);
    expect(inFrame + bytes).toBeLessThanOrEqual(frame.rawBytes);
  }
}

describe('bytes that no art wrote', () => {
  test('as the header of a pack', () => {
    const valid = [512, 4096].map((alignment) => encodeHeader(ID, alignment));
    expectRefusal(hostile(valid, headerCrc), (bytes) => decodeHeader(bytes, 'it'), {
      codes: ['PACK_CORRUPT'],
      bytesMax: KIB,
      holds: ({ alignment }) => expect([512, 4096]).toContain(alignment),
    });
  });

  test('as the trailer of a segment', () => {
    const bad = hostile(trailers, (bytes) => crcAt(bytes, 12));
    expectRefusal(bad, (bytes) => decodeTrailer(bytes, OFFSET, 'it'), {
      codes: ['PACK_CORRUPT'],
      bytesMax: KIB,
      holds: (segment) => expectSense(segment, OFFSET),
    });
  });

  test('as the trailer of a segment that begins behind its end', () => {
    for (const start of [OFFSET + 1, OFFSET + 512])
      expect(() => decodeTrailer(trailer([], 512, start), OFFSET, 'it')).toThrow(
        expect.objectContaining({ code: 'PACK_CORRUPT' }) as Error,
      );
    expect(decodeTrailer(trailer([], 512, OFFSET), OFFSET, 'it').rows).toEqual([]);
  });

  test('as the index of a pack that travels', () => {
    const bad = hostile(trailers, (bytes) => crcAt(bytes, 12));
    expectRefusal(bad, (bytes) => decodeWireIndex(bytes, 'it'), {
      codes: ['PACK_CORRUPT'],
      bytesMax: KIB,
      holds: ({ packBytes, rows }) => {
        expect(packBytes % 512 === 0 && Number.isSafeInteger(packBytes)).toBe(true);
        for (const { frame } of rows) expect(frame.offset + frame.storedBytes).toBeLessThan(packBytes);
      },
    });
  });

  test('as the place of an object', () => {
    const row = (codec: 0 | 1): Row => ({
      kind: CHUNK,
      digest: hash(utf8('x')),
      bytes: 100,
      offset: 20,
      frame: { offset: 300, storedBytes: codec === 0 ? 500 : 90, rawBytes: 500, codec, rowCount: 3 },
    });
    const valid = [encodeLocation(3, row(0), undefined), encodeLocation(70_000, row(1), new Uint8Array(100))];
    expectRefusal(hostile(valid), decodeLocation, {
      codes: ['OBJECT_INVALID'],
      bytesMax: KIB,
      holds: ({ inFrame, bytes, rawBytes, storedBytes, inline }) => {
        expect(inFrame + bytes).toBeLessThanOrEqual(rawBytes);
        expect(Math.max(rawBytes, storedBytes)).toBeLessThanOrEqual(4 * KIB * KIB);
        expect(inline?.length ?? bytes).toBe(bytes);
      },
    });
  });

  test('as a list of records', () => {
    const changes = new Map([
      ['ref/artifacts/cifar', new Uint8Array(33)],
      ['gone', undefined],
      ['op/1', new Uint8Array(0)],
    ]);
    const [valid] = encodeChanges(changes);
    expect(decodeChanges(valid)).toEqual(
      new Map([...changes].map(([key, of]) => [key, of && Buffer.from(of)])),
    );
    expectRefusal(hostile([valid]), decodeChanges, { codes: ['OBJECT_INVALID'], bytesMax: 8 * KIB });
  });

  test("as the database's own record", () => {
    const valid = encodeMeta({ journal: 1, journalEnd: 2 ** 40, nextPack: 300, epoch: 7 });
    const reseal = (bytes: Uint8Array) => {
      const sealed = Buffer.from(bytes);
      if (sealed.length >= 4) sealed.writeUInt32LE(crc32c(sealed.subarray(4), crc32c(utf8('meta'))));
      return sealed;
    };
    expectRefusal(hostile([valid], reseal), decodeMeta, {
      codes: ['STORE_DAMAGED', 'OBJECT_INVALID'],
      bytesMax: KIB,
    });
  });

  test('as a Snappy block, which takes no more memory than its length can stand for', () => {
    const valid = [
      [10, 0, 97, ((9 - 4) << 2) | 1, 1],
      [6, 2 << 2, 97, 98, 99, (2 << 2) | 2, 3, 0],
      [70, 60 << 2, 69, ...new Array<number>(70).fill(120)],
    ].map((bytes) => Uint8Array.from(bytes));
    expectRefusal(hostile(valid), uncompressSnappy, { codes: ['OBJECT_INVALID'], bytesMax: 24 * KIB });
  });
});

test('a trailer is what it was encoded from', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 8 }), (counts) => {
      const { rows, end } = decodeTrailer(trailer(counts, 512), 1 << 20, 'it');
      expect(rows).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
      expect(end % 512).toBe(0);
      expect(rows.every(({ kind }) => kind === CHUNK || kind === NODE || kind === 2)).toBe(true);
    }),
  );
});
