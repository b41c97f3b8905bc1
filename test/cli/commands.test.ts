/** Checks what the commands do, say, and end with, on real folders. */
import { execFileSync } from 'node:child_process';
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
import { COMMANDS } from '../../src/cli/commands.ts';
import { art } from './host.ts';
import type { HostOptions, Told } from './host.ts';

let cwd: string;

beforeEach(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'art-cli-'));
  mkdirSync(join(cwd, 'data', 'sub'), { recursive: true });
  writeFileSync(join(cwd, 'data', 'a.txt'), 'hello\n');
  writeFileSync(join(cwd, 'data', 'sub', 'b.txt'), 'world\n');
  expect((await run('init')).status).toBe(0);
});

function run(line: string, options: Partial<HostOptions> = {}): Promise<Told> {
  return art(line.split(' ').filter(Boolean), { cwd, ...options });
}

async function json(line: string): Promise<any> {
  const { status, out, err } = await run(`${line} --json`);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return JSON.parse(out);
}

async function commit(line = 'commit d data -m first -a best'): Promise<void> {
  expect(await run(line)).toMatchObject({ status: 0 });
}

describe('help', () => {
  test('every command has its usage, options and two to four examples that name it', async () => {
    for (const [name, { load, summary }] of COMMANDS) {
      const command = await load();
      expect(command.summary).toBe(summary);
      expect(command.examples.length).toBeGreaterThanOrEqual(2);
      expect(command.examples.length).toBeLessThanOrEqual(4);
      for (const [line] of command.examples) expect(line).toMatch(new RegExp(`^art ${name}\\b`));
      for (const form of command.usage) expect(form).toMatch(new RegExp(`^${name}\\b`));
      const { status, out } = await run(`${name} --help`);
      expect(status).toBe(0);
      for (const text of [summary, `art ${name}`, '-C DIR', '--json', 'Examples'])
        expect(out).toContain(text);
      expect((await run(`help ${name}`)).out).toBe(out);
    }
  });

  test('art --help lists the commands; art alone says the same and fails', async () => {
    const asked = await run('--help');
    expect(asked).toMatchObject({ status: 0, err: '' });
    for (const name of COMMANDS.keys()) expect(asked.out).toContain(`\n  ${name} `);
    expect(await run('')).toEqual({ status: 2, out: '', err: asked.out });
  });
});

describe('what people see', () => {
  test('commit, change, status, log, checkout, verify', async () => {
    expect((await run('commit d data -m first -a best')).out).toMatch(
      /^committed d:v0 \(2 files, 12 B; \d+ B new, \d+ B on disk\), also best\n$/,
    );
    expect((await run('commit d')).out).toBe('d is unchanged since v0\n');
    appendFileSync(join(cwd, 'data', 'a.txt'), 'more\n');
    rmSync(join(cwd, 'data', 'sub', 'b.txt'));
    writeFileSync(join(cwd, 'data', 'odd\nname'), '');
    const status = await run('status --exit-code');
    expect(status.status).toBe(1);
    expect(status.out).toContain('d  data  v0  ');
    for (const line of ['  added     odd\\nname\n', '  modified  a.txt\n', '  removed   sub/b.txt\n']) {
      expect(status.out).toContain(line);
    }
    expect((await run('commit')).out).toMatch(/^committed d:v1 \(2 files, 11 B;/);
    const log = await run('log d');
    expect(log.out).toMatch(
      /^d:v1 {2}[0-9a-f]{10} {2}just now {2}11 B {2}latest\nd:v0 {2}[0-9a-f]{10} {2}just now {2}12 B {2}best {4}first\n$/,
    );
    expect((await run('checkout d:best')).out).toContain(`d:v0 is in ${join(cwd, 'data')}: `);
    expect(readFileSync(join(cwd, 'data', 'a.txt'), 'utf8')).toBe('hello\n');
    expect(await run('verify d:v0')).toMatchObject({ status: 0 });
    const other = await run('verify d:v1');
    expect(other.status).toBe(1);
    expect(other.out).toContain('changed  a.txt\n');
  });

  test('a quiet command says nothing when all goes well', async () => {
    expect(await run('-q commit d data')).toEqual({ status: 0, out: '', err: '' });
    expect(await run('checkout d -q')).toEqual({ status: 0, out: '', err: '' });
    expect((await run('ls d -q')).out).toBe('a.txt\nsub/b.txt\n');
  });

  test('who started from an older version is told so', async () => {
    await commit();
    appendFileSync(join(cwd, 'data', 'a.txt'), 'x');
    await commit('commit d');
    await run('checkout d:v0');
    appendFileSync(join(cwd, 'data', 'a.txt'), 'y');
    const { status, err } = await run('commit d');
    expect({ status, err }).toEqual({ status: 0, err: 'warning: latest of d was v1, you started from v0\n' });
  });

  test('cat writes the bytes and nothing else, or a part of them', async () => {
    await commit();
    expect((await run('cat d sub/b.txt')).out).toBe('world\n');
    expect((await run('cat d sub/b.txt --offset 1 --length 3')).out).toBe('orl');
  });

  test('a version is put together from parts, standard input among them', async () => {
    await commit();
    writeFileSync(join(cwd, 'a=b.csv'), 'x');
    const piped = await run('commit d --onto d --add sub/piped.txt=- --add ./a=b.csv --remove a.txt', {
      stdin: 'from a pipe\n',
    });
    expect(piped).toMatchObject({ status: 0, err: '' });
    expect(piped.out).toMatch(/^committed d:v1 \(3 files, /);
    expect((await run('ls d')).out).toBe('a=b.csv\nsub/b.txt\nsub/piped.txt\n');
    expect((await run('cat d sub/piped.txt')).out).toBe('from a pipe\n');
    const taken = await run('commit d --onto d --add sub/b.txt=./a=b.csv');
    expect(taken).toEqual({
      status: 5,
      out: '',
      err: 'error: "d:v1" has "sub/b.txt" with other content [PATH_TAKEN]\nhint: Use --overwrite to replace what is there.\n',
    });
    for (const line of ['--add -', '--add a=- --add b=-', '--add =data', '--add x=', '--add x/=-']) {
      expect((await run(`commit d ${line}`)).status, line).toBe(2);
    }
  });

  test('a draft is filled part by part and finished once', async () => {
    expect((await run('commit d --part p --add data')).out).toBe(
      '2 files, 12 B are now in the draft "p" of d; --finish p makes it a version\n',
    );
    expect(await json('commit d --part p --add more=data --dry-run')).toMatchObject([
      { name: 'd', version: null, cid: null, created: false, base: null, behind: 0, files: 4, aliases: [] },
    ]);
    expect((await run('commit d --finish q')).err).toBe(
      'error: "d" has no draft "q" [DRAFT_NOT_FOUND]\nhint: Did you mean "p"? Open drafts of d: p.\n',
    );
    expect((await run('commit d --finish p -m done')).out).toMatch(/^committed d:v0 \(2 files, 12 B\)\n/);
    expect(await run('commit d --finish p')).toEqual({
      status: 0,
      out: 'd is unchanged since v0\n',
      err: 'warning: the draft "p" was finished before: it became d:v0\n',
    });
  });

  test('ls -l shows modes, sizes and digests', async () => {
    await commit();
    expect((await run('ls d sub/ -l')).out).toMatch(/^644 +6 B {2}[0-9a-f]{10} {2}sub\/b\.txt\n$/);
  });

  test('-C works as if started there', async () => {
    const outside = tmpdir();
    await commit();
    expect((await run(`-C ${cwd} ls d`, { cwd: outside })).out).toBe('a.txt\nsub/b.txt\n');
  });
});

describe('JSON', () => {
  test('has the keys of the contract', async () => {
    expect(await json('init')).toEqual({ root: cwd });
    const [committed] = await json('commit d data -m one -m two --tag t --meta lr=0.1 --meta id=007');
    expect(Object.keys(committed)).toEqual(
      'name version cid tree created base behind files bytes newBytes storedBytes aliases'.split(' '),
    );
    expect(committed).toMatchObject({
      name: 'd',
      version: 'v0',
      created: true,
      base: null,
      files: 2,
      bytes: 12,
    });
    const [status] = await json('status');
    expect(Object.keys(status)).toEqual(
      'name path held locked latest behind clean added modified removed unpushed'.split(' '),
    );
    const [listed] = await json('list --type dataset');
    expect(Object.keys(listed)).toEqual(
      'name type versions latest bytes updated description tags'.split(' '),
    );
    const [logged] = await json('log d');
    expect(Object.keys(logged)).toEqual(
      'name version cid parents message author time files bytes aliases tags producers'.split(' '),
    );
    expect(logged).toMatchObject({
      message: 'one\n\ntwo',
      author: 'Ada <ada@example.org>',
      time: '2026-01-31T12:00:00.000Z',
      tags: ['t'],
    });
    const shown = await json('show d:latest');
    expect(new Set(Object.keys(shown))).toEqual(
      new Set(
        (
          'name version cid tree type aliases tags description metadata message author time files bytes ' +
          'producers usedBy expires'
        ).split(' '),
      ),
    );
    expect(shown.metadata).toEqual({ lr: 0.1, id: '007' });
    expect(await json('show d')).toMatchObject({
      name: 'd',
      type: 'dataset',
      versions: 1,
      aliases: { latest: 'v0' },
    });
    const [entry] = await json('ls d');
    expect(Object.keys(entry)).toEqual('path kind size digest mode target uri'.split(' '));
    const checkedOut = await json('checkout d');
    expect(Object.keys(checkedOut)).toEqual(
      'name version cid dir written removed unchanged bytes'.split(' '),
    );
    expect(await json('checkout')).toEqual([checkedOut]);
    expect(Object.keys(await json('download d copy'))).toEqual(Object.keys(checkedOut));
    expect(await json('verify d copy')).toEqual({ ok: true, missing: [], extra: [], changed: [] });
    expect(await json('alias d:v0 best')).toEqual({ name: 'd', version: 'v0', aliases: ['latest', 'best'] });
    expect(await json('alias --remove d:best')).toEqual([{ name: 'd', version: 'v0', aliases: ['latest'] }]);
    expect(Object.keys(await json('gc --dry-run'))).toEqual('freed kept packs expired reasons'.split(' '));
    expect(await json('fsck --deep')).toMatchObject({ ok: true, damaged: [], healed: 0 });
    expect(await json('unbind d')).toEqual({ name: 'd', path: 'data' });
    expect(await json('config user')).toEqual({ key: 'user', value: null });
    expect(await json('config user Ada')).toEqual({ key: 'user', value: 'Ada' });
    expect(await json('config')).toEqual({ user: 'Ada' });
  });

  test('of a failure says code, message, hint and status', async () => {
    const { status, out, err } = await run('log nothing --json');
    expect({ status, err }).toEqual({ status: 3, err: '' });
    expect(JSON.parse(out)).toEqual({
      error: { code: 'ARTIFACT_NOT_FOUND', message: expect.any(String), hint: expect.any(String), exit: 3 },
    });
    const usage = await run('log --json --limmit 3');
    expect(JSON.parse(usage.out)).toMatchObject({ error: { code: 'USAGE', exit: 2 } });
  });
});

describe('failures', () => {
  test.each([
    ['comit', 2, 'USAGE', 'Did you mean `art commit`?'],
    ['push', 2, 'REMOTE_UNSAID', 'Add one: `art remote add origin FOLDER`.'],
    ['frobnicate', 2, 'USAGE', 'See `art --help`.'],
    ['save d data', 2, 'USAGE', 'Did you mean `art commit`?'],
    ['log d -limit 3', 2, 'USAGE', 'Did you mean --limit?'],
    ['log a b', 2, 'USAGE', undefined],
    ['show', 2, 'USAGE', undefined],
    ['alias d', 2, 'USAGE', undefined],
    ['commit d --onto d', 2, 'USAGE', undefined],
    ['commit --tag x', 2, 'USAGE', undefined],
    ['commit -a x', 2, 'USAGE', undefined],
    ['commit d data --bind --no-bind', 2, 'USAGE', undefined],
    ['checkout d a b', 2, 'USAGE', undefined],
    ['checkout --path x', 2, 'USAGE', undefined],
    ['commit nothing', 2, 'NOTHING_BOUND', undefined],
    ['commit bad:name data', 2, 'NAME_INVALID', undefined],
    ['alias d latest', 2, 'NAME_INVALID', undefined],
    ['show d@zz', 2, 'SPEC_INVALID', undefined],
    ['show dd', 3, 'ARTIFACT_NOT_FOUND', 'Did you mean "d"?'],
    ['show d:v9', 3, 'VERSION_NOT_FOUND', undefined],
    ['show d:bset', 3, 'ALIAS_NOT_FOUND', 'Did you mean "d:best"?'],
    ['show d:lastest', 3, 'ALIAS_NOT_FOUND', 'Did you mean "d:latest"?'],
    ['show d:0', 3, 'ALIAS_NOT_FOUND', 'Did you mean "d:v0"?'],
    ['show d:0123456789', 3, 'ALIAS_NOT_FOUND', 'Did you mean "d@0123456789"?'],
    ['show d/v0', 2, 'SPEC_INVALID', 'Did you mean "d:v0"?'],
    ['show d:v4', 3, 'VERSION_NOT_FOUND', 'The newest version is "d:v0".'],
    ['status dd', 3, 'BINDING_NOT_FOUND', 'Did you mean "d"?'],
    ['config usr', 3, 'CONFIG_NOT_FOUND', 'Did you mean `art config user`?'],
    ['commit my\u00a0d\u00e9j\u00e0 data', 2, 'NAME_INVALID', '"my-deja" would do.'],
    ['completion bahs', 2, 'USAGE', 'Did you mean `bash`?'],
    ['cat d b.txt', 3, 'ENTRY_NOT_FOUND', undefined],
    ['commit d missing', 3, 'PATH_NOT_FOUND', undefined],
    ['unbind e', 3, 'BINDING_NOT_FOUND', undefined],
    ['-C missing log', 3, 'PATH_NOT_FOUND', undefined],
    ['config nothing', 3, 'CONFIG_NOT_FOUND', undefined],
    ['commit d data -t model', 5, 'TYPE_MISMATCH', undefined],
    ['commit D data', 5, 'BINDING_CONFLICT', undefined],
    ['commit D data --no-bind', 5, 'NAME_TAKEN', undefined],
  ])('art %s', async (line, status, code, hint) => {
    await commit();
    const told = await run(line);
    expect(told).toMatchObject({ status, out: '' });
    expect(told.err).toMatch(/^error: .+ \[\w+\]\nhint: .+\n$/);
    expect(told.err).toContain(`[${code}]`);
    if (hint !== undefined) expect(told.err).toContain(`hint: ${hint}\n`);
    // Nothing was made by it.
    expect(await json('log')).toHaveLength(1);
  });

  test('a damaged repository ends fsck with 4, and --repair brings everything back', async () => {
    await commit();
    rmSync(join(cwd, '.art', 'objects'), { recursive: true });
    const { status, out } = await run('fsck');
    expect(status).toBe(4);
    expect(out).not.toContain('all is well');
    expect(await run('fsck --repair')).toMatchObject({ status: 0 });
    expect((await run('cat d:best a.txt')).out).toBe('hello\n');
  });

  test('outside a repository', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'art-none-'));
    for (const line of ['log', 'status', 'commit', 'checkout d', 'gc', 'fsck']) {
      const { status, err } = await run(line, { cwd: elsewhere });
      expect(status).toBe(3);
      expect(err).toContain('[REPOSITORY_NOT_FOUND]');
    }
  });

  test('uncommitted work is not overwritten without --force', async () => {
    await commit();
    appendFileSync(join(cwd, 'data', 'a.txt'), 'x');
    await commit('commit d');
    appendFileSync(join(cwd, 'data', 'a.txt'), 'precious');
    expect(await run('checkout d:v0')).toMatchObject({ status: 5 });
    expect(readFileSync(join(cwd, 'data', 'a.txt'), 'utf8')).toContain('precious');
    expect(await run('checkout d:v0 --force')).toMatchObject({ status: 0 });
  });

  test('a named pipe is refused at once', async () => {
    execFileSync('mkfifo', [join(cwd, 'data', 'pipe')]);
    const { status, err } = await run('commit d data');
    expect(status).toBe(1);
    expect(err).toContain('[FILE_UNSUPPORTED]');
  });

  test('a stopped command ends with 130, says so calmly, and has changed nothing', async () => {
    const { status, out, err } = await run('commit d data', { signal: AbortSignal.abort() });
    expect({ status, out }).toEqual({ status: 130, out: '' });
    expect(err).toMatch(/^stopped; no version was made/);
    expect(await json('log')).toEqual([]);
  });

  test('a reader that goes away is no failure', async () => {
    await commit();
    const gone = async () => Promise.reject(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    const stdout = { isTTY: false, mayBlock: true, write: gone };
    expect(await run('ls d', { stdout })).toEqual({ status: 0, out: '', err: '' });
    writeFileSync(join(cwd, 'data', 'new'), '');
    expect(await run('status --exit-code', { stdout })).toEqual({ status: 1, out: '', err: '' });
  });

  test('a full disk under standard output is called so', async () => {
    await commit();
    const full = async () => Promise.reject(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }));
    const { status, err } = await run('ls d', { stdout: { isTTY: false, mayBlock: true, write: full } });
    expect({ status, err }).toEqual({ status: 1, err: expect.stringContaining('[DISK_FULL]') as string });
  });

  test('the version is told wherever it is asked for', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
    expect(await run('-q --version')).toEqual({ status: 0, out: `art ${version}\n`, err: '' });
    expect(JSON.parse((await run('--version --json')).out)).toEqual({ version });
  });

  test('a dumb terminal gets no colours', async () => {
    await commit();
    expect((await run('status', { isTTY: true })).out).toContain('\u001b[');
    expect((await run('status', { isTTY: true, env: { TERM: 'dumb' } })).out).not.toContain('\u001b[');
  });

  test('a stack is shown with ART_DEBUG only', async () => {
    const bare = await run('show e');
    expect(bare.err).not.toContain(' at ');
    expect((await run('show e', { env: { ART_DEBUG: '1' } })).err).toMatch(/\n +at /);
  });
});

describe('what was perhaps mistyped', () => {
  test('a filter that leaves nothing over guesses the type or the tag', async () => {
    await commit('commit d data --tag gold');
    expect((await run('list --type datasets')).err).toBe(
      'no artifact of type "datasets"; did you mean "dataset"?\n',
    );
    expect((await run('list --tag golf')).err).toBe(
      'no artifact with the tag "golf"; did you mean "gold"?\n',
    );
  });

  test('a setting that art does not know is set, with a warning', async () => {
    const { status, err } = await run('config usr Ada');
    expect({ status, err }).toEqual({
      status: 0,
      err: 'warning: "usr" is no setting of art; did you mean "user"?\n',
    });
  });
});

describe('settings', () => {
  test('the author is ART_AUTHOR, else the setting user, the repository over the user', async () => {
    const env = { ART_AUTHOR: '' };
    await run('config --global user Global');
    await run('commit d data', { env });
    await run('config user Local');
    appendFileSync(join(cwd, 'data', 'a.txt'), 'x');
    await run('commit d', { env });
    appendFileSync(join(cwd, 'data', 'a.txt'), 'x');
    await run('commit d');
    const authors = (await json('log d')).map(({ author }: { author: string }) => author);
    expect(authors).toEqual(['Ada <ada@example.org>', 'Local', 'Global']);
  });

  test('ART_ARTIFACTS_DIR is where unbound artifacts go', async () => {
    await commit('commit d data --no-bind');
    await run('download d', { env: { ART_ARTIFACTS_DIR: 'elsewhere' } });
    expect(existsSync(join(cwd, 'elsewhere', 'd:v0', 'a.txt'))).toBe(true);
  });
});
