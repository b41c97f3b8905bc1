/** How much memory the command takes for very many tiny files: each command in a process of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Place, art, artAfter } from './art.ts';

/** Some batches of everything that is done in batches. */
const FILES = 50_000;
/** A million files may take 256 MB. So many took up to 160 when this was written, and 240 while nothing counted objects. */
const MAX_MB = 200;

const TELLS_PEAK =
  '--import=data:text/javascript,process.on("exit",()=>process.stderr.write(`\\npeak ${process.resourceUsage().maxRSS}\\n`))';

const place = new Place();
const [ada, ben, eve, remote] = ['ada', 'ben', 'eve', 'remote'].map((name) => join(place.path, name));

function works(cwd: string, ...words: string[]): void {
  const { status, stderr } = art(cwd, ...words);
  expect(status, `art ${words.join(' ')}: ${stderr}`).toBe(0);
}

/** The most memory that a command took, in MB; it must succeed. */
function peakOf(cwd: string, ...words: string[]): number {
  const { status, stderr } = artAfter([TELLS_PEAK], cwd, ...words);
  expect(status, `art ${words.join(' ')}: ${stderr}`).toBe(0);
  return Number(/\npeak (\d+)\n$/.exec(stderr)?.[1]) / 1024;
}

beforeAll(() => {
  for (const path of [join(ada, 'data'), ben, eve, remote]) mkdirSync(path, { recursive: true });
  for (let i = 0; i < FILES; i++)
    writeFileSync(join(ada, 'data', `f${i}.txt`), `item ${i} ${'x'.repeat(i % 80)}\n`);
  works(ada, 'init');
  works(ada, 'commit', 'data', 'data', '-m', 'tiny');
  works(ada, 'remote', 'add', 'origin', remote);
}, 300_000);

afterAll(() => place[Symbol.dispose](), 300_000);

// In this order: what is pushed first is what the others read.
test.each<[string, () => number]>([
  ['push', () => peakOf(ada, 'push')],
  ['clone', () => peakOf(ben, 'clone', remote, 'all')],
  ['clone --lazy', () => peakOf(eve, 'clone', '--lazy', remote, 'some')],
  ['checkout of what was promised', () => peakOf(join(eve, 'some'), 'checkout', 'data')],
  ['fsck', () => peakOf(join(ben, 'all'), 'fsck')],
  ['cat --from', () => peakOf(eve, 'cat', 'data', 'f7777.txt', '--from', remote)],
])('%s of 50,000 tiny files keeps within 200 MB', { timeout: 300_000 }, (_, peak) => {
  expect(peak()).toBeLessThan(MAX_MB);
});
