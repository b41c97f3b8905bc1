/** Measures how long commands take that have nothing to do, against a bare `node -e 0`. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ART_ARGV } from './peer.ts';
import { columnsOf, median } from './report.ts';

const ROUNDS = 20;

export interface StartupResult {
  readonly workload: 'startup';
  readonly command: string;
  readonly rounds: number;
  readonly wallSeconds: number;
  /** To `node -e 0` in the same round: median over the rounds. */
  readonly toNode: number;
}

/** Medians of 20 rounds, commands alternating, after one that is dropped. `repository` is an empty folder. */
export function measureStartup(repository: string): StartupResult[] {
  const commands: Record<string, readonly string[]> = { 'node -e 0': [process.execPath, '-e', '0'] };
  if (existsSync(ART_ARGV[1]!)) {
    prepareRepository(repository);
    commands['art --version'] = [...ART_ARGV, '--version'];
    commands['art log'] = [...ART_ARGV, 'log'];
    commands['art status'] = [...ART_ARGV, 'status'];
  }
  for (const name of ['git', 'borg', 'restic']) {
    if (spawnSync(name, ['--version']).error === undefined)
      commands[`${name} --version`] = [name, '--version'];
  }
  const walls = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, argv] of Object.entries(commands)) {
      const started = process.hrtime.bigint();
      const { status } = spawnSync(argv[0]!, argv.slice(1), { cwd: repository, stdio: 'ignore' });
      const wallSeconds = Number(process.hrtime.bigint() - started) / 1e9;
      // restic before 0.15 knows `version` only, and says so with status 0 or 1: its start is what counts here.
      if (status !== 0 && name.startsWith('art ')) throw new Error(`${name} failed with status ${status}`);
      if (round > 0) walls.get(name)!.push(wallSeconds);
    }
  }
  const bare = walls.get('node -e 0')!;
  return [...walls].map(([command, all]) => ({
    workload: 'startup',
    command,
    rounds: ROUNDS,
    wallSeconds: median(all),
    toNode: median(all.map((wall, round) => wall / bare[round]!)),
  }));
}

function prepareRepository(repository: string): void {
  for (const words of [
    ['init', '-q', '.'],
    ['commit', 'start', '-q', '-m', 'a version to list', 'art.toml', '--no-bind'],
  ]) {
    const { status, stderr } = spawnSync(ART_ARGV[0]!, [...ART_ARGV.slice(1), ...words], { cwd: repository });
    if (status !== 0) throw new Error(`art ${words.join(' ')} failed: ${stderr.toString().slice(-300)}`);
  }
}

export function startupTable(results: readonly StartupResult[]): string {
  const lines = results.map(({ command, wallSeconds, toNode }) => [
    command,
    (wallSeconds * 1000).toFixed(1),
    toNode.toFixed(2),
  ]);
  return `\nstart, median of ${ROUNDS} (startup)\n${columnsOf([['', 'ms', '× node'], ...lines])}\n`;
}
