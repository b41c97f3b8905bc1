/** Checks the commands that name, delete and take back: forms, JSON keys, exit statuses and words. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { art } from './host.ts';
import type { Told } from './host.ts';

let cwd: string;

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'art-names-'));
  mkdirSync(join(cwd, 'data'));
  writeFileSync(join(cwd, 'data', 'a.txt'), 'hello\n');
  expect((await run('init')).status).toBe(0);
  await ok('commit d data -m first -a best');
  appendFileSync(join(cwd, 'data', 'a.txt'), 'more\n');
  await ok('commit d');
});

function run(line: string): Promise<Told> {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
  return art(words, { cwd });
}

async function ok(line: string): Promise<string> {
  const { status, out, err } = await run(line);
  expect({ line, status, err: status === 0 ? '' : err }).toEqual({ line, status: 0, err: '' });
  return out;
}

async function json(line: string): Promise<any> {
  return JSON.parse(await ok(`${line} --json`));
}

describe('JSON has the keys of the contract', () => {
  test('tag, meta, describe', async () => {
    expect(await json('tag d:v0 x y')).toEqual({ name: 'd', version: 'v0', tags: ['x', 'y'] });
    expect(await json('tag --remove d:best x')).toEqual({ name: 'd', version: 'v0', tags: ['y'] });
    expect(await json('tag vision --artifact d')).toEqual({ name: 'd', version: null, tags: ['vision'] });
    expect(await json('tag --artifact d vision --remove')).toEqual({ name: 'd', version: null, tags: [] });
    writeFileSync(join(cwd, 'm.json'), '{"from": "file", "lr": 1}');
    const metadata = { from: 'file', lr: 0.1, id: '007' };
    expect(await json('meta d lr=0.1 id=007 --file m.json')).toEqual({ name: 'd', version: 'v1', metadata });
    expect(await json('meta d:latest')).toEqual({ name: 'd', version: 'v1', metadata });
    expect(await json('meta --unset from d --unset id')).toMatchObject({ metadata: { lr: 0.1 } });
    const history = await json('meta d --history');
    expect(Object.keys(history[0])).toEqual('name version metadata op time user'.split(' '));
    expect(history.map((row: { op: number }) => row.op)).toEqual([8, 7, 2]);
    expect(await json("describe d 'small pictures'")).toEqual({
      name: 'd',
      version: null,
      description: 'small pictures',
    });
    expect(await json("describe d:v0 '# one'")).toEqual({ name: 'd', version: 'v0', description: '# one' });
    expect(await json("describe d ''")).toEqual({ name: 'd', version: null, description: null });
  });

  test('rename, delete, undo, ops', async () => {
    expect(await json('rename d e')).toEqual({ name: 'e' });
    expect(await json('rename e e --type model')).toEqual({ name: 'e' });
    expect(await json('delete e:v1 --dry-run')).toEqual({
      deleted: ['e:v1'],
      freeable: expect.any(Number),
      op: null,
      undo: null,
    });
    expect(await json('delete e:v1')).toEqual({
      deleted: ['e:v1'],
      freeable: expect.any(Number),
      op: 5,
      undo: 'art undo 5',
    });
    const undone = await json('undo 5');
    expect(Object.keys(undone)).toEqual('op undone time user command changes redo'.split(' '));
    expect(await json('undo --dry-run')).toMatchObject({ op: null, undone: 4 });
    const operations = await json('ops');
    expect(operations).toHaveLength(6);
    expect(operations[1]).toEqual({
      id: 5,
      time: '2026-01-31T12:00:00.000Z',
      user: 'Ada <ada@example.org>',
      run: null,
      command: 'art delete e:v1 --json',
      refs: ['artifacts/e'],
      undone: true,
    });
    expect(await json('ops --limit 2')).toHaveLength(2);
    expect(await json('ops --limit 0')).toEqual([]);
  });

  test('checkout says no more than before when it destroys something', async () => {
    appendFileSync(join(cwd, 'data', 'a.txt'), 'mine\n');
    const keys = 'name version cid dir written removed unchanged bytes'.split(' ');
    expect(Object.keys(await json('checkout d --force'))).toEqual(keys);
  });
});

describe('what people see', () => {
  test('the command that delete prints brings everything back', async () => {
    const out = await ok('delete d --all --force');
    expect(out).toBe('deleted d:v0, d:v1\nto take it back: art undo 3\n');
    expect((await run('list')).err).toContain('no artifact');
    expect(await ok(/art (undo \d+)/.exec(out)![1])).toContain('  d: v0 is back\n  d: v1 is back\n');
    expect(await ok('log d')).toMatch(/d:v1 .*\nd:v0 .* best/);
  });

  test('undo names what it takes back, and how to do it again', async () => {
    const { out, err } = await run('undo');
    expect(out).toBe('took back operation 2: art commit d (just now)\n  d: v1 is taken back\n');
    expect(err).toContain('to do it again: art undo 3\n');
    await ok('undo 3');
    expect(await ok('ops --limit 2')).toMatch(/^4 .*art undo 3\n3 .*art undo \(undone\)\n$/);
  });

  test('what --force and --clean destroy is one undo away', async () => {
    appendFileSync(join(cwd, 'data', 'a.txt'), 'mine\n');
    writeFileSync(join(cwd, 'data', 'extra'), '');
    const told = await run('checkout d --force --clean');
    expect(told.err).toContain('art undo 3\n');
    expect(existsSync(join(cwd, 'data', 'extra'))).toBe(false);
    await ok('undo');
    expect(existsSync(join(cwd, 'data', 'extra'))).toBe(true);
    expect(readFileSync(join(cwd, 'data', 'a.txt'), 'utf8')).toBe('hello\nmore\nmine\n');
  });

  test('undoing what a remote has seen says so, and travels at the next push', async () => {
    await ok('remote add origin there');
    await run('push');
    await ok('tag d:v0 mine');
    expect((await run('undo')).err).not.toContain('origin');
    const told = await run('undo');
    expect(told.out).toContain('d: v1 is taken back\n');
    expect(told.err).toContain('origin has this already; the next push takes it back there too');
    expect(await run('push')).toMatchObject({ status: 0 });
    const elsewhere = mkdtempSync(join(tmpdir(), 'art-names-'));
    await ok(`clone ${join(cwd, 'there')} ${join(elsewhere, 'r')}`);
    expect(await ok(`-C ${join(elsewhere, 'r')} log d`)).not.toContain('d:v1');
  });

  test('hostile text cannot move the cursor', async () => {
    await run("describe d '\u001b[2J'");
    await ok("tag d '\u202e'");
    expect(await ok('ops')).not.toContain('\u001b');
    expect(await ok('tag d x')).not.toContain('\u202e');
  });
});

test('metadata that was so already is not called changed', async () => {
  expect(await ok('meta d lr=0.1')).toBe('metadata of d:v1 is changed\n');
  expect(await ok('meta d lr=0.1')).toBe('metadata of d:v1 was so already\n');
});

test('help has no --json, and says so in JSON', async () => {
  for (const line of ['help log --json', 'log --help --json', '--help --json']) {
    const { status, out } = await run(line);
    expect({ status, document: JSON.parse(out) as unknown }).toMatchObject({
      status: 2,
      document: { error: { code: 'USAGE' } },
    });
  }
});

test('an alias of any name is shown', async () => {
  await ok('alias d __proto__');
  expect((await ok('show d --json')).match(/"__proto__": "v1"/)).not.toBeNull();
});

test('a draft whose version was undone says how to have it back', async () => {
  await ok('commit e --part one --add data/a.txt');
  expect(await ok('commit e --finish one')).toBe('committed e:v0 (1 file, 11 B)\n');
  await ok('undo');
  const { status, err } = await run('commit e --finish one');
  expect({ status, hint: err.split('\nhint: ')[1] }).toEqual({
    status: 3,
    hint: '`art undo 4` brings it back.\n',
  });
  await ok('undo 4');
  await run('commit e --finish one');
  expect(await json('show e:v0')).toMatchObject({ version: 'v0' });
});

test('what is in the way of an undo is not overwritten, whatever the hint', async () => {
  writeFileSync(join(cwd, 'data', 'a.txt'), 'mine\n');
  await run('checkout d --force');
  writeFileSync(join(cwd, 'data', 'a.txt'), 'newer\n');
  const { status, err } = await run('undo');
  expect({ status, hint: err.split('\nhint: ')[1] }).toEqual({
    status: 5,
    hint: 'Commit them, or move them out of the way, then undo again.\n',
  });
});

test('no hint sends whoever used --force to --force', async () => {
  writeFileSync(join(cwd, 'data', 'out'), 'a file');
  await ok('commit d');
  rmSync(join(cwd, 'data', 'out'));
  mkdirSync(join(cwd, 'data', 'out'));
  writeFileSync(join(cwd, 'data', 'out', 'log'), 'ignored');
  writeFileSync(join(cwd, 'data', '.artignore'), 'out/\n');
  await ok('commit d');
  const { status, err } = await run('checkout d:v2 --force');
  expect({ status, hint: err.split('\nhint: ')[1] }).toEqual({
    status: 5,
    hint: 'Move them out of the way: --force removes nothing that is ignored.\n',
  });
});

test('a path that nothing begins with is warned of, a path that is the same is not', async () => {
  expect((await run('diff d:v0 d:v1 --path nosuch')).err).toBe(
    'warning: nothing begins with "nosuch" on either side\n',
  );
  expect((await run('diff d --path a')).err).toBe('');
  expect((await run('diff d:v0 d:v1 --path a.txt --path sub/')).err).toContain('"sub/"');
});

test('art.lock that wants what was deleted says how to have it back, and where it may be', async () => {
  const lock = readFileSync(join(cwd, 'art.lock'), 'utf8');
  await run('delete d:v1');
  writeFileSync(join(cwd, 'art.lock'), lock);
  expect((await run('checkout')).err).toMatch(
    /v1", which was deleted by Ada .*\nhint: `art undo 3` brings it back/,
  );
  writeFileSync(join(cwd, 'art.lock'), lock.replace(/bafyr4i[a-z2-7]{4}/, 'bafyr4iaaaa'));
  expect((await run('checkout')).err).toContain('hint: No remote is set up here');
  await ok('remote add lab there');
  expect((await run('checkout')).err).toContain('hint: Perhaps "lab" has it: `art pull lab d`.');
});

describe('failures', () => {
  test.each([
    ['delete d', 2, 'DELETE_UNCLEAR', '`art delete d --all`'],
    ['delete d:v0', 5, 'VERSION_NAMED', '--force'],
    ['delete d:best', 5, 'VERSION_NAMED', '--except-aliased'],
    ['delete d --all', 5, 'VERSION_NAMED', '--force'],
    ['delete d:v0..v1', 5, 'VERSION_NAMED', '--except-aliased'],
    ['delete d:v4..v2', 2, 'SPEC_INVALID', ''],
    ['delete d:v0..', 2, 'SPEC_INVALID', 'd:v3..v40'],
    ['delete d:v0..best', 2, 'SPEC_INVALID', 'd:v3..v40'],
    ['log d:v0', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['rename d:v0 e', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['du d~1', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['unbind d@1234', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['status d:best', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['commit d:best', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['checkout --locked d:v0', 2, 'NAME_INVALID', 'by its name alone: "d"'],
    ['commit d --remove a.txt', 2, 'USAGE', '--onto d'],
    ['commit e --add /', 2, 'USAGE', '--add DEST=/'],
    ['commit e data/a.txt --bind', 5, 'BINDING_CONFLICT', 'Bind the folder'],
    ['delete d:v5..v9', 3, 'VERSION_NOT_FOUND', ''],
    ['delete d:v9', 3, 'VERSION_NOT_FOUND', ''],
    ['delete dd:v0', 3, 'ARTIFACT_NOT_FOUND', '"d"'],
    ['delete d:v1 --all', 2, 'USAGE', ''],
    ['delete', 2, 'USAGE', ''],
    ['undo 99', 3, 'OPERATION_NOT_FOUND', '`art ops`'],
    ['undo 0', 3, 'OPERATION_NOT_FOUND', ''],
    ['undo x', 2, 'USAGE', '`art ops`'],
    ['undo -1', 2, 'USAGE', ''],
    ['undo 99999999999999999999', 2, 'USAGE', ''],
    ['undo 1', 5, 'UNDO_REFUSED', ''],
    ['rename d D', 5, 'NAME_TAKEN', ''],
    ['rename d d', 5, 'NAME_TAKEN', '--type'],
    ['rename d a:b', 2, 'NAME_INVALID', ''],
    ['rename d e --type /', 2, 'NAME_INVALID', ''],
    ['rename x y', 3, 'ARTIFACT_NOT_FOUND', ''],
    ['rename d', 2, 'USAGE', ''],
    ['tag d', 2, 'USAGE', ''],
    ['tag --artifact d', 2, 'USAGE', ''],
    ['tag --artifact d:v0 x', 2, 'NAME_INVALID', ''],
    ["tag d ' x'", 2, 'NAME_INVALID', ''],
    ['meta d lr', 2, 'USAGE', ''],
    ['meta d lr=1 lr=2', 2, 'USAGE', ''],
    ['meta d lr=1 --unset lr', 2, 'USAGE', ''],
    ['meta d lr=1 --history', 2, 'USAGE', ''],
    ['meta d --unset nothing', 3, 'METADATA_KEY_NOT_FOUND', ''],
    ['meta d --file nothing.json', 3, 'PATH_NOT_FOUND', ''],
    ['describe d', 2, 'USAGE', ''],
    ['describe d one two', 2, 'USAGE', ''],
    ['ops --limit x', 2, 'USAGE', ''],
    ['ops d', 2, 'USAGE', ''],
  ])('art %s', async (line, status, code, hint) => {
    await ok('tag d:v0 later');
    const told = await run(line);
    expect(told).toMatchObject({ status, out: '' });
    expect(told.err).toContain(`[${code}]`);
    expect(told.err.split('\nhint: ')[1] ?? '').toContain(hint);
    // Nothing was made by it.
    expect(await json('ops')).toHaveLength(3);
  });
});

test('a description that is too long is refused before anything is done, however it is given', async () => {
  const text = 'x'.repeat(70_000);
  for (const line of [
    ['describe', 'd', text],
    ['commit', 'd', '--description', text],
  ]) {
    const { status, err } = await art(line, { cwd });
    expect({ status, err }).toEqual({
      status: 2,
      err: expect.stringContaining('[DESCRIPTION_INVALID]') as string,
    });
  }
  await ok("commit d --description 'a few words'");
  await ok("commit d --description ''");
  expect(await json('show d:v1')).toMatchObject({ description: null });
});

test('what a commit says of an unchanged folder is said beside what was said before', async () => {
  await ok('meta d lr=0.1 run=7');
  await ok('commit d --meta lr=0.2');
  expect(await json('meta d')).toMatchObject({ metadata: { lr: 0.2, run: 7 } });
});
