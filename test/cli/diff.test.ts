import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startPager } from '../../src/cli/pager.ts';
import { art } from './host.ts';
import type { Told } from './host.ts';

let cwd: string;

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'art-diff-'));
  mkdirSync(join(cwd, 'd', 'sub'), { recursive: true });
  writeFileSync(join(cwd, 'd', 'a.txt'), 'one\ntwo\n');
  writeFileSync(join(cwd, 'd', 'rows.csv'), 'id,x\n1,a\n2,b\n');
  writeFileSync(join(cwd, 'd', 'bin'), Buffer.from([0, 1, 2]));
  writeFileSync(join(cwd, 'd', 'sub', 'b'), 'moved');
  writeFileSync(join(cwd, 'd', 'old'), 'x\ny\n');
  await run('init');
  await run('commit d d');
  writeFileSync(join(cwd, 'd', 'a.txt'), 'one\n2\n\u001b[31mthree');
  writeFileSync(join(cwd, 'd', 'rows.csv'), 'id,x\n2,b\n3,c\n');
  writeFileSync(join(cwd, 'd', 'bin'), Buffer.from([0, 1, 3]));
  rmSync(join(cwd, 'd', 'old'));
  writeFileSync(join(cwd, 'd', 'new'), 'z');
  renameSync(join(cwd, 'd', 'sub', 'b'), join(cwd, 'd', 'sub', 'c\n'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function run(
  line: string,
  options: { readonly isTTY?: boolean; readonly env?: Record<string, string> } = {},
) {
  return art(line.split(' '), { cwd, ...options });
}

function paged(line: string, pager: string): Promise<Told> {
  const env = { PATH: process.env['PATH'], PAGER: pager, NO_COLOR: '1' };
  return art(line.split(' '), { cwd, env, isTTY: true, startPager });
}

describe('art diff', () => {
  test('lists what differs, and line by line on a terminal', async () => {
    expect((await run('diff d')).out).toMatchInlineSnapshot(`
      "modified  a.txt  8 B → 16 B
      modified  bin  3 B as before
      added     new  1 B
      removed   old  4 B
      modified  rows.csv  13 B as before
      renamed   sub/b → sub/c\\n  5 B
      1 added, 3 modified, 1 removed, 1 renamed; 5 B more
      "
    `);
    expect((await run('diff d', { isTTY: true, env: { NO_COLOR: '1' } })).out).toMatchInlineSnapshot(`
      "modified  a.txt  8 B → 16 B
      @@ -1,2 +1,3 @@
       one
      -two
      +2
      +\\x1b[31mthree
      \\ No newline at end of file

      modified  bin  3 B as before
        binary; 0 % of it in common

      added     new  1 B
      @@ -0,0 +1 @@
      +z
      \\ No newline at end of file

      removed   old  4 B
      @@ -1,2 +0,0 @@
      -x
      -y

      modified  rows.csv  13 B as before
        1 row removed, 1 row added
      -1,a
      +3,c

      renamed   sub/b → sub/c\\n  5 B
      1 added, 3 modified, 1 removed, 1 renamed; 5 B more
      "
    `);
    expect((await run('diff d', { isTTY: true })).out).toContain('\u001b[31m-two\u001b[39m');
  });

  test('--json has exactly its keys, and a document for nothing', async () => {
    const { out, status } = await run('diff d --json --path sub/');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toEqual([
      { path: 'sub/c\n', change: 'renamed', from: 'sub/b', sizeBefore: 5, sizeAfter: 5 },
    ]);
    expect(JSON.parse((await run('diff d d --json')).out)).toEqual([]);
  });

  test('--stat sums up, --exit-code tells with its status', async () => {
    const { out } = await run('diff --stat d');
    expect(out).toBe(
      [
        `d:v0 → ${cwd}/d`,
        '  added     1 path   1 B',
        '  modified  3 paths  24 B → 32 B',
        '  removed   1 path   4 B',
        '  renamed   1 path   5 B',
        '  33 B → 38 B in all\n',
      ].join('\n'),
    );
    expect((await run('diff d --stat --path sub/')).out).toContain('  no change in size\n');
    expect((await run('diff d --exit-code')).status).toBe(1);
    const same = await run('diff d d:v0 --exit-code');
    expect(same).toMatchObject({ status: 0, out: 'nothing differs between d:v0 and d:v0\n' });
    expect((await run('diff d d --stat')).out).toBe('d:v0 → d:v0\n  nothing differs; 33 B\n');
    expect((await run('diff d d -q')).out).toBe('');
  });

  test('a folder that is gone, and one that never was, are told of', async () => {
    rmSync(join(cwd, 'd'), { recursive: true });
    expect(await run('diff d')).toMatchObject({ status: 3, err: expect.stringContaining('art checkout d') });
    await run('unbind d');
    const told = await run('diff d');
    expect(told).toMatchObject({ status: 3, err: expect.stringContaining('no folder holds "d"') });
  });
});

describe('the pager', () => {
  test('is given what people read, while nothing is locked', async () => {
    const script = `cat > '${cwd}/shown'; ls '${cwd}/.art/lock' > '${cwd}/locks'; exit 3`;
    const { status, out } = await paged('diff d --exit-code', script);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(join(cwd, 'shown'), 'utf8')).toContain('\n-two\n+2\n');
    expect(readFileSync(join(cwd, 'locks'), 'utf8')).not.toContain('owner');
  });

  test('is not started for nothing: no output, --json, an empty PAGER', async () => {
    expect((await paged('diff d --json', `touch '${cwd}/started'`)).out).toContain('"renamed"');
    expect((await paged('diff d d -q', `touch '${cwd}/started'`)).out).toBe('');
    expect((await paged('diff d', '')).out).toContain('-two');
    expect(existsSync(join(cwd, 'started'))).toBe(false);
  });

  test('may be left early: what differs still does', async () => {
    expect((await paged('diff d', 'true')).status).toBe(0);
    expect((await paged('diff d --exit-code', 'true')).status).toBe(1);
    writeFileSync(join(cwd, 'd', 'long.txt'), 'line of a long text\n'.repeat(200_000));
    expect((await paged('diff d --exit-code', 'head -1 >/dev/null')).status).toBe(1);
  });

  test('may not exist: the terminal is written to', async () => {
    const { status, out } = await paged('diff d --exit-code', 'no-such-pager-here 2>/dev/null');
    expect({ status, out }).toEqual({ status: 1, out: expect.stringContaining('\n-two\n+2\n') as string });
  });
});

describe('art du and art log --graph', () => {
  test('say for people what JSON says for scripts', async () => {
    await run('commit d d');
    const { out } = await run('du');
    expect(out).toMatch(
      /^version +alone +shared +on disk\nd:v0 +\d+ B +\d+ B +\d+ B\nd:v1 .*\n2 versions, .* on disk together\n$/,
    );
    const rows = JSON.parse((await run('du d --json')).out);
    expect(rows).toMatchObject([{ name: 'd', version: 'v0' }, { version: 'v1' }]);
    expect(Object.keys(rows[0])).toEqual(['name', 'version', 'alone', 'shared', 'stored']);
    expect((await run('log d --graph')).out).toMatch(/^○ {2}d:v1 .*\n○ {2}d:v0 .*\n$/);
    expect((await run('log d --graph --limit 1')).out).toMatch(/^○ {2}d:v1 .*\n~\n$/);
  });
});
