import { beforeAll, expect, test } from 'vitest';
import { equalBytes } from '#base';
import { CHUNK, hash } from '#object';
import { MemoryStore, WirePackBuilder } from '#store';
import { MemoryBucket } from '#sync';
import { compress, loadCompression } from '../../src/store/compression.ts';
import { bytesBody } from '../../src/sync/bucket.ts';
import { indexKey, newPackId, packKey } from '../../src/sync/keys.ts';
import { Landing } from '../../src/sync/landing.ts';
import { PackIndex } from '../../src/sync/pack-index.ts';
import { ReadRooms } from '../../src/sync/read-rooms.ts';
import { RemoteReader } from '../../src/sync/remote-reader.ts';
import { noise } from './samples.ts';

const MIB = 1024 * 1024;

beforeAll(loadCompression);

test('memory lent for one window never overlaps, and is lent again once it is given back', () => {
  const rooms = new ReadRooms();
  const seen = new Set<ArrayBufferLike>();
  for (let window = 0; window < 20; window++) {
    const { memory, giveBack } = rooms.lend();
    const lent = [3 * MIB, 100, 2 * MIB, MIB, 5 * MIB, 7].map((bytes) => memory(bytes));
    lent.forEach((part, i) => part.fill(i));
    lent.forEach((part, i) => expect([part[0], part.at(-1)]).toEqual([i, i]));
    for (const { buffer } of lent.filter(({ length }) => length <= 4 * MIB)) seen.add(buffer);
    giveBack();
    giveBack(); // Twice is once.
  }
  expect(seen.size).toBe(2);
});

test('many small reads share memory', () => {
  const { memory } = new ReadRooms().lend();
  const buffers = new Set(Array.from({ length: 1000 }, () => memory(5000).buffer));
  expect(buffers.size).toBe(2);
});

test('what has landed is told once everything taken before is in the store, and not before', async () => {
  const landing = new Landing(new MemoryStore());
  const told: string[] = [];
  landing.whenLanded(() => told.push('nothing waited'));
  const bytes = Buffer.alloc(1000, 'x');
  await landing.put(CHUNK, hash(bytes), bytes);
  landing.whenLanded(() => told.push('landed'));
  expect(told).toEqual(['nothing waited']);
  await landing.flush();
  expect(told).toEqual(['nothing waited', 'landed']);
});

test('frames of next to nothing do not hold the memory that they lie in until they are many megabytes', async () => {
  const landing = new Landing(new MemoryStore());
  let landed = 0;
  for (let i = 0; i < 200; i++) {
    const halves = ['a', 'b'].map((half) => Buffer.alloc(256 * 1024, `${half}${i} `));
    const raw = Buffer.concat(halves);
    const frame = {
      ids: halves.map((half) => ({ kind: CHUNK, digest: hash(half) }) as const),
      lengths: halves.map(({ length }) => length),
      rawBytes: raw.length,
      codec: 1 as const,
      stored: Buffer.from(compress(raw)),
      inline: [],
    };
    await landing.putFrame(frame);
    landing.whenLanded(() => landed++);
  }
  expect(landed).toBeGreaterThan(60);
});

test('what lies scattered in a pack is read into no memory that is held until it has landed', async () => {
  const objects = Array.from({ length: 2000 }, (_, i) => noise(i, 1500));
  const ids = objects.map((bytes) => ({ kind: CHUNK, digest: hash(bytes) }) as const);
  const builder = await WirePackBuilder.make();
  for (const [i, { kind, digest }] of ids.entries()) builder.put(kind, digest, objects[i]);
  const pack = builder.seal();
  const bucket = new MemoryBucket();
  const id = newPackId(Date.now());
  await bucket.putIfAbsent(packKey(id), bytesBody(Buffer.concat(pack.parts)));
  await bucket.putIfAbsent(indexKey(id), bytesBody(pack.index));
  const reader = new RemoteReader(bucket, new PackIndex(new MemoryStore().cache, bucket, 'id'));
  const lentFor = async (step: number) => {
    let bytesLent = 0;
    const lend = (bytes: number) => {
      bytesLent += bytes;
      return Buffer.alloc(bytes);
    };
    const some = ids.filter((_, i) => i % step === 0);
    const read = await reader.getAt(some, await reader.places(some), lend);
    expect(read.every((bytes, i) => equalBytes(hash(bytes), some[i].digest))).toBe(true);
    return bytesLent;
  };
  expect(await lentFor(10)).toBe(0);
  expect(await lentFor(1)).toBe(2000 * 1500);
});
