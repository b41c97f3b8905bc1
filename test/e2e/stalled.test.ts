/** A command that waits for a silent remote keeps nobody else from working in the same repository. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { S3StandIn } from '../s3/stand-in.ts';
import type { Request } from '../s3/stand-in.ts';
import { Place, askArt, ended, startArt } from './art.ts';

/** Far below the 60 s after which a database that somebody else holds is given up. */
const PROMPT_MS = 20_000;

const isList = (prefix: string) => (one: Request) =>
  one.method === 'GET' && one.key === '' && one.query.get('prefix')?.startsWith(prefix) === true;
const is = (method: string, start: string) => (one: Request) =>
  one.method === method && one.key.startsWith(start);

const MOMENTS: readonly (readonly [string, readonly string[], (one: Request) => boolean])[] = [
  ['lists pointers', ['push'], isList('refs/')],
  ['lists indexes', ['push'], isList('idx/')],
  ['reads what others pushed', ['push'], is('GET', 'packs/')],
  ['sends a pack', ['push'], is('PUT', 'packs/')],
  ['sends an index', ['push'], is('PUT', 'idx/')],
  ['swaps a pointer', ['push'], is('PUT', 'refs/a/shared')],
  ['reads a pointer', ['pull'], is('GET', 'refs/a/shared')],
  ['reads an index', ['pull'], is('GET', 'idx/')],
  ['reads a pack', ['pull'], is('GET', 'packs/')],
  ['reads a pack', ['fetch'], is('GET', 'packs/')],
  ['lists packs', ['gc', '--remote', 'origin'], isList('packs/')],
  ['swaps its state', ['gc', '--remote', 'origin', '--min-age', '0'], is('PUT', 'gc/')],
];

describe('while the remote is silent', () => {
  const place = new Place();
  const ada = join(place.path, 'ada');
  const ben = join(place.path, 'ben');
  let server: S3StandIn;
  let made = 0;

  const works = async (cwd: string, ...words: string[]) => {
    const { status, stderr } = await askArt(cwd, ...words);
    expect(status, `art ${words.join(' ')}: ${stderr}`).toBe(0);
  };
  const commit = async (cwd: string, name: string) => {
    mkdirSync(join(cwd, name), { recursive: true });
    writeFileSync(join(cwd, name, 'a'), randomBytes(1000));
    await works(cwd, 'commit', name, name, '-m', String(made++));
  };

  beforeAll(async () => {
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'any';
    server = await S3StandIn.start();
    for (const path of [ada, ben]) {
      mkdirSync(path);
      await works(path, 'init');
      await works(path, 'remote', 'add', 'origin', server.url, '--endpoint', server.endpoint);
    }
    await commit(ada, 'shared');
    await works(ada, 'push');
    await works(ben, 'pull');
  });

  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    place[Symbol.dispose]();
  });

  test.each(MOMENTS)(
    'and somebody %s (%j), others commit and collect garbage here',
    { timeout: 90_000 },
    async (_, words, isMoment) => {
      // News on both sides.
      for (const path of [ada, ben]) await commit(path, 'shared');
      await works(ben, 'push');
      const stalled = new Promise<void>((resolve) => {
        server.treat = (request) => {
          if (!isMoment(request)) return 'answer';
          resolve();
          return 'stall';
        };
      });
      const child = startArt(ada, ...words);
      const end = ended(child);
      try {
        expect(await Promise.race([stalled.then(() => 'stalled'), end])).toBe('stalled');
        const start = performance.now();
        await commit(ada, 'beside');
        await works(ada, 'gc');
        expect(performance.now() - start).toBeLessThan(PROMPT_MS);
        expect(child.exitCode).toBeNull();
      } finally {
        server.treat = () => 'answer';
        child.kill('SIGKILL');
        await end;
      }
    },
  );

  test('and once it answers again, all of that is sent', { timeout: 60_000 }, async () => {
    await works(ada, 'push');
    await works(ben, 'pull');
    for (const path of [ada, ben]) await works(path, 'fsck');
    const logs = await Promise.all([ada, ben].map((path) => askArt(path, 'log', 'shared', '--json')));
    expect(logs[0].stdout).toBe(logs[1].stdout);
    expect(JSON.parse(logs[0].stdout)).toHaveLength(1 + 2 * MOMENTS.length);
  });
});
