import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import type * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { FILE } from '#object';
import { ContentReader, DiskEntry } from '#worktree';
import { put, temporaryFolder } from './folders.ts';

/** Whether reads come back empty, and say nothing of it: as some network file systems end a file early. */
let ends = false;

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const read = (fd: number, space: Uint8Array, from: number, length: number, at: null, done: Done) =>
    real.read(fd, space, from, ends ? 0 : length, at, done);
  return { ...real, read };
});
type Done = (error: NodeJS.ErrnoException | null, got: number) => void;

test('a long file whose end cannot be read is refused, not kept short', async () => {
  const folder = temporaryFolder();
  put(folder, { long: randomBytes(1024 * 1024) });
  const entry = new DiskEntry('long', join(folder, 'long'), FILE);
  entry.learn(lstatSync(entry.absolute));
  ends = true;
  await expect(new ContentReader().digestOf(entry)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  ends = false;
  expect(await new ContentReader().digestOf(entry)).toHaveLength(32);
});
