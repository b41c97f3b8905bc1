import { expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import { WirePackBuilder, decodeWireIndex, openFrame } from '#store';
import type { StoredFrame, WirePack } from '#store';
import { compress } from '../../src/store/compression.ts';
import { dice } from '../dice.ts';

const tiny = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => Buffer.from(`object ${from + i}`));

function packed(builder: WirePackBuilder, objects: readonly Buffer[]): WirePack {
  for (const bytes of objects) builder.put(CHUNK, hash(bytes), bytes);
  return builder.seal();
}

test('an index stays what it is once its pack is released and the next ones are filled', async () => {
  const builder = await WirePackBuilder.make();
  const objects = tiny(0, 5000);
  const pack = packed(builder, objects);
  const whole = Buffer.concat(pack.parts);
  const index = Buffer.from(pack.index);
  expect(whole.subarray(-index.length)).toEqual(index);
  pack.release();
  await Promise.resolve();
  for (let i = 1; i < 4; i++) packed(builder, tiny(i * 10_000, i * 10_000 + 6000)).release();
  expect(index.equals(pack.index)).toBe(true);
  const { packBytes, rowCount, rows } = decodeWireIndex(pack.index, 'it');
  expect({ packBytes, rowCount }).toEqual({ packBytes: whole.length, rowCount: objects.length });
  expect(Array.from(rows, ({ digest }) => Buffer.from(digest))).toEqual(
    objects.map((bytes) => Buffer.from(hash(bytes))),
  );
});

test('a pack that is not released keeps its bytes while the next is filled', async () => {
  const builder = await WirePackBuilder.make();
  const pack = packed(builder, tiny(0, 5000));
  const before = Buffer.concat(pack.parts);
  packed(builder, tiny(10_000, 16_000));
  expect(Buffer.concat(pack.parts).equals(before)).toBe(true);
});

test('what was read into lent memory, frames too, is packed where it lies, and stays until its pack is released', async () => {
  const roll = dice(20261126);
  const builder = await WirePackBuilder.make();
  const waiting: { readonly pack: WirePack; readonly objects: readonly Buffer[] }[] = [];
  const memories = new Set<ArrayBufferLike>();
  for (let round = 0; round < 12; round++) {
    const objects: Buffer[] = [];
    for (let page = 0; page < 6; page++) {
      const contents = Array.from({ length: 1 + roll(12) }, () => content(roll));
      const memory = builder.lend(contents.reduce((sum, { length }) => sum + length + 9, 0));
      memories.add(memory.buffer);
      let at = 0;
      const read = contents.map((bytes) => {
        if (roll(3) === 0) return bytes; // As what came from a frame: in memory of its own.
        at += roll(2) * roll(9); // As a gap between two objects.
        memory.set(bytes, at);
        return memory.subarray(at, (at += bytes.length));
      });
      for (const bytes of read) {
        objects.push(Buffer.from(bytes));
        builder.put(CHUNK, hash(bytes), bytes);
      }
      memory.subarray(at).fill(0xee);
      const together = Array.from({ length: 1 + roll(9) }, () => Buffer.alloc(roll(9000), `${roll(1000)} `));
      const frame = frameOf(together);
      const place = roll(3) === 0 ? Buffer.alloc(frame.stored.length) : builder.lend(frame.stored.length + 9);
      if (place.byteLength > frame.stored.length) memories.add(place.buffer);
      place.set(frame.stored);
      builder.putFrame({ ...frame, stored: place.subarray(0, frame.stored.length) });
      place.subarray(frame.stored.length).fill(0xee);
      objects.push(...together);
    }
    waiting.push({ pack: builder.seal(), objects });
    if (waiting.length < 3) continue;
    const { pack, objects: expected } = waiting.shift()!;
    expect((await unpacked(pack)).map(digestOf).sort()).toEqual(expected.map(digestOf).sort());
    pack.release();
    await Promise.resolve();
  }
  expect(memories.size).toBeLessThan(12); // It was lent again and again.
});

test('what lies scattered in lent memory is copied: a pack holds little memory beside its own bytes', async () => {
  const builder = await WirePackBuilder.make();
  const roll = dice(20261127);
  let bytesLent = 0;
  for (let page = 0; page < 40; page++) {
    const memory = builder.lend(2_300_000);
    for (let i = 0; i < 128; i++) {
      const object = memory.subarray(i * 17_000, i * 17_000 + 1500);
      for (let j = 0; j < object.length; j++) object[j] = roll(256);
      bytesLent += object.length;
      builder.put(CHUNK, hash(object), object);
    }
  }
  const pack = builder.seal();
  const held = new Set(pack.parts.map(({ buffer }) => buffer));
  const bytesHeld = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(bytesHeld).toBeLessThan(2 * bytesLent);
  expect(await unpacked(pack)).toHaveLength(40 * 128);
});

/** Objects as they stand in a pack. */
function frameOf(objects: readonly Buffer[]): StoredFrame {
  const raw = Buffer.concat(objects);
  const ids = objects.map((bytes) => ({ kind: CHUNK, digest: hash(bytes) }) as const);
  const lengths = objects.map(({ length }) => length);
  return { ids, lengths, rawBytes: raw.length, codec: 1, stored: compress(raw) };
}

test('frames and objects keep their order in the rows, and a pack never has more of them than a segment may', async () => {
  const builder = await WirePackBuilder.make();
  const most = Array.from({ length: 40_000 }, (_, i) => Buffer.from(`${i}`));
  const few = Array.from({ length: 120 }, (_, i) => Buffer.from(`x${i}`));
  builder.putFrame(frameOf(few.slice(0, 100)));
  for (const bytes of few.slice(100, 120)) builder.put(CHUNK, hash(bytes), bytes);
  builder.putFrame(frameOf(most));
  expect([builder.takes(65_536 - 40_120), builder.takes(65_537 - 40_120)]).toEqual([true, false]);
  const pack = builder.seal();
  expect(pack.objects).toBe(40_120);
  expect(builder.takes(65_536)).toBe(true);
  const rows = [...decodeWireIndex(pack.index, 'it').rows];
  expect(rows.map(({ frame }) => frame.rowCount).filter((count, i, all) => count !== all[i - 1])).toEqual([
    100, 40_000, 20,
  ]);
  const names = [...few.slice(0, 100), ...most, ...few.slice(100, 120)].map((bytes) => digestOf(bytes));
  expect(rows.map(({ digest }) => Buffer.from(digest).toString('hex'))).toEqual(names);
});

function content(roll: (sides: number) => number): Buffer {
  const bytes = Buffer.alloc(1 + roll(200_000));
  if (roll(3) === 0) return bytes.fill('compressible ');
  for (let i = 0; i < bytes.length; i++) bytes[i] = roll(256);
  return bytes;
}

const digestOf = (bytes: Uint8Array) => Buffer.from(hash(bytes)).toString('hex');

/** What is in a pack, each object equal to its name. */
async function unpacked(pack: WirePack): Promise<Buffer[]> {
  const whole = Buffer.concat(pack.parts);
  const objects: Buffer[] = [];
  for (const { digest, bytes, offset, frame } of decodeWireIndex(pack.index, 'it').rows) {
    const stored = whole.subarray(frame.offset, frame.offset + frame.storedBytes);
    const object = Buffer.from((await openFrame(frame, stored)).subarray(offset, offset + bytes));
    expect(Buffer.from(hash(object))).toEqual(Buffer.from(digest));
    objects.push(object);
  }
  return objects;
}
