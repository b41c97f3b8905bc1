/** Plays transcripts: real commands in a folder of their own, with a clock that stands still until it is told. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCli } from '#cli';
import { NOW_MS, memorySink } from '../cli/host.ts';
import { parseLine } from './shell-line.ts';
import type { Stage } from './shell-line.ts';
import { fits, outcomeLines } from './transcript.ts';
import type { Part } from './transcript.ts';

/** Where the reader is told that it happens. */
const HOME = '/home/ada';
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

interface Outcome {
  readonly output: string;
  readonly status: number;
}

export class Player implements Disposable {
  readonly #home = realpathSync(mkdtempSync(join(tmpdir(), 'art-script-')));
  #folder = join(this.#home, 'project');
  #nowMs = NOW_MS;

  constructor() {
    mkdirSync(this.#folder);
  }

  /** The transcript as it came out: a step that answered as expected stays as it is. */
  async play(parts: readonly Part[]): Promise<readonly Part[]> {
    const played: Part[] = [];
    for (const part of parts) {
      if (part.kind === 'prose') played.push(part);
      else {
        const { output, status } = await this.#run(part.command);
        const lines = outcomeLines(output, status);
        played.push(fits(lines, part.expected) ? part : { ...part, expected: lines });
      }
    }
    return played;
  }

  async #run(line: string): Promise<Outcome> {
    const { stages, file } = parseLine(line);
    let text = '';
    const aside: string[] = [];
    let status = 0;
    for (const stage of stages) {
      const ended = await this.#stage(stage, text);
      text = ended.out;
      aside.push(ended.err);
      status = ended.status;
    }
    if (file !== undefined) {
      writeFileSync(resolve(this.#folder, this.#real(file)), text);
      text = '';
    }
    return { output: this.#shown(text + aside.join('')), status };
  }

  async #stage({ words, env, text }: Stage, stdin: string) {
    const [program, ...rest] = words;
    if (program === 'art')
      return this.#art(
        rest.map((word) => this.#real(word)),
        env,
        stdin,
      );
    if (program === 'cd' || program === 'sleep') {
      if (program === 'cd') this.#folder = resolve(this.#folder, this.#real(rest[0] ?? HOME));
      else this.#nowMs += Number(rest[0].slice(0, -1)) * UNIT_MS[rest[0].slice(-1)];
      statSync(this.#folder);
      return { out: '', err: '', status: 0 };
    }
    const ended = spawnSync('sh', ['-c', this.#real(text)], {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], HOME: this.#home, LC_ALL: 'C', TZ: 'UTC' },
      input: stdin,
      encoding: 'utf8',
    });
    return { out: ended.stdout, err: ended.stderr, status: ended.status ?? 1 };
  }

  async #art(argv: readonly string[], env: Readonly<Record<string, string>>, stdin: string) {
    const out = memorySink();
    const err = memorySink();
    const host = {
      cwd: () => this.#folder,
      env: { ART_AUTHOR: 'Ada <ada@example.org>', HOME: this.#home, ...env },
      stdout: out,
      stderr: err,
      stdin: async function* () {
        yield Buffer.from(stdin);
      },
      signal: new AbortController().signal,
      now: () => this.#nowMs,
    };
    const status = await runCli(argv, host);
    return { out: out.text(), err: err.text(), status };
  }

  #real(text: string): string {
    return text.replaceAll(HOME, this.#home);
  }

  #shown(text: string): string {
    return text.replaceAll(this.#home, HOME);
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
