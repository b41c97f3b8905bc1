import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Place, art, artAfter } from './art.ts';
import { before } from './before.ts';

/** More than are placed without a thread. */
const FILES = 2500;
/** More text than is compressed without a thread. */
const TEXT_LINES = 60_000;

function fill(folder: string): void {
  for (let i = 0; i < FILES; i++) {
    const inside = join(folder, `${i % 20}`);
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, `f${i}.txt`), `file ${i} of many\n`.repeat(1 + (i % 40)));
  }
  const lines = Array.from(
    { length: TEXT_LINES },
    (_, i) => `line ${i} of ${(i * 7919) % 10007} words, all told\n`,
  );
  writeFileSync(join(folder, 'long.txt'), lines.join(''));
}

function differences(a: string, b: string): string {
  const { stdout, stderr } = spawnSync('diff', ['-r', a, b], { encoding: 'utf8' });
  return stdout + stderr;
}

test('what is compressed and placed in threads comes back as it was', { timeout: 300_000 }, () => {
  using place = new Place();
  const data = join(place.path, 'data');
  fill(data);
  const used = join(place.path, 'used');
  const counting = before(
    place,
    `threads.Worker = class extends Worker {
  constructor(program, options) { super(program, options); fs.appendFileSync(${JSON.stringify(used)}, program + '\\n'); }
};`,
  );
  art(place.path, 'init');
  const committed = artAfter(counting, place.path, 'commit', 'd', 'data');
  expect(committed.status, committed.stderr).toBe(0);
  const out = artAfter(counting, place.path, 'checkout', 'd', 'out');
  expect(out.status, out.stderr).toBe(0);
  expect(differences(data, join(place.path, 'out'))).toBe('');
  expect(readFileSync(used, 'utf8')).toMatch(/compressing-worker[^]*placing-worker/);
  expect(art(place.path, 'verify', 'd', 'out').status).toBe(0);
});

test.each([
  [
    'ends at once',
    "threads.Worker = class extends Worker { constructor() { super('process.exit(0)', { eval: true }); } };",
  ],
  [
    'never answers',
    `threads.Worker = class extends EventEmitter {
  postMessage() {}
  unref() {}
  async terminate() {}
};`,
  ],
])('a checkout whose thread %s fails, and the next one finishes it', { timeout: 300_000 }, (_, text) => {
  using place = new Place();
  const data = join(place.path, 'data');
  fill(data);
  art(place.path, 'init');
  expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
  const broken = artAfter(before(place, text), place.path, 'checkout', 'd', 'out');
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain('error: ');
  const again = art(place.path, 'checkout', 'd', 'out');
  expect(again.status, again.stderr).toBe(0);
  expect(differences(data, join(place.path, 'out'))).toBe('');
});
