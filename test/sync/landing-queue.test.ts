import { expect, test } from 'vitest';
import { CHUNK, NODE, hash } from '../../src/object/index.ts';
import { LandingQueue } from '../../src/sync/landing-queue.ts';
import type { Waiting } from '../../src/sync/landing-queue.ts';

const waiting = [0, 12, 5000, 256, 257, 70_000, 1].map((length, i) => {
  const bytes = new Uint8Array(length).fill(i + 1);
  return { kind: i % 3 === 0 ? NODE : CHUNK, digest: hash(bytes), bytes } as const;
});
const plain = (items: Iterable<Waiting>) =>
  [...items].map(({ kind, digest, bytes }) => ({
    kind,
    digest: Uint8Array.from(digest),
    bytes: Uint8Array.from(bytes),
  }));

test('what waits comes out in its order, whatever its length, as often as it is asked for', () => {
  const queue = new LandingQueue();
  for (const one of waiting) queue.push(one);
  expect(queue.length).toBe(waiting.length);
  expect(queue.bytes).toBe(waiting.reduce((sum, { bytes }) => sum + bytes.length, 0));
  for (let i = 0; i < 2; i++) expect(plain(queue)).toEqual(plain(waiting));
});

test('a queue that was cleared is filled anew', () => {
  const queue = new LandingQueue();
  for (const one of waiting) queue.push(one);
  queue.clear();
  expect([queue.length, queue.bytes, ...queue]).toEqual([0, 0]);
  for (const one of waiting.slice(2)) queue.push(one);
  expect(plain(queue)).toEqual(plain(waiting.slice(2)));
});
