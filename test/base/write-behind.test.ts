import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WriteBehind } from '#base';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'art-behind-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function withFile(flags: string, work: (behind: WriteBehind) => Promise<void>): Promise<Buffer> {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  const fd = openSync(path, flags);
  try {
    await work(new WriteBehind(fd));
  } finally {
    closeSync(fd);
  }
  return readFileSync(path);
}

test('what is written lies where it was to lie, once it is settled', async () => {
  const large = Buffer.alloc(3_000_000, 'art');
  const bytes = await withFile('r+', async (behind) => {
    await behind.write(Buffer.from('head'), 0);
    void behind.write(large, 4);
    expect(behind.writing).toBeInstanceOf(Promise);
    await behind.settled();
    expect(behind.writing).toBeUndefined();
    behind.check();
  });
  expect(bytes.equals(Buffer.concat([Buffer.from('head'), large]))).toBe(true);
});

test('a second write at a time is a bug', async () => {
  await withFile('r+', async (behind) => {
    const first = behind.write(Buffer.alloc(100_000), 0);
    expect(() => behind.write(Buffer.alloc(1), 0)).toThrow('one write at a time');
    await first;
  });
});

test('a failure is no rejection, and is told by every check after it', async () => {
  await withFile('r', async (behind) => {
    await behind.write(Buffer.from('x'), 0);
    await behind.settled();
    for (let i = 0; i < 2; i++)
      expect(() => behind.check()).toThrow(expect.objectContaining({ code: 'EBADF' }));
    await behind.write(Buffer.from('y'), 0);
    expect(() => behind.check()).toThrow(expect.objectContaining({ code: 'EBADF' }));
  });
});

test('writing nothing is done at once', async () => {
  expect(await withFile('r+', async (behind) => behind.write(new Uint8Array(0), 9))).toEqual(Buffer.alloc(0));
});
