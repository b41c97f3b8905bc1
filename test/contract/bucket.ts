/** The promises of Bucket, run against every bucket there is: what a user can check, and what only a test can. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesBody, checkBucket, readAll, verdictOf } from '#sync';
import type { Body, Bucket } from '#sync';
import { keysOf } from '../sync/samples.ts';

const SLOW_MS = 60_000;

export const body = (text: string): Body => bytesBody(Buffer.from(text));

export async function textAt(bucket: Bucket, key: string): Promise<string | undefined> {
  const got = await bucket.get(key);
  return got && Buffer.from((await readAll(got.body, 1e8)) ?? []).toString();
}

export function bucketContract(name: string, open: () => Promise<Bucket>): void {
  describe(name, () => {
    let bucket: Bucket;
    const own = `t${Math.random().toString(36).slice(2, 10)}`;
    beforeAll(async () => {
      bucket = await open();
    });
    afterAll(async () => {
      await bucket[Symbol.asyncDispose]();
    });

    test(
      'passes the full check, and nothing of it stays',
      async () => {
        const results = await checkBucket(bucket, { depth: 'full', now: Date.now });
        expect(results.filter(({ ok }) => !ok)).toEqual([]);
        expect(verdictOf(results)).toBe('shared');
        expect(await keysOf(bucket, 'probe/')).toEqual([]);
        expect((await keysOf(bucket, 'refs/')).filter((key) => key.includes('@probe'))).toEqual([]);
      },
      SLOW_MS,
    );

    test('a signal stops every call', async () => {
      const options = { signal: AbortSignal.abort() };
      const key = `${own}/stopped`;
      const code = { code: 'INTERRUPTED' };
      await expect(bucket.get(key, options)).rejects.toMatchObject(code);
      await expect(bucket.putIfAbsent(key, body('x'), options)).rejects.toMatchObject(code);
      await expect(bucket.putIfTag(`refs/${own}`, body('x'), '1', options)).rejects.toMatchObject(code);
      await expect(bucket.delete(key, options)).rejects.toMatchObject(code);
      expect(await textAt(bucket, key)).toBeUndefined();
    });

    test('a body that fails leaves nothing behind, and the key free', async () => {
      const key = `${own}/broken`;
      const failing: Body = {
        size: 20_000_000,
        async *open() {
          yield Buffer.alloc(1_000_000);
          throw new RangeError('the disk is gone');
        },
      };
      await expect(bucket.putIfAbsent(key, failing)).rejects.toThrow('the disk is gone');
      expect(await textAt(bucket, key)).toBeUndefined();
      expect(await bucket.putIfAbsent(key, body('whole'))).toBeDefined();
      expect(await textAt(bucket, key)).toBe('whole');
      await bucket.delete(key);
    });

    test('what is read is the same whether memory is lent for it or not, and however large that is', async () => {
      const key = `${own}/lent`;
      const bytes = randomBytes(2_500_000);
      await bucket.putIfAbsent(key, bytesBody(bytes));
      for (const range of [
        { offset: 0, length: bytes.length },
        { offset: 700_000, length: 1_600_000 },
        { offset: 2_400_000, length: 200_000 },
        { offset: 5, length: 100 },
      ]) {
        const expected = bytes.subarray(range.offset, range.offset + range.length);
        for (const missing of [0, 50]) {
          const memory = Buffer.alloc(range.length + 40, 0xee);
          const into = memory.subarray(20, 20 + range.length - missing);
          const got = await bucket.get(key, { range, into });
          const read = await readAll(got!.body, range.length, { into });
          expect(Buffer.compare(read!, expected)).toBe(0);
          expect(memory.subarray(0, 20).every((byte) => byte === 0xee)).toBe(true);
          expect(memory.subarray(20 + into.length).every((byte) => byte === 0xee)).toBe(true);
        }
      }
      await bucket.delete(key);
    });

    test('what is no key is refused before anything is touched', async () => {
      for (const key of [
        '',
        '/',
        'a//b',
        '../up',
        'a/..',
        './a',
        'a b',
        'ä',
        'a\\b',
        'a\0',
        'x'.repeat(600),
      ]) {
        await expect(bucket.get(key)).rejects.toThrow('not a key');
        await expect(bucket.putIfAbsent(key, body('x'))).rejects.toThrow('not a key');
        await expect(bucket.delete(key)).rejects.toThrow('not a key');
      }
      await expect(bucket.putIfTag('packs/a', body('x'), '1')).rejects.toThrow('only pointers change');
    });

    test(
      'of eight writers that count up one pointer, each win counts once',
      async () => {
        const key = `refs/${own}/count`;
        await bucket.putIfAbsent(key, body('0 start'));
        let wins = 0;
        const writer = async (name: number) => {
          for (let i = 0; i < 5;) {
            const got = (await bucket.get(key))!;
            const value = Buffer.from((await readAll(got.body, 1024))!).toString();
            const next = body(`${parseInt(value) + 1} by ${name} ${i}`);
            const won = await bucket.putIfTag(key, next, got.tag).catch((error: unknown) => {
              if ((error as { code?: string }).code !== 'REMOTE_UNCERTAIN') throw error;
              return 'uncertain';
            });
            // Not known: read again, and see whether it is ours.
            if (won === 'uncertain' && !(await textAt(bucket, key))!.endsWith(`by ${name} ${i}`)) continue;
            if (won !== undefined) i++;
            if (won !== undefined) wins++;
          }
        };
        await Promise.all(Array.from({ length: 8 }, (_, name) => writer(name)));
        const counted = parseInt((await textAt(bucket, key))!);
        // A win that could not be told may be counted here and not there, never the other way.
        expect(counted).toBeGreaterThanOrEqual(wins);
        await bucket.delete(key);
      },
      SLOW_MS,
    );
  });
}
