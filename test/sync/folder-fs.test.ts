import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { farFs, fsFor, nearFs } from '../../src/sync/folder-fs.ts';

describe('how a file system is called', () => {
  test.skipIf(!existsSync('/dev/shm'))('memory is near', async () => {
    expect(await fsFor('/dev/shm')).toBe(nearFs);
  });

  test.skipIf(!existsSync('/proc/self'))('what is not known to be near is not taken for it', async () => {
    expect(await fsFor('/proc')).toBe(farFs);
  });

  test('what fails is told as a rejection, near and far', async () => {
    for (const fs of [nearFs, farFs]) {
      const calls = [
        () => fs.lstat('/nowhere/x'),
        () => fs.stat('/nowhere/x'),
        () => fs.chmod('/nowhere/x', 0o755),
        () => fs.link('/nowhere/x', '/nowhere/y'),
        () => fs.rename('/nowhere/x', '/nowhere/y'),
        () => fs.mkdir('/nowhere/x', 0o755),
        () => fs.rmdir('/nowhere/x'),
        () => fs.unlink('/nowhere/x'),
        () => fs.open('/nowhere/x', 'r'),
        () => fs.realpath('/nowhere'),
        () => fs.entries('/nowhere'),
      ];
      // One after another: what is rejected while nobody waits for it is an error of its own.
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  test('what fails of an open file is told so, too', async () => {
    for (const fs of [nearFs, farFs]) {
      const file = await fs.open('/', 'r');
      const piece = Buffer.alloc(1);
      await expect(file.read(piece, 0, 1, 0)).rejects.toMatchObject({ code: 'EISDIR' });
      await expect(file.writev([piece])).rejects.toMatchObject({ code: 'EBADF' });
      await file.close();
    }
  });
});
