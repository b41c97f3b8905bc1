import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BloomFilter, DigestTable, toHex } from '#base';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
/** Digests that all want one slot. */
const crowded = digest.map((bytes) => {
  bytes.fill(7, 4, 8);
  return bytes;
});

test.each([
  ['any digests', digest],
  ['digests that all want one slot', crowded],
])('a table of %s is as a map that counts', (_, one) => {
  const steps = fc.array(fc.tuple(fc.constantFrom('add', 'add', 'add', 'has', 'clear'), one), {
    maxLength: 90,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const table = new DigestTable(2);
      const model = new Map<string, number>();
      for (const [step, bytes] of list) {
        const name = toHex(bytes);
        if (step === 'add') {
          expect(table.add(bytes)).toBe(!model.has(name));
          if (!model.has(name)) model.set(name, model.size);
        } else if (step === 'has') expect(table.has(bytes)).toBe(model.has(name));
        else {
          table.clear();
          model.clear();
        }
        expect(table.indexOf(bytes)).toBe(model.get(name) ?? -1);
        expect(table.size).toBe(model.size);
      }
      expect([...table].map(toHex)).toEqual([...model.keys()]);
    }),
  );
});

test('a table remembers a copy', () => {
  const table = new DigestTable();
  const bytes = new Uint8Array(32).fill(1);
  table.add(bytes);
  bytes.fill(2);
  expect([table.has(bytes), table.has(new Uint8Array(32).fill(1))]).toEqual([false, true]);
});

/** The digest of the how-manieth number: random enough, the same every time. */
function digestOf(i: number): Uint8Array {
  const bytes = new Uint8Array(32);
  const view = new DataView(bytes.buffer);
  for (let word = 0, x = Math.imul(i + 1, 2654435761); word < 8; word++) {
    x = Math.imul(x ^ (x >>> 15), 2246822519) + word;
    x = Math.imul(x ^ (x >>> 13), 3266489917);
    view.setUint32(word * 4, x ^ (x >>> 16));
  }
  return bytes;
}

test('a Bloom filter never says no for what it saw, and rarely yes for what it did not', () => {
  const count = 8192;
  const filter = new BloomFilter(2 * count); // 16 bits each
  for (let i = 0; i < count; i++) filter.add(digestOf(i));
  let lies = 0;
  for (let i = 0; i < count; i++) {
    expect(filter.has(digestOf(i))).toBe(true);
    if (filter.has(digestOf(count + i))) lies++;
  }
  expect(lies / count).toBeLessThan(0.004);
});

test('a Bloom filter takes memory in powers of two, within bounds', () => {
  for (const bytes of [0, 2, 3, 1000, 2 ** 29]) expect(() => new BloomFilter(bytes)).toThrow();
});
