/** Checks that what comes in slowly, by a pipe that somebody made non-blocking, is read to its end. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { processSource } from '../../src/cli/process-source.ts';

const at = mkdtempSync(join(tmpdir(), 'art-source-'));
afterAll(() => rmSync(at, { recursive: true, force: true }));

function openPipe(name: string): { readonly reader: number; readonly writer: number } {
  const path = join(at, name);
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, 'w') };
}

test('an empty pipe that does not block is waited for', async () => {
  const { reader, writer } = openPipe('slow');
  const words = ['one ', 'two ', 'three'];
  const timer = setInterval(() => {
    const word = words.shift();
    if (word !== undefined) writeSync(writer, word);
    else {
      clearInterval(timer);
      closeSync(writer);
    }
  }, 20);
  let text = '';
  for await (const piece of processSource(reader, new AbortController().signal)) text += Buffer.from(piece);
  expect(text).toBe('one two three');
});

test('a file is read to its end', async () => {
  const fd = openSync(import.meta.filename, 'r');
  let text = '';
  for await (const piece of processSource(fd, new AbortController().signal)) text += Buffer.from(piece);
  closeSync(fd);
  expect(text).toBe(readFileSync(import.meta.filename, 'utf8'));
});

test('a wait for what never comes ends with the signal', async () => {
  const { reader, writer } = openPipe('never');
  const stopping = new AbortController();
  setTimeout(() => stopping.abort(), 20);
  await expect(processSource(reader, stopping.signal).next()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  closeSync(writer);
});

test('a signal that comes before anything is listened to ends it, too', async () => {
  const { reader, writer } = openPipe('at-once');
  const stopping = new AbortController();
  const first = processSource(reader, stopping.signal).next();
  stopping.abort();
  await expect(first).rejects.toMatchObject({ code: 'INTERRUPTED' });
  closeSync(writer);
});
