import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, compareBytes, compareUtf8, equalBytes, utf8 } from '#base';

/** One thing that can be written, and how it is read back. */
const value = fc.oneof(
  fc.record({ how: fc.constant('u8' as const), of: fc.integer({ min: 0, max: 255 }) }),
  fc.record({ how: fc.constant('u32' as const), of: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
  fc.record({ how: fc.constant('f64' as const), of: fc.double({ noNaN: true }) }),
  fc.record({ how: fc.constant('varint' as const), of: fc.maxSafeNat() }),
  fc.record({ how: fc.constant('sized' as const), of: fc.uint8Array({ maxLength: 600 }) }),
  fc.record({ how: fc.constant('text' as const), of: fc.string({ unit: 'grapheme' }) }),
);
type Value = typeof value extends fc.Arbitrary<infer T> ? T : never;

function written(values: readonly Value[]): Uint8Array {
  const writer = new ByteWriter(1);
  for (const { how, of } of values) (writer[how] as (of: unknown) => unknown).call(writer, of);
  return writer.take();
}

function readAll(bytes: Uint8Array, values: readonly Value[]): unknown[] {
  const reader = new ByteReader(bytes, 'a test');
  return values.map(({ how }) => reader[how]());
}

const INVALID = expect.objectContaining({ code: 'OBJECT_INVALID' }) as Error;

describe('what ByteWriter wrote', () => {
  test('ByteReader reads, whatever it is and however it grew', () => {
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const read = readAll(written(values), values).map((of) => (of instanceof Uint8Array ? [...of] : of));
        expect(read).toEqual(values.map(({ of }) => (of instanceof Uint8Array ? [...of] : of)));
      }),
    );
  });

  test('and was cut short is refused, wherever it was cut', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), fc.nat(), (values, where) => {
        const bytes = written(values);
        expect(() => readAll(bytes.subarray(0, where % bytes.length), values)).toThrow(INVALID);
      }),
    );
  });

  test('stays as it was when the writer is used again', () => {
    const writer = new ByteWriter().text('first');
    const taken = writer.take();
    writer.clear().text('other');
    expect(taken).toEqual(new ByteWriter().text('first').take());
  });
});

describe('any bytes', () => {
  test('are read or refused, never read past their end', () => {
    const reads = fc.constantFrom('u8', 'u32', 'f64', 'varint', 'sized', 'text');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(reads), (bytes, calls) => {
        const reader = new ByteReader(bytes, 'a test');
        try {
          for (const call of calls) reader[call]();
        } catch (error) {
          expect(error).toEqual(INVALID);
        }
        expect(reader.offset + reader.left).toBe(bytes.length);
        expect(reader.left).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test.each([
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['nine bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
  ])('a varint of %s is too large', (_, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes), 'it').varint()).toThrow(INVALID);
  });

  test('the largest varint is 2^53 - 1, in eight bytes', () => {
    const bytes = new ByteWriter().varint(Number.MAX_SAFE_INTEGER).take();
    expect([bytes.length, new ByteReader(bytes, 'it').varint()]).toEqual([8, Number.MAX_SAFE_INTEGER]);
  });

  test('a length below 0 is refused', () => {
    expect(() => new ByteReader(new Uint8Array(4), 'it').bytes(-1)).toThrow(INVALID);
  });

  test('that are no UTF-8 are no text', () => {
    expect(() => new ByteReader(Uint8Array.of(2, 0xc3, 0x28), 'it').text()).toThrow(INVALID);
  });
});

test('text is ordered as its bytes are', () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('a', 'é', '\u{ffff}', '\u{e000}', '\u{10000}'), fc.constant('b')),
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(compareBytes(utf8(a), utf8(b)));
      expect(equalBytes(utf8(a), utf8(b))).toBe(a === b);
    }),
  );
});
