import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { art } from './host.ts';

const at = mkdtempSync(join(tmpdir(), 'art-lazy-'));
const here = (folder: string) => join(at, folder);

beforeAll(async () => {
  for (const folder of ['one/data/sub', 'bucket']) mkdirSync(here(folder), { recursive: true });
  writeFileSync(here('one/data/a.txt'), 'hello');
  writeFileSync(here('one/data/sub/b.txt'), 'there');
  await art(['init', 'one'], { cwd: at });
  await art(['commit', 'cifar', 'data'], { cwd: here('one') });
  await art(['remote', 'add', 'origin', '../bucket'], { cwd: here('one') });
  await art(['push'], { cwd: here('one') });
});
afterAll(() => rmSync(at, { recursive: true, force: true }));

test('a lazy clone reads what it needs, says what is promised, and becomes whole when asked', async () => {
  const cwd = here('lazy');
  expect((await art(['clone', 'bucket', 'lazy', '--lazy'], { cwd: at })).status).toBe(0);
  expect((await art(['fsck'], { cwd })).out).toMatch(/^1 object not here, as a remote has promised/);
  expect((await art(['cat', 'cifar', 'a.txt'], { cwd })).out).toBe('hello');
  renameSync(here('bucket'), here('away'));
  expect((await art(['cat', 'cifar', 'a.txt'], { cwd })).out).toBe('hello');
  expect(await art(['cat', 'cifar', 'sub/b.txt'], { cwd })).toMatchObject({ status: 3, out: '' });
  renameSync(here('away'), here('bucket'));
  expect(await art(['remote', 'remove', 'origin'], { cwd })).toMatchObject({ status: 5 });
  expect(await art(['pull', '--lazy', '--no-lazy'], { cwd })).toMatchObject({ status: 2 });
  expect((await art(['pull', '--no-lazy'], { cwd })).out).toMatch(/^pulled from origin: .* 1 object, /);
  expect((await art(['fsck'], { cwd })).out).toMatch(/^all is well/);
  expect((await art(['remote', 'remove', 'origin'], { cwd })).status).toBe(0);
});

test('--from needs no repository and leaves none behind', async () => {
  mkdirSync(here('bare'));
  const cwd = here('bare');
  const from = ['--from', '../bucket'];
  expect((await art(['cat', 'cifar', 'a.txt', '--length', '4', ...from], { cwd })).out).toBe('hell');
  const got = await art(['download', 'cifar:v0', 'got', '--path', 'sub/', '--json', ...from], { cwd });
  expect(JSON.parse(got.out)).toMatchObject({ name: 'cifar', version: 'v0', written: 1 });
  expect(readFileSync(here('bare/got/sub/b.txt'), 'utf8')).toBe('there');
  expect(existsSync(here('bare/got/a.txt'))).toBe(false);
  expect(existsSync(here('bare/.art'))).toBe(false);
  for (const [argv, status, code] of [
    [['cat', 'cifar', 'c.txt', ...from], 3, 'ENTRY_NOT_FOUND'],
    [['cat', 'cfar', 'a.txt', ...from], 3, 'ARTIFACT_NOT_FOUND'],
    [['cat', 'cifar', 'a.txt', '--from', '../nowhere'], 3, 'BUCKET_NOT_FOUND'],
    [['download', 'cifar', '--from', 'gopher://x'], 2, 'REMOTE_URL_INVALID'],
  ] as const) {
    const told = await art(argv, { cwd });
    expect([told.status, told.err]).toEqual([status, expect.stringContaining(`[${code}]`)]);
  }
});
