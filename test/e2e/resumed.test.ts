/** Kills pushes, pulls and clones in the middle, again and again: what had arrived is never sent again. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FolderBucket } from '#sync';
import { S3StandIn } from '../s3/stand-in.ts';
import { Place, askArt, ended, startArt } from './art.ts';
import type { Result } from './art.ts';

const MiB = 1024 * 1024;
/** More by hand: `ART_RESUME_MIB=1024 npx vitest run … test/e2e/resumed.test.ts`. */
const SIZE = Number(process.env['ART_RESUME_MIB'] ?? 64) * MiB;
const FILE_BYTES = 6 * MiB + 12_345;
const KILLS = 3;
/** Two packs of 20 MiB on their way, and the nodes and indexes around them. */
const SENT_AGAIN_MAX = 41 * MiB;
/** A batch of 16 MiB that has not landed, the window beside it, and what is read ahead. */
const FETCHED_AGAIN_MAX = 34 * MiB;
/** Nodes, indexes and pointers of so many bytes. */
const AROUND = SIZE / 50 + MiB;
const RATE = 48 * MiB;

interface Told {
  readonly versions: number;
  readonly bytes: number;
}

/** Where everybody pushes to: a folder, seen directly or through a slow S3 server. */
interface Store extends AsyncDisposable {
  readonly url: string;
  readonly options: readonly string[];
  /** Bodies that went over the wire in all, both ways; undefined where nobody counts. */
  readonly wire: () => number | undefined;
}

const STORES: Readonly<Record<string, (folder: string) => Promise<Store>>> = {
  'a folder': async (folder) => ({
    url: folder,
    options: [],
    wire: () => undefined,
    [Symbol.asyncDispose]: async () => {},
  }),
  'a slow S3 server': async (folder) => {
    const server = await S3StandIn.start(new FolderBucket(folder));
    server.rate = RATE;
    process.env['AWS_ACCESS_KEY_ID'] = process.env['AWS_SECRET_ACCESS_KEY'] = 'any';
    return {
      url: server.url,
      options: ['--endpoint', server.endpoint],
      wire: () => server.bytesIn + server.bytesOut,
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

function fill(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (let done = 0, i = 0; done < SIZE; i++) {
    const length = Math.min(FILE_BYTES, SIZE - done);
    const file = openSync(join(folder, `f${i}`), 'w');
    for (let at = 0; at < length; at += MiB) writeSync(file, randomBytes(Math.min(MiB, length - at)));
    closeSync(file);
    done += length;
  }
}

/** Bytes of all files below `folder` whose name ends so; what others move meanwhile counts as it may. */
function bytesIn(folder: string, end: string): number {
  if (!existsSync(folder)) return 0;
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith(end))
    .reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

async function works(cwd: string, ...words: string[]): Promise<Result> {
  const result = await askArt(cwd, ...words);
  expect(result.status, `art ${words.join(' ')}: ${result.stderr}`).toBe(0);
  return result;
}

interface Transfer {
  readonly cwd: string;
  readonly words: readonly string[];
  /** Bytes that have arrived and need not come again. */
  readonly arrived: () => number;
  /** What may have been on its way when it was killed. */
  readonly againMax: number;
  readonly wire: () => number | undefined;
}

/** Runs a command and kills it once so much has arrived; tells whether it was at work until then. */
async function killedAt({ cwd, words, arrived }: Transfer, bytes: number): Promise<boolean> {
  const child = startArt(cwd, ...words);
  let over = false;
  const end = ended(child).then(() => (over = true));
  while (!over && arrived() < bytes) await new Promise((resolve) => setTimeout(resolve, 3));
  child.kill('SIGKILL');
  await end;
  return child.signalCode === 'SIGKILL';
}

/** Kills it several times, each time further on, then lets it end. */
async function resumed(what: string, transfer: Transfer): Promise<void> {
  const { cwd, words, arrived, againMax, wire } = transfer;
  const before = wire();
  let killed = 0;
  for (let kill = 1; kill <= KILLS; kill++)
    if (await killedAt(transfer, Math.max((SIZE * kill) / (KILLS + 2), arrived() + 1))) killed++;
  expect(killed, 'it ended before it was killed').toBeGreaterThan(0);
  const there = arrived();
  const { bytes } = JSON.parse((await works(cwd, ...words, '--json')).stdout) as Told;
  const sent = before === undefined ? undefined : wire()! - before;
  if (process.env['ART_RESUME_MIB'] !== undefined) {
    const shown = Object.entries({ size: SIZE, there, 'last run': bytes, 'all runs': sent })
      .map(([name, n]) => `${name} ${n === undefined ? '-' : (n / MiB).toFixed(1)}`)
      .join(', ');
    console.log(`${what}, killed ${killed} times, MiB: ${shown}`);
  }
  expect(bytes, 'the last run').toBeLessThanOrEqual(SIZE - there + againMax + AROUND);
  if (sent !== undefined)
    expect(sent, 'all runs').toBeLessThanOrEqual(SIZE + killed * againMax + (killed + 1) * AROUND);
}

describe.each(Object.entries(STORES))('killed in the middle, with %s', (kind, open) => {
  test('push, pull and clone go on where they were', { timeout: 60_000 + SIZE / 2000 }, async () => {
    using place = new Place();
    const path = (...parts: string[]) => join(place.path, ...parts);
    for (const name of ['bucket', 'ada']) mkdirSync(path(name));
    await using store = await open(path('bucket'));
    const { url, options, wire } = store;
    fill(path('ada', 'data'));
    await works(path('ada'), 'init');
    await works(path('ada'), 'remote', 'add', 'origin', url, ...options);
    mkdirSync(path('ada', 'small'));
    writeFileSync(path('ada', 'small', 'a'), 'small');
    await works(path('ada'), 'commit', 'small', 'small');
    await works(path('ada'), 'push');
    await works(place.path, 'clone', url, 'ben', ...options);
    await works(path('ada'), 'commit', 'large', 'data');

    const inBucket = () => bytesIn(path('bucket', 'packs'), '.pack');
    const wholePacks = { arrived: inBucket, againMax: SENT_AGAIN_MAX, wire };
    await resumed(`push to ${kind}`, { cwd: path('ada'), words: ['push'], ...wholePacks });
    expect(inBucket(), 'nothing lies there twice').toBeLessThanOrEqual(SIZE + AROUND);

    const landed = (name: string) => () => bytesIn(path(name, '.art', 'packs'), '.pack');
    const batches = { againMax: FETCHED_AGAIN_MAX, wire };
    await resumed(`pull from ${kind}`, {
      cwd: path('ben'),
      words: ['pull'],
      arrived: landed('ben'),
      ...batches,
    });
    await resumed(`clone from ${kind}`, {
      cwd: place.path,
      words: ['clone', url, 'carl', ...options],
      arrived: landed('carl'),
      ...batches,
    });
    for (const name of ['ben', 'carl']) {
      await works(path(name), 'fsck', '--deep');
      await works(path(name), 'verify', 'large', path('ada', 'data'));
    }
  });
});
