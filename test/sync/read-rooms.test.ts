import { expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import { MemoryStore } from '#store';
import { Landing } from '../../src/sync/landing.ts';
import { ReadRooms } from '../../src/sync/read-rooms.ts';

const MIB = 1024 * 1024;

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
