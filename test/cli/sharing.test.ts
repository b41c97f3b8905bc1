import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { art } from './host.ts';

const at = mkdtempSync(join(tmpdir(), 'art-sharing-'));
afterAll(() => rmSync(at, { recursive: true, force: true }));

const here = (folder: string) => join(at, folder);
const json = async (argv: readonly string[], folder: string) =>
  JSON.parse((await art([...argv, '--json'], { cwd: here(folder) })).out) as Record<string, unknown>;

test('two people share through a folder', async () => {
  for (const folder of ['one/data', 'bucket']) mkdirSync(here(folder), { recursive: true });
  writeFileSync(here('one/data/a.txt'), 'hello');
  await art(['init', 'one'], { cwd: at });
  await art(['commit', 'cifar', 'data'], { cwd: here('one') });
  expect(await json(['remote', 'add', 'origin', '../../bucket'], 'one/data')).toEqual({
    name: 'origin',
    url: '../bucket',
  });
  expect(readFileSync(here('one/art.toml'), 'utf8')).toContain('[remotes.origin]\nurl = "../bucket"');
  expect((await json(['status'], 'one')) as unknown).toMatchObject([{ unpushed: [0] }]);
  expect(Object.keys(await json(['push'], 'one'))).toEqual(
    'remote versions renumbered objects bytes requests upToDate'.split(' '),
  );
  expect((await json(['status'], 'one')) as unknown).toMatchObject([{ unpushed: [] }]);
  expect((await art(['push'], { cwd: here('one') })).out).toBe('nothing to push: everything is at origin\n');
  const cloned = await art(['clone', 'bucket', 'two'], { cwd: at });
  expect(cloned.status).toBe(0);
  expect((await art(['cat', 'cifar', 'a.txt'], { cwd: here('two') })).out).toBe('hello');
  expect(await json(['pull'], 'two')).toMatchObject({ upToDate: true, requests: 1 });
  expect((await art(['clone', 'bucket', 'one'], { cwd: at })).err).toContain('[REPOSITORY_EXISTS]');
  expect(await json(['remote', 'remove', 'origin'], 'two')).toMatchObject({ name: 'origin' });
  expect(readFileSync(here('two/art.toml'), 'utf8')).not.toContain('remotes');
});

test.each([
  [['remote', 'add', 'x', 's3://ada:secret@bucket'], 2, 'REMOTE_URL_INVALID'],
  [['remote', 'add', 'a/b', 'bucket'], 2, 'NAME_INVALID'],
  [['remote', 'add', 'x'], 2, 'USAGE'],
  [['remote', 'rename', 'x'], 2, 'USAGE'],
  [['remote', 'remove', 'lab'], 3, 'REMOTE_NOT_FOUND'],
  [['pull'], 2, 'REMOTE_UNSAID'],
])('%j is refused', async (argv, status, code) => {
  mkdirSync(here('bare'), { recursive: true });
  await art(['init'], { cwd: here('bare') });
  const told = await art(argv, { cwd: here('bare') });
  expect(told.status).toBe(status);
  expect(told.err).toContain(`[${code}]`);
  expect(told.err).not.toContain('secret');
});
