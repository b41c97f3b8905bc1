/** Runs one command of one tool and says what it cost: wall and CPU seconds, peak memory, bytes on disk. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A line for `sh -c`, where it runs, and what it adds to the environment. */
export interface Command {
  readonly script: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Usage {
  readonly wallSeconds: number;
  /** User and system seconds of the command and all the processes it waited for. */
  readonly cpuSeconds: number;
  /** Of the largest process among them; null where `/usr/bin/time` is not installed. */
  readonly peakRssBytes: number | null;
}

const TIME = '/usr/bin/time';
const TIMEOUT_MS = 30 * 60_000;

/** Throws an Error with the end of stderr when the command fails. */
export function measure(command: Command): Usage {
  const report = join(tmpdir(), `art-bench-${process.pid}.time`);
  const shell = ['sh', '-c', command.script];
  const withTime = existsSync(TIME);
  const argv = withTime
    ? [TIME, '-q', '-o', report, '-f', '%U %S %M', ...shell]
    : ['bash', '-c', `TIMEFORMAT='%U %S 0'; { time "$@" 2>&3; } 3>&2 2>"$0"`, report, ...shell];
  const started = process.hrtime.bigint();
  const child = spawnSync(argv[0]!, argv.slice(1), {
    cwd: command.cwd ?? tmpdir(),
    env: { ...process.env, LC_ALL: 'C', ...command.env },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: TIMEOUT_MS,
    maxBuffer: 1 << 28,
  });
  const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (child.status !== 0) {
    const why = child.error?.message ?? child.stderr.toString().trim().slice(-600);
    throw new Error(`\`${command.script}\` failed with status ${child.status ?? child.signal}: ${why}`);
  }
  const [user, system, kib] = readFileSync(report, 'utf8').trim().split(/\s+/).map(Number);
  rmSync(report);
  return { wallSeconds, cpuSeconds: user! + system!, peakRssBytes: withTime ? kib! * 1024 : null };
}

/** Writes out what is still in memory, so that no command pays for what was written before it. */
export function settle(): void {
  spawnSync('sync');
}

/** Bytes that a folder takes on disk, in allocated blocks. Call `settle` first: ext4 allocates late. */
export function diskBytes(path: string): number {
  const stat = lstatSync(path);
  let bytes = stat.blocks * 512;
  if (stat.isDirectory()) for (const name of readdirSync(path)) bytes += diskBytes(join(path, name));
  return bytes;
}

/** What differs between two folders, as `diff -r` and the execute bits tell; empty when they are the same. */
export function differences(expected: string, actual: string): string {
  const script =
    `diff -r --no-dereference "$A" "$B" 2>&1 | head -5; ` +
    `list() { (cd "$1" && find . -type f -perm -u+x | LC_ALL=C sort | cksum); }; ` +
    `[ "$(list "$A")" = "$(list "$B")" ] || echo 'execute bits differ'`;
  const child = spawnSync('sh', ['-c', script], { env: { ...process.env, A: expected, B: actual } });
  return child.stdout.toString().trim();
}

/**
 * Memory that is given back just before a command runs. A virtual machine may have to fetch each page anew from its
 * host, which makes writing up to four times slower; so every command gets the same warm pages to write into.
 */
export class Ballast {
  readonly #bytes: number;
  readonly #file: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
    const path = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `art-bench-${process.pid}.ballast`);
    this.#file = openSync(path, 'w');
    // Without a name it goes when this process goes, however that ends.
    rmSync(path);
  }

  load(): void {
    const block = Buffer.alloc(4 << 20, 1);
    for (let at = 0; at < this.#bytes; at += block.length) writeSync(this.#file, block, 0, block.length, at);
  }

  drop(): void {
    ftruncateSync(this.#file, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}
