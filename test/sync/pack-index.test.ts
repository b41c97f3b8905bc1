import { beforeAll, describe, expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import type { ObjectId } from '#object';
import { MemoryStore, WirePackBuilder } from '#store';
import type { Cache, WirePack } from '#store';
import { MemoryBucket } from '#sync';
import { compress, loadCompression } from '../../src/store/compression.ts';
import { newPackId } from '../../src/sync/keys.ts';
import { PackIndex } from '../../src/sync/pack-index.ts';
import type { IndexedPack } from '../../src/sync/pack-index.ts';
import { noise } from './samples.ts';

beforeAll(loadCompression);

const content = (i: number) => noise(i, 100 + (i % 50));
const idOf = (i: number): ObjectId => ({ kind: CHUNK, digest: hash(content(i)) });
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** A pack of the contents of these numbers: plain ones, and two in each frame that is compressed. */
async function packOf(numbers: readonly number[]): Promise<WirePack> {
  const builder = await WirePackBuilder.make();
  for (const [at, i] of numbers.entries()) {
    const pair = numbers.slice(at, at + 2);
    if (i % 4 === 0 && pair.length === 2) {
      const raw = Buffer.concat(pair.map(content));
      const stored = compress(raw);
      const lengths = pair.map((one) => content(one).length);
      builder.putFrame({ ids: pair.map(idOf), lengths, rawBytes: raw.length, codec: 1, stored });
    } else if (i % 4 !== 1 || at === 0) builder.put(CHUNK, idOf(i).digest, content(i));
  }
  return builder.seal();
}

const indexed = (pack: WirePack, time: number): IndexedPack => ({
  id: newPackId(time),
  bytes: pack.bytes,
  rows: pack.rows,
});

describe('what was sent is found', () => {
  test('as it is found by whoever reads the index', async () => {
    const packs = [indexed(await packOf(range(0, 5000)), 1), indexed(await packOf(range(6000, 6010)), 2)];
    const bucket = new MemoryBucket();
    const caches = [new MemoryStore().cache, new MemoryStore().cache];
    await new PackIndex(caches[0], bucket, 'id').addSent(packs);
    await new PackIndex(caches[1], bucket, 'id').add(packs);
    const ids = [...range(0, 5000), 5500, ...range(6000, 6010)].map(idOf);
    const [sent, read] = await Promise.all(
      caches.map(async (cache) => (await new PackIndex(cache, bucket, 'id').places(ids)).map(withoutNumber)),
    );
    expect(sent).toEqual(read);
    expect(sent.filter((places) => places.length === 1)).toHaveLength(5010);
    expect(sent[5000]).toEqual([]);
  });

  test('beside what is known already, whether that was loaded or added since', async () => {
    const cache = new MemoryStore().cache;
    const bucket = new MemoryBucket();
    const [first, second, third] = [1, 2, 3].map((time) => [time, range(0, 10)] as const);
    const packs: IndexedPack[] = [];
    for (const [time, numbers] of [first, second, third]) packs.push(indexed(await packOf(numbers), time));
    const one = new PackIndex(cache, bucket, 'id');
    await one.add([]);
    await one.addSent([packs[0]]);
    const other = new PackIndex(cache, bucket, 'id');
    await other.add([packs[1]]);
    await other.addSent([packs[2]]);
    const [places] = await new PackIndex(cache, bucket, 'id').places([idOf(7)]);
    expect(places.map(({ pack }) => pack)).toEqual(packs.map(({ id }) => id));
  });

  test.each(['add', 'addSent'] as const)('all of a pack, or the pack is not known: %s', async (add) => {
    const pack = indexed(await packOf(range(0, 100)), 1);
    const ids = range(0, 100).map(idOf);
    for (const most of [0, 1, 50, 99, 100, 101]) {
      const { cache } = new MemoryStore();
      const breaking: Cache = {
        get: (keys) => cache.get(keys),
        list: (prefix, page) => cache.list(prefix, page),
        delete: (keys) => cache.delete(keys),
        put: async (rows) => {
          let left = most;
          for (const row of rows) {
            if (left-- === 0) throw new Error('the power is gone');
            await cache.put([row]);
          }
        },
      };
      await new PackIndex(breaking, new MemoryBucket(), 'id')[add]([pack]).catch(() => undefined);
      const places = await new PackIndex(cache, new MemoryBucket(), 'id').places(ids);
      expect(places.filter((found) => found.length > 0)).toHaveLength(most > 100 ? 100 : 0);
    }
  });

  test('also where one object stands in many packs of one write', async () => {
    const cache = new MemoryStore().cache;
    const packs: IndexedPack[] = [];
    for (const time of range(1, 6)) packs.push(indexed(await packOf(range(0, 1500)), time));
    const index = new PackIndex(cache, new MemoryBucket(), 'id');
    await index.add(packs);
    for (const places of await index.places([idOf(0), idOf(1499)]))
      expect(places.map(({ pack }) => pack)).toEqual(packs.map(({ id }) => id));
  });
});

// Packs are numbered by chance.
function withoutNumber(places: Awaited<ReturnType<PackIndex['places']>>[number]): unknown[] {
  return places.map(({ location, ...place }) => ({ ...place, location: { ...location, pack: 0 } }));
}
