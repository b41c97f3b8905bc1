import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Place, art } from './art.ts';

/** What a command loads first: `node:worker_threads` with another Worker. */
function preload(place: Place, worker: string): string {
  const path = join(place.path, 'preload.cjs');
  writeFileSync(
    path,
    `const threads = require('node:worker_threads');
     const { Worker } = threads;
     threads.Worker = ${worker};
     require('node:module').syncBuiltinESMExports();`,
  );
  return path;
}

test.each([
  ['cannot be started', `class { constructor() { throw new Error('no more threads'); } }`],
  [
    'dies over a frame',
    // It takes whatever comes first, as the real one would, and is gone.
    `class extends Worker {
       constructor(program, options) {
         super(
           \`const { workerData } = require('node:worker_threads');
            const words = new Int32Array(workerData, 0, 14);
            for (;;) for (let at = 2; at < 14; at += 3)
              if (Atomics.compareExchange(words, at, 1, 2) === 1) {
                Atomics.notify(words, at);
                process.exit(1);
              }\`,
           { ...options, eval: true },
         );
         Atomics.wait(new Int32Array(options.workerData, 0, 14), 2, 1, 10_000);
       }
     }`,
  ],
])('where the compressing thread %s, a command does without', { timeout: 60_000 }, (_, worker) => {
  using place = new Place();
  art(place.path, 'init');
  mkdirSync(join(place.path, 'data'));
  for (let i = 0; i < 40; i++)
    writeFileSync(join(place.path, 'data', `f${i}`), `file ${i} is like the others\n`.repeat(6000 + i));
  const options = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `--require ${preload(place, worker)}`;
  try {
    const start = performance.now();
    const commit = art(place.path, 'commit', 'd', 'data');
    expect(commit.status, commit.stderr).toBe(0);
    expect(performance.now() - start).toBeLessThan(15_000);
  } finally {
    if (options === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = options;
  }
  expect(art(place.path, 'fsck', '--deep').status).toBe(0);
});
