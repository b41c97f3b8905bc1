/** Checks what completion offers, in process and in the shells themselves. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OwnerLock } from '#store';
import { COMMANDS } from '../../src/cli/commands.ts';
import { COMPLETION_SCRIPTS } from '../../src/cli/completion-scripts.ts';
import { inShellWord, outOfShellWord } from '../../src/cli/shell-words.ts';
import { art } from './host.ts';

const BUILT = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'art.cjs');
/** A name as hostile as a name can be. */
const HOSTILE = '$(reboot);`x`';

let cwd: string;

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'art-completion-'));
  mkdirSync(join(cwd, 'data', 'train'), { recursive: true });
  writeFileSync(join(cwd, 'data', 'train', 'a.txt'), 'a');
  writeFileSync(join(cwd, 'data', 'labels.csv'), 'b');
  writeFileSync(join(cwd, 'data', 'gone.txt'), 'b');
  writeFileSync(join(cwd, 'model.pt'), 'c');
  await run('init');
  await run('commit', 'cifar', 'data', '-a', 'best', '--tag', 'gold', '--tag', 'two words');
  writeFileSync(join(cwd, 'data', 'labels.csv'), 'c');
  rmSync(join(cwd, 'data', 'gone.txt'));
  await run('commit', 'cifar');
  await run('commit', 'cifar-model', 'model.pt', '-t', 'model', '-a', HOSTILE);
  await run('commit', 'mnist', 'data', '--no-bind');
  await run('meta', 'cifar', 'lr=0.1', 'loss=2');
  await run('commit', 'mnist', '--part', 'p1', '--add', 'model.pt');
  writeFileSync(
    join(cwd, 'art.toml'),
    '[remotes.origin]\nurl = "/srv/art"\n\n[artifacts.cifar]\npath = "data"\n',
  );
});

afterAll(() => rmSync(cwd, { recursive: true }));

async function run(...words: string[]): Promise<void> {
  const { status, err } = await art(words, { cwd });
  expect({ status, err }).toEqual({ status: 0, err: '' });
}

/** What is offered after `line`, whose last word is being typed, without what is said beside it. */
async function offered(line: string, options: { readonly shell?: string; readonly cwd?: string } = {}) {
  const words = line.split(' ').slice(1);
  const argv = ['--complete-words', options.shell ?? 'fish', ...words];
  const { status, out, err } = await art(argv, { cwd: options.cwd ?? cwd });
  expect({ status, err }).toEqual({ status: 0, err: '' });
  const lines = out.split('\n').slice(0, -1);
  return lines.map((one) => (one.startsWith('\t') ? `[${one.slice(1)}]` : one.split('\t')[0]));
}

describe('completion offers', () => {
  test.each([
    ['art sho', ['show']],
    ['art -q --json unb', ['unbind']],
    ['art help che', ['checkout']],
    ['art nonsense ', []],
    ['art --ver', ['--version']],
    ['art show ', ['cifar', 'cifar-model', 'mnist']],
    ['art show m', ['mnist', 'mnist:']],
    ['art show cifar:', ['cifar:latest', 'cifar:best', 'cifar:v1', 'cifar:v0']],
    ['art show cifar:v', ['cifar:v1', 'cifar:v0']],
    ['art show nothing:', []],
    ['art verify cifar:best ', ['[folders]']],
    ['art checkout cifar ', ['[folders]']],
    ['art checkout --locked ', ['cifar']],
    ['art commit cifar ', ['[files]']],
    ['art commit x data -a b -t mo', ['model']],
    ['art commit x data --type=mo', ['--type=model']],
    ['art commit --meta-file ', ['[files]']],
    ['art commit -m ', []],
    ['art commit -m "x', []],
    ['art unbind ', ['cifar']],
    ['art list --tag ', ['gold', 'two words']],
    ['art alias --remove ', ['cifar:', 'cifar-model:', 'mnist:']],
    ['art alias --remove cifar:', ['cifar:best']],
    ['art alias cifar:v1 ', ['best']],
    ['art cat cifar ', ['labels.csv', 'train/']],
    ['art cat cifar train/', ['train/a.txt']],
    ['art ls cifar:v0 l', ['labels.csv']],
    ['art download cifar --path t', ['train/']],
    ['art config ', ['user']],
    ['art completion ', ['bash', 'fish', 'zsh']],
    ['art push ', ['origin', 'cifar', 'cifar-model', 'mnist']],
    ['art push origin m', ['mnist']],
    ['art fetch cifar m', ['mnist']],
    ['art pull --dry-run o', ['origin']],
    ['art gc --remote ', ['origin']],
    ['art gc --also-at ', ['origin']],
    ['art undo ', ['5', '4', '3', '2', '1']],
    ['art commit mnist --part ', ['p1']],
    ['art commit mnist --finish=', ['--finish=p1']],
    ['art commit cifar --finish ', []],
    ['art meta cifar --unset ', ['lr', 'loss']],
    ['art cat cifar a --from ', ['/srv/art', '[folders]']],
    ['art commit cifar --onto cifar:v0 --remove ', ['gone.txt', 'labels.csv', 'train/']],
    ['art commit cifar --onto=cifar:v0 --add x --remove g', ['gone.txt']],
    ['art commit cifar --remove ', ['labels.csv', 'train/']],
    ['art -C ', ['[folders]']],
    ['art log -- --', []],
  ])('%s', async (line, expected) => expect(await offered(line)).toEqual(expected));

  test('every command', async () => expect(await offered('art ')).toEqual([...COMMANDS.keys()]));

  test('the hashes of versions, which name them', async () => {
    const found = await offered('art show cifar@');
    expect(found).toHaveLength(2);
    const shown = await art(['show', found[0], '--json'], { cwd });
    expect(JSON.parse(shown.out)).toMatchObject({ version: 'v1' });
  });

  test('options that are not given yet, and those that may be given again', async () => {
    expect(await offered('art log --limit 3 --')).toEqual(['--graph', '--quiet', '--json', '--help']);
    const commit = await offered('art commit x data -t model -a one --dry-run --');
    expect(commit).not.toContain('--type');
    expect(commit).not.toContain('--dry-run');
    expect(commit).toEqual(expect.arrayContaining(['--alias', '--tag', '--message']));
    // Of the forms that the line may still become.
    expect(await offered('art checkout --locked --')).not.toContain('--path');
    expect(await offered('art checkout --path x --')).not.toContain('--locked');
    expect(await offered('art list ')).toContain('--type');
  });

  test('names in the folder that -C says', async () => {
    expect(await offered(`art -C ${cwd} show m`, { cwd: tmpdir() })).toEqual(['mnist', 'mnist:']);
  });

  test('nothing outside a repository, and nothing soon when it is locked', async () => {
    expect(await offered('art show ', { cwd: tmpdir() })).toEqual([]);
    expect(await offered('art log --li', { cwd: tmpdir() })).toEqual(['--limit']);
    const lock = new OwnerLock(join(cwd, '.art', 'lock'));
    await lock.acquire();
    try {
      const start = Date.now();
      expect(await offered('art show ')).toEqual([]);
      // It gives up after 100 ms; whoever runs the tests may be slow.
      expect(Date.now() - start).toBeLessThan(5000);
      expect(readdirSync(join(cwd, '.art', 'lock')).filter((name) => name.startsWith('ticket'))).toEqual([]);
    } finally {
      lock.close();
    }
  });
});

describe('in bash a word', () => {
  test.each([
    ['my\\ data', 'my data'],
    ['"my data', 'my data'],
    ["'a\\b'c", 'a\\bc'],
    ['"a\\"b\\c"', 'a"b\\c'],
    ['$HOME', '$HOME'],
  ])('%s means %s', (raw, meant) => expect(outOfShellWord(raw)).toBe(meant));

  test('is offered so that the shell takes it as it is, in quotes or out of them', () => {
    for (const typed of ['', '"', "'"]) {
      const offer = inShellWord(HOSTILE, typed)!;
      const { stdout } = spawnSync('bash', ['-c', `printf %s ${typed}${offer}${typed}`], {
        encoding: 'utf8',
      });
      expect(stdout).toBe(HOSTILE);
    }
    expect(inShellWord("it's", "'")).toBeUndefined();
  });
});

/** Cuts the line as readline does, and calls the function as it would. */
const BASH_DRIVER = driver(String.raw`
    source "$SCRIPT"; compopt() { :; }
    COMP_LINE=$LINE COMP_POINT=#{#LINE}
    IFS=$'\n' read -r -d '' -a COMP_WORDS < <(sed -E 's/([:=@])/ \1 /g; s/ +/ /g; s/^ //' <<< "$LINE" | tr ' ' '\n')
    [[ $LINE == *[:=@' '] ]] && COMP_WORDS+=('')
    [[ $LINE == *[:=@] ]] && unset "COMP_WORDS[-1]"
    COMP_CWORD=$((#{#COMP_WORDS[@]} - 1))
    _art; printf '%s\n' "#{COMPREPLY[@]}"`);

/** Says what compsys is given. */
const ZSH_DRIVER = driver(String.raw`
    compdef() { :; }; compset() { :; }; _files() { print -r '[files]'; }
    compadd() { print -rl -- "#{(@P)argv[-1]}"; }
    source "$SCRIPT"; words=(#{(s: :)LINE}); CURRENT=$#words; PREFIX=$words[-1]
    _art`);

const FISH_DRIVER = 'source $SCRIPT; complete -C $LINE';

/** `#{` stands for the shells' own brace. */
function driver(text: string): string {
  return text.replaceAll('#{', '${');
}

// Every shell is asked in its own words: the script that art prints, loaded by the shell, with art on its PATH.
describe.each([
  ['bash', BASH_DRIVER, ['--norc', '--noprofile']],
  ['zsh', ZSH_DRIVER, ['-f']],
  ['fish', FISH_DRIVER, ['--no-config']],
])('%s', (shell, driver, flags) => {
  const there = spawnSync(shell, ['--version']).status === 0;
  if (!there) console.log(`skipped: ${shell} is not installed`);

  test.runIf(there).each([
    ['art unb', ['unbind']],
    ['art show mn', ['mnist', 'mnist:']],
    ['art show cifar:', ['cifar:latest', 'cifar:best', 'cifar:v1', 'cifar:v0']],
    ['art show cifar:b', ['cifar:best']],
    ['art list --type=mod', ['--type=model']],
    ['art log --li', ['--limit']],
    ['art download cifar --path=t', ['--path=train/']],
    ['art push o', ['origin']],
    ['art push mn', ['mnist']],
    ['art gc --remote o', ['origin']],
    ['art gc --remote=o', ['--remote=origin']],
    ['art undo 5', ['5']],
    ['art commit cifar --onto cifar:v0 --remove g', ['gone.txt']],
  ])('%s', (line, expected) => {
    const bin = mkdtempSync(join(tmpdir(), 'art-bin-'));
    try {
      writeFileSync(join(bin, 'art'), `#!/bin/sh\nexec '${process.execPath}' '${BUILT}' "$@"\n`, {
        mode: 0o755,
      });
      writeFileSync(join(bin, 'script'), COMPLETION_SCRIPTS.get(shell)!);
      const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, HOME: bin, XDG_CONFIG_HOME: bin };
      const asked = spawnSync(shell, [...flags, '-c', driver, join(bin, 'script'), line], {
        cwd,
        env: { ...env, SCRIPT: join(bin, 'script'), LINE: line },
        encoding: 'utf8',
      });
      expect({ ...asked, pid: 0, output: [] }).toMatchObject({ status: 0, stderr: '' });
      const found = asked.stdout.split('\n').filter(Boolean);
      // Bash is given what goes behind its last cut.
      const cut = shell === 'bash' ? line.slice(0, lastCut(line)).split(' ').at(-1)! : '';
      expect(found.map((one) => cut + one.split('\t')[0])).toEqual(expected);
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});

function lastCut(line: string): number {
  return Math.max(...[':', '=', '@', ' '].map((mark) => line.lastIndexOf(mark) + 1));
}

test('the aliases at remotes are offered as they were last seen', async () => {
  const bucket = mkdtempSync(join(tmpdir(), 'art-completion-'));
  try {
    await run('remote', 'add', 'lab', bucket);
    await run('push', 'lab', 'cifar');
    expect(await offered('art show cifar:lab')).toEqual(['cifar:lab/latest', 'cifar:lab/best']);
  } finally {
    rmSync(bucket, { recursive: true });
  }
});
