/** Makes bytes that no encoder wrote, and watches what a decoder does with them. */
import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { isArtError } from '#base';
import type { ErrorCode } from '#base';

/** Numbers that decoders like to be hurt by, as they stand in bytes. */
const EDGES = [
  [0],
  [0x7f],
  [0x80],
  [0xff],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], // NaN as a double
  [0, 0, 0, 0, 0, 0, 0xf0, 0x7f], // infinity
  [0, 0, 0, 0, 0, 0, 0xf0, 0xbf], // -1
  [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], // 1
  [0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x40, 0x40], // 32.8
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], // the largest varint
];

const change = fc.oneof(
  fc.record({
    how: fc.constant('set' as const),
    at: fc.nat(),
    of: fc.uint8Array({ minLength: 1, maxLength: 9 }),
  }),
  fc.record({ how: fc.constant('set' as const), at: fc.nat(), of: fc.constantFrom(...EDGES) }),
  fc.record({ how: fc.constant('cut' as const), at: fc.nat(), of: fc.nat(64) }),
  fc.record({ how: fc.constant('insert' as const), at: fc.nat(), of: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ how: fc.constant('end' as const), at: fc.nat(), of: fc.constant(0) }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Uint8Array, { how, at, of }: Change): Uint8Array {
  const from = bytes.length === 0 ? 0 : at % bytes.length;
  const [head, tail] = [bytes.subarray(0, from), bytes.subarray(from)];
  if (how === 'end') return head;
  if (how === 'cut') return Buffer.concat([head, tail.subarray(of)]);
  if (how === 'insert') return Buffer.concat([head, of, tail]);
  return Buffer.concat([head, Uint8Array.from(of), tail.subarray(of.length)]);
}

/**
 * Valid bytes with one to four changes, and any bytes at all. `reseal` mends what would refuse them at once, a checksum,
 * in half of them.
 */
export function hostile(
  valid: readonly Uint8Array[],
  reseal: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([bytes, changes, again]) => {
      const bad = changes.reduce(changed, bytes);
      return again ? reseal(bad) : bad;
    });
  const any = fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.boolean());
  return fc.oneof(
    { weight: 4, arbitrary: mutated },
    any.map(([bytes, again]) => (again ? reseal(bytes) : bytes)),
  );
}

/** How often each decoder is tried; many by hand: `ART_FUZZ=100000`. */
export const RUNS = Number(process.env['ART_FUZZ'] ?? 1000);

/** Watches what memory is taken for bytes, until it is disposed of. */
export class MemoryWatch implements Disposable {
  /** The largest piece that was taken at once. */
  largest = 0;
  readonly #spies = (['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const).map((name) => {
    const real = Buffer[name].bind(Buffer) as (bytes: number) => Buffer<ArrayBuffer>;
    return vi.spyOn(Buffer, name).mockImplementation((bytes: number) => {
      this.largest = Math.max(this.largest, bytes);
      return real(bytes);
    });
  });

  [Symbol.dispose](): void {
    for (const spy of this.#spies) spy.mockRestore();
  }
}

/**
 * Expects that `decode` gives something that `holds`, or refuses with one of `codes`, whatever it gets; that it takes no
 * more than `bytesMax` at once, and is done in the time of a test.
 */
export function expectRefusal<T>(
  bytes: fc.Arbitrary<Uint8Array>,
  decode: (bytes: Uint8Array) => T,
  by: {
    readonly codes: readonly ErrorCode[];
    readonly bytesMax: number;
    readonly holds?: (value: T) => void;
  },
): void {
  fc.assert(
    fc.property(bytes, (bad) => {
      using memory = new MemoryWatch();
      try {
        const value = decode(bad);
        expect(memory.largest).toBeLessThanOrEqual(by.bytesMax);
        by.holds?.(value);
      } catch (error) {
        if (!isArtError(error) || !by.codes.includes(error.code)) throw error;
        expect(memory.largest).toBeLessThanOrEqual(by.bytesMax);
      }
    }),
    { numRuns: RUNS },
  );
}
