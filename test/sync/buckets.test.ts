import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FolderBucket, MemoryBucket, checkBucket, counting, verdictOf } from '#sync';
import { body, bucketContract, textAt } from '../contract/bucket.ts';
import { farFs, nearFs } from '../../src/sync/folder-fs.ts';
import { keysOf } from './samples.ts';
import { FaultyBucket } from './faulty-bucket.ts';

const scratch = mkdtempSync(join(tmpdir(), 'art-buckets-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

bucketContract('MemoryBucket', async () => new MemoryBucket());
for (const [kind, fs] of Object.entries({ near: nearFs, far: farFs }))
  bucketContract(
    `FolderBucket, on a file system that is ${kind}`,
    async () => new FolderBucket(mkdtempSync(join(scratch, 'folder-')), { fs }),
  );
bucketContract('a bucket that is counted', async () => counting(new MemoryBucket()));
bucketContract('a bucket without faults', async () => new FaultyBucket(new MemoryBucket(), 1));

const quick = { depth: 'quick', now: Date.now } as const;

describe('the check of a bucket', () => {
  test('finds out a store that forgets conditions, and removes what it made all the same', async () => {
    const inner = new MemoryBucket();
    const results = await checkBucket(new FaultyBucket(inner, 1, { forgetConditions: true }), quick);
    expect(verdictOf(results)).toBe('single');
    const failed = results.filter(({ ok, needed }) => !ok && needed === 'sharing').map(({ check }) => check);
    expect(failed).toEqual(['create once', 'refuse a stale swap', 'race to create']);
    expect(await keysOf(inner, '')).toEqual([]);
  });

  test('finds out a store that lists late', async () => {
    const results = await checkBucket(new FaultyBucket(new MemoryBucket(), 1, { listLate: 20 }), quick);
    expect(results.find(({ check }) => check === 'list after put')?.ok).toBe(false);
    expect(verdictOf(results)).toBe('single');
  });

  test('finds out a store that gives other bytes than it took', async () => {
    for (const faults of [{ flip: 1 }, { truncate: 1 }, { breakOff: 1 }]) {
      const results = await checkBucket(new FaultyBucket(new MemoryBucket(), 3, faults), quick);
      expect(verdictOf(results)).toBe('unusable');
    }
  });

  test('says how far the clocks are apart', async () => {
    const bucket = new MemoryBucket({ now: () => Date.now() - 3_600_000 });
    const clock = (await checkBucket(bucket, quick)).find(({ check }) => check === 'clock');
    expect(clock).toMatchObject({ ok: false, needed: 'advice' });
    expect(clock?.detail).toMatch(/ahead/);
  });

  test('raises what keeps it from asking', async () => {
    const bucket = new FaultyBucket(new MemoryBucket(), 1, { fail: 1 });
    await expect(checkBucket(bucket, quick)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
  });

  test('puts up with writes that are delivered twice', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const bucket = new FaultyBucket(new MemoryBucket(), seed, {
        duplicate: 0.5,
        // What is delivered again after it was deleted is there again: no name is used twice for that reason.
        where: (_method, key) => !key.endsWith('/delete'),
      });
      expect(verdictOf(await checkBucket(bucket, quick)), `seed ${seed}`).toBe('shared');
    }
  });
});

describe('a faulty bucket', () => {
  test('is faulty in the same way for the same seed', async () => {
    const run = async () => {
      const bucket = new FaultyBucket(new MemoryBucket(), 42, { fail: 0.3, loseReply: 0.3, flip: 0.5 });
      const told: string[] = [];
      for (let i = 0; i < 50; i++) {
        const key = `a/${i % 10}`;
        told.push(await bucket.putIfAbsent(key, body(`${i}`)).then(String, (error) => error.code as string));
        told.push(await textAt(bucket, key).then(String, (error) => error.code as string));
      }
      return told;
    };
    const told = await run();
    expect(told).toContain('REMOTE_UNCERTAIN');
    expect(told).toContain('REMOTE_UNREACHABLE');
    expect(await run()).toEqual(told);
  });

  test('has done what it did not answer', async () => {
    const inner = new MemoryBucket();
    const bucket = new FaultyBucket(inner, 1, { loseReply: 1 });
    await expect(bucket.putIfAbsent('a', body('done'))).rejects.toMatchObject({ code: 'REMOTE_UNCERTAIN' });
    expect(await textAt(inner, 'a')).toBe('done');
  });

  test('fails at the call it is told to', async () => {
    const bucket = new FaultyBucket(new MemoryBucket(), 1, { failAt: 2 });
    await bucket.putIfAbsent('a', body('1'));
    await expect(bucket.putIfAbsent('b', body('2'))).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    expect(await bucket.putIfAbsent('b', body('2'))).toBeDefined();
  });
});

test('a bucket counts what it is asked', async () => {
  const bucket = counting(new MemoryBucket());
  for (let i = 0; i < 1001; i++) await bucket.putIfAbsent(`k${String(i).padStart(5, '0')}`, body('12345'));
  await keysOf(bucket, '');
  await textAt(bucket, 'k00000');
  expect(bucket.traffic).toEqual({ requests: 1001 + 2 + 1, bytesSent: 5005, bytesReceived: 5 });
});
