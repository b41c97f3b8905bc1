// Has the program do what is done most, so that the bytecode of that is kept; more would take longer to load. Arguments:
// `commit` makes a repository in the folder and does everything with it, `status` and `log` then do there what only looks.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openProgram } from '../dist/cli/program-file.js';

const [command, folder] = process.argv.slice(2);
const { program, keep } = openProgram(join(import.meta.dirname, '..', 'dist', 'bin'), command);
const one = join(folder, 'one');
const data = join(one, 'data');
const looks = ['log', 'list', 'show data'];

if (command === 'commit') {
  await art(folder, 'init', one);
  mkdirSync(data);
  writeFileSync(join(data, 'table.csv'), 'a,b\n' + '1,2\n'.repeat(1000));
  writeFileSync(join(data, 'noise'), randomBytes(300_000));
  await art(one, 'commit', 'data', 'data', '-m', 'first');
  writeFileSync(join(data, 'table.csv'), 'a,b\n' + '1,3\n'.repeat(1000));
  for (const words of ['status', 'diff data', 'commit -m second']) await art(one, ...words.split(' '));
  for (const words of ['ls data', 'verify data', 'checkout data:v0', 'checkout data'])
    await art(one, ...words.split(' '));
}
for (const words of command === 'status' ? ['status'] : looks) await art(one, ...words.split(' '));
keep();

async function art(cwd, ...words) {
  let said = '';
  const sink = { isTTY: false, mayBlock: false, write: async (data) => void (said += data) };
  const status = await program.runCli(words, {
    cwd: () => cwd,
    env: { HOME: cwd, ART_AUTHOR: 'build' },
    stdin: async function* () {},
    stdout: sink,
    stderr: sink,
    signal: new AbortController().signal,
    now: Date.now,
  });
  if (status !== 0) throw new Error(`art ${words.join(' ')}: ${said}`);
}
