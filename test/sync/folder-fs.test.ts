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
        fs.lstat('/nowhere/x'),
        fs.link('/nowhere/x', '/nowhere/y'),
        fs.mkdir('/nowhere/x', 0o755),
        fs.open('/nowhere/x', 'r'),
        fs.realpath('/nowhere'),
      ];
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });
});
