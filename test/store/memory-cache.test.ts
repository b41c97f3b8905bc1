import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryStore } from '#store';

const key = fc.uint8Array({ minLength: 1, maxLength: 3 });
const change = fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }) });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('a cache in memory keeps what a map of rows would, whatever is put and deleted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 3000, size: 'max' }), key, async (changes, prefix) => {
      const { cache } = new MemoryStore();
      const map = new Map<string, string>();
      for (const { key, value } of changes) {
        if (value === undefined) {
          await cache.delete([key]);
          map.delete(hex(key));
        } else {
          await cache.put([{ key, value }]);
          map.set(hex(key), hex(value));
        }
      }
      const keys = changes.map((one) => one.key);
      const got = await cache.get(keys);
      expect(got.map((value) => value && hex(value))).toEqual(keys.map((one) => map.get(hex(one))));
      const start = prefix.subarray(0, 1);
      const rows = await cache.list(start, { limit: 10, after: prefix });
      const expected = [...map]
        .filter(([one]) => one.startsWith(hex(start)) && one > hex(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, 10);
      expect(rows.map((row) => [hex(row.key), hex(row.value)])).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

test('a row longer than its slabs, and the one after it, are kept', async () => {
  const { cache } = new MemoryStore();
  const rows = [1, 3_000_000, 5].map((length, i) => ({
    key: Buffer.from(`key ${i}`),
    value: Buffer.alloc(length, i + 1),
  }));
  await cache.put(rows);
  const got = await cache.get(rows.map((row) => row.key));
  expect(got.map((value, i) => Buffer.compare(value!, rows[i].value))).toEqual([0, 0, 0]);
});

test('a million places take at most 160 MB', { timeout: 120_000 }, async () => {
  const { cache } = new MemoryStore();
  const before = process.memoryUsage().arrayBuffers;
  for (let page = 0; page < 1000; page++) {
    const rows = Array.from({ length: 1000 }, (_, i) => {
      const digest = Buffer.alloc(71);
      digest.writeUInt32LE(page * 1000 + i, 60);
      return { key: digest, value: Buffer.alloc(22) };
    });
    await cache.put(rows);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(160_000_000);
});
