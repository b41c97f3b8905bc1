/** A place with repositories, worktrees and a bucket in it, that can be put back to how it was; commands run in it. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const PRELOAD = join(import.meta.dirname, 'faults.mjs');
const ROOT = join(import.meta.dirname, '..', '..', '..');

/** What befalls a process; see `faults.mjs`. */
export const HOWS = ['kill', 'tear', 'power', 'EIO', 'ENOSPC', 'full', 'short'] as const;
export type How = (typeof HOWS)[number];

export interface Fault {
  /** The how-manieth change on disk, from 1. */
  readonly at: number;
  readonly how: How;
  readonly seed: number;
}

export interface Ran {
  readonly status: number | null;
  readonly killed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether a change, as the log tells it, can be disturbed so. */
export function fits(how: How, change: string): boolean {
  const what = change.split(' ')[1];
  if (how === 'tear' || how === 'short') return what === 'write';
  return how !== 'ENOSPC' || !/^(unlink|rmdir|ftruncate)$/.test(what);
}

/** The program as it is built, but with packs of 2 MiB, so that a small commit fills several. Its folder is the caller's. */
export function artWithSmallPacks(): string {
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'art-small-packs-'));
  for (const name of ['placing-worker.js', 'compressing-worker.js', 'bin/art.cjs'])
    cpSync(join(ROOT, 'dist', name), join(folder, name));
  const { imports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    imports: Record<string, string>;
  };
  const workers = ['#placing-worker', '#compressing-worker'].map((name) => [
    name,
    imports[name].replace('./dist/', './'),
  ]);
  const description = { type: 'module', imports: Object.fromEntries(workers) };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(description));
  let found = 0;
  const text = readFileSync(join(ROOT, 'dist', 'bin', 'program.cjs'), 'utf8');
  const smaller = text.replaceAll('128*1024*1024', () => (found++, '2*1024*1024'));
  writeFileSync(join(folder, 'bin', 'program.cjs'), smaller);
  if (found !== 1) throw new Error(`PACK_BYTES_MAX stands in the program ${found} times`);
  return join(folder, 'bin', 'art.cjs');
}

export class CrashPlace implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'art-crash-'));
  /** Always the same path: what a folder holds is remembered by it. */
  readonly path = join(this.#folder, 'now');
  readonly #program: string;
  readonly #log = join(this.#folder, 'log');

  constructor(program = join(ROOT, 'dist', 'bin', 'art.cjs')) {
    this.#program = program;
    mkdirSync(this.path);
  }

  /** Keeps the place as it is now under a name. */
  keep(name: string): void {
    this.#copy('now', name);
  }

  /** Puts the place back to how it was when it was kept. */
  restore(name: string): void {
    this.#copy(name, 'now');
  }

  /** Writes files by path. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, path)), { recursive: true });
      writeFileSync(join(this.path, path), content);
    }
  }

  /** Runs a command in a process of its own; it must succeed. */
  art(cwd: string, ...words: string[]): Ran {
    const ran = this.run(cwd, words);
    if (ran.status !== 0)
      throw new Error(`art ${words.join(' ')}: ${ran.status} ${ran.stdout} ${ran.stderr}`);
    return ran;
  }

  run(cwd: string, words: readonly string[], fault?: Fault): Ran {
    return this.#spawn(cwd, words, fault && { ...fault, roots: this.#roots() });
  }

  /** The changes on disk that a command makes, in their order. */
  changesOf(cwd: string, words: readonly string[]): string[] {
    rmSync(this.#log, { force: true });
    const ran = this.#spawn(cwd, words, { log: this.#log });
    if (ran.status !== 0)
      throw new Error(`art ${words.join(' ')}: ${ran.status} ${ran.stdout} ${ran.stderr}`);
    return readFileSync(this.#log, 'utf8').trim().split('\n');
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(cwd: string, words: readonly string[], fault: object | undefined): Ran {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [...(fault === undefined ? [] : ['--import', PRELOAD]), this.#program, ...words],
      {
        cwd: join(this.path, cwd),
        env: {
          ...process.env,
          ART_AUTHOR: 'ada',
          NO_COLOR: '1',
          ...(fault && { ART_FAULT: JSON.stringify(fault) }),
        },
        encoding: 'utf8',
        timeout: 90_000,
        killSignal: 'SIGABRT',
      },
    );
    return { status, killed: signal === 'SIGKILL', stdout, stderr };
  }

  // What a loss of power may touch: repositories and the bucket, not what users have in their folders.
  #roots(): string[] {
    return readdirSync(this.path).flatMap((name) => {
      const art = join(this.path, name, '.art');
      return existsSync(art) ? [art] : name === 'bucket' ? [join(this.path, name)] : [];
    });
  }

  #copy(from: string, to: string): void {
    rmSync(join(this.#folder, to), { recursive: true, force: true });
    const { status, stderr } = spawnSync('cp', ['-a', join(this.#folder, from), join(this.#folder, to)], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cp: ${stderr}`);
  }
}
