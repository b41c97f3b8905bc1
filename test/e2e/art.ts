/** Runs the built command line as users do: in processes of its own. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const ART = join(import.meta.dirname, '..', '..', 'dist', 'bin', 'art.cjs');
const environment = () => ({ ...process.env, ART_AUTHOR: 'ada', NO_COLOR: '1' });

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function art(cwd: string, ...words: string[]): Result {
  return artAfter([], cwd, ...words);
}

/** Runs a command in a process that was given `nodeOptions`. */
export function artAfter(nodeOptions: readonly string[], cwd: string, ...words: string[]): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, ART, ...words], {
    cwd,
    env: environment(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr };
}

/** Runs a command that must succeed, and gives its JSON. */
export function artJson<T>(cwd: string, ...words: string[]): T {
  const result = art(cwd, ...words, '--json');
  if (result.status !== 0)
    throw new Error(`art ${words.join(' ')}: ${result.status} ${result.stdout} ${result.stderr}`);
  return JSON.parse(result.stdout) as T;
}

/** Who runs a command, if not the one who runs the tests. */
export interface Who {
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a command without keeping this process from serving it. */
export async function askArt(cwd: string, ...words: string[]): Promise<Result> {
  return askArtAs({}, cwd, ...words);
}

export async function askArtAs({ uid, env }: Who, cwd: string, ...words: string[]): Promise<Result> {
  const child = spawn(process.execPath, [ART, ...words], {
    cwd,
    env: { ...environment(), ...env },
    ...(uid !== undefined && { uid, gid: uid }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => void (said[name] += text));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, ...said };
}

export function startArt(cwd: string, ...words: string[]): ChildProcess {
  return startArtAfter([], cwd, ...words);
}

export function startArtAfter(nodeOptions: readonly string[], cwd: string, ...words: string[]): ChildProcess {
  const argv = [...nodeOptions, ART, ...words];
  return spawn(process.execPath, argv, { cwd, env: environment(), stdio: 'ignore' });
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', (status) => resolve(status)));
}

export class Place implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'art-e2e-'));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
