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

test('gc at a remote says what it did, and what comes next', async () => {
  for (const folder of ['three/data', 'used']) mkdirSync(here(folder), { recursive: true });
  const run = (line: string) => art(line.split(' '), { cwd: here('three') });
  await run('init');
  await run('remote add origin ../used');
  expect(await run('gc --remote origin')).toMatchObject({
    status: 3,
    err: expect.stringContaining('[REMOTE_EMPTY]') as string,
  });
  for (const content of ['one', 'two']) {
    writeFileSync(here('three/data/a.txt'), content);
    await run('commit d data --no-bind');
    await run('push');
  }
  await run('delete d:v0');
  await run('push');
  expect((await run('gc --remote origin --min-age 0 --dry-run')).out).toMatch(
    /^3 packs \(.+\) would be condemned; .+ of them would be copied into new packs\n3 packs \(.+\) in use at origin\n$/,
  );
  expect((await run('gc --remote origin --min-age 0')).out).toMatch(
    /^3 packs \(.+\) condemned; .+ copied into new packs\n3 condemned packs can be deleted from .+ UTC \(.+\):\nrun `art gc --remote origin` again then\n1 pack \(.+\) in use at origin\n$/,
  );
  expect((await run('gc --remote origin --grace 0 --min-age 0')).out).toMatch(
    /^3 packs \(.+\) deleted\n1 pack \(.+\) in use at origin\n$/,
  );
  expect((await run('gc --remote origin')).out).toMatch(/^nothing to free\n1 pack/);
  const document = await json(['gc', '--remote', 'origin'], 'three');
  expect(Object.keys(document)).toEqual(
    'freed kept packs expired reasons remote deleted condemned condemnedBytes copied waiting requests due'.split(
      ' ',
    ),
  );
  expect(document).toMatchObject({ freed: 0, packs: 1, due: null });
  expect(await art(['clone', 'used', 'four'], { cwd: at })).toMatchObject({ status: 0, err: '' });
});

test.each([
  [['gc', '--remote', 'lab'], 3, 'REMOTE_NOT_FOUND'],
  [['gc', '--grace', '1'], 2, 'USAGE'],
  [['gc', '--remote', 'lab', '--explain'], 2, 'USAGE'],
  [['gc', '--remote', 'lab', '--grace', 'soon'], 2, 'USAGE'],
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
