/** Measures whole commands of `art` and of the tools people use today, alternating in one run. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { diffTable, measureDiff } from './diff.ts';
import { Ballast } from './measure.ts';
import type { Peer } from './peer.ts';
import { PEERS } from './peers.ts';
import { resultsOf, tableOf } from './report.ts';
import { runScenario } from './scenario.ts';
import { Scratch } from './scratch.ts';
import { measureStartup, startupTable } from './startup.ts';
import { TRANSFER_PEERS } from './transfer-peers.ts';
import { SCENARIOS, type Scenario } from './workloads.ts';

const TOOLS = [...new Set([...PEERS, ...TRANSFER_PEERS].map(({ name }) => name))];
const USAGE = `npm run bench -- [workload…] [options]

A workload is a scenario (${[...Object.keys(SCENARIOS), 'diff-1m', 'startup'].join(', ')}) or one of its rows.
Without any: all but memory, flat-1m, transfer-100k and diff-1m.

  --rounds N     rounds that count, after one that does not (3)
  --tools a,b    only these of ${TOOLS.join(', ')}
  --scale X      multiply sizes and counts (1)
  --dir D        work below this folder (${join(tmpdir(), 'art-bench')}); try /dev/shm for many small files
  --json FILE    write the JSON lines there, not to stdout
  --keep         leave the work folder behind
`;
const LONG = ['memory', 'flat-1m', 'transfer-100k'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    tools: { type: 'string' },
    scale: { type: 'string', default: '1' },
    dir: { type: 'string', default: join(tmpdir(), 'art-bench') },
    json: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const scale = Number(values.scale);
const rounds = Number(values.rounds);
if (values.help || !(scale > 0) || !(rounds >= 1)) {
  say(USAGE);
  process.exit(values.help ? 0 : 2);
}
// Node reads these certificates at every start, which takes 45 ms: that is the machine's doing, and no tool's.
delete process.env['NODE_EXTRA_CA_CERTS'];
const folder = resolve(values.dir);
mkdirSync(folder, { recursive: true });
if (values.json !== undefined) writeFileSync(values.json, '');
const scratch = new Scratch(folder);
try {
  await runAll();
} finally {
  note('');
  if (values.keep) say(`kept: ${scratch.keep()}\n`);
  else scratch.remove();
}

async function runAll(): Promise<void> {
  const toolsAsked = values.tools?.split(',');
  const missing = new Set<string>();
  const takesPart = (peer: Peer, { tools = [peer.name] }: Scenario): boolean => {
    if (!(toolsAsked ?? tools).includes(peer.name)) return false;
    if (peer.isInstalled()) return true;
    if (!missing.has(peer.name))
      say(`skipped: ${peer.name} is not ${peer.role === 'art' ? 'built' : 'installed'}\n`);
    missing.add(peer.name);
    return false;
  };
  const options = {
    scale,
    cacheFolder: join(folder, 'packages'),
    workFolder: () => scratch.folder('masters'),
  };
  const known = Object.entries(SCENARIOS).map(([name, make]) => ({ name, scenario: make(options) }));
  const names = new Set([
    'startup',
    'diff-1m',
    ...known.flatMap(({ name, scenario }) => [name, ...rowsOf(scenario)]),
  ]);
  const unknown = positionals.find((word) => !names.has(word));
  if (unknown !== undefined) {
    say(`no workload is called ${unknown}; --help lists them\n`);
    process.exitCode = 2;
    return;
  }

  for (const { name, scenario } of known) {
    const isWhole = positionals.length === 0 ? !LONG.includes(name) : positionals.includes(name);
    const wanted = new Set(rowsOf(scenario).filter((row) => isWhole || positionals.includes(row)));
    if (wanted.size === 0) continue;
    if (scenario.isAvailable?.() === false) {
      say(`skipped: ${name}: its input cannot be had here\n`);
      continue;
    }
    const peers = (scenario.peers ?? PEERS).filter((peer) => takesPart(peer, scenario));
    runOne(scenario, wanted, peers);
  }
  if (positionals.includes('diff-1m')) {
    const results = await measureDiff(scratch.folder('diff'), scratch.folder('diff-git'), { scale });
    for (const result of results) writeJson(result);
    say(diffTable(results));
  }
  if (positionals.length === 0 || positionals.includes('startup')) {
    const results = measureStartup(scratch.folder('startup'));
    for (const result of results) writeJson(result);
    say(startupTable(results));
  }
}

function runOne(scenario: Scenario, wanted: ReadonlySet<string>, peers: readonly Peer[]): void {
  const ballast = new Ballast(scenario.warmBytes);
  try {
    const rows = runScenario({ scenario, wanted, peers, rounds, scratch, ballast, note });
    note('');
    for (const step of scenario.steps.filter(({ row }) => wanted.has(row))) {
      const results = resultsOf(
        rows.filter((row) => row.step === step),
        { scale },
      );
      for (const result of results) writeJson(result);
      if (results.some(({ problem }) => problem !== null)) process.exitCode = 1;
      say(tableOf(step.title, results));
    }
  } finally {
    ballast.close();
  }
}

function rowsOf({ steps }: Scenario): string[] {
  return steps.map(({ row }) => row);
}

function writeJson(result: object): void {
  const line = `${JSON.stringify(result)}\n`;
  if (values.json === undefined) process.stdout.write(line);
  else appendFileSync(values.json, line);
}

/** Shows on a terminal what is being measured, in one line that the next one overwrites. */
function note(text: string): void {
  if (process.stderr.isTTY) say(`\r\x1b[K${text}`);
}

function say(text: string): void {
  process.stderr.write(text);
}
