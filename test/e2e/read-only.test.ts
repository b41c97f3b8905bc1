/** Who may only read a bucket clones, fetches, pulls and reads it, writes nothing there, and is told so by a push. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBucket } from '#sync';
import { S3StandIn } from '../s3/stand-in.ts';
import { Place, askArtAs } from './art.ts';
import type { Who } from './art.ts';

const { env } = process;
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const REAL = {
  writing: env['ART_TEST_S3_ENDPOINT'],
  reading: env['ART_TEST_S3_READ_ONLY_ENDPOINT'],
  keys: {
    AWS_ACCESS_KEY_ID: env['ART_TEST_S3_KEY'],
    AWS_SECRET_ACCESS_KEY: env['ART_TEST_S3_SECRET'],
  },
};
if (process.platform === 'win32') console.log('read-only folder: skipped: permissions work differently here');
if (REAL.reading === undefined)
  console.log('read-only S3: skipped: ART_TEST_S3_READ_ONLY_ENDPOINT is not set; `.ci/s3` starts a server');

/** One bucket, for somebody who writes there and for somebody who must not. */
interface Shared extends AsyncDisposable {
  readonly url: string;
  readonly writer: Who;
  readonly reader: Who;
  /** All there is, with what changes if anybody writes. */
  readonly rows: () => Promise<readonly string[]>;
  /** Says who comes next. */
  readonly turn: (whose: 'writer' | 'reader') => void;
}

/** Root may do anything, so that the reader is somebody else; else permissions are taken away meanwhile. */
async function ownedFolder({ path }: Place): Promise<Shared> {
  const url = join(path, 'bucket');
  mkdirSync(url);
  const all = () => ['', ...readdirSync(url, { recursive: true, encoding: 'utf8' }).sort()];
  return {
    url,
    writer: {},
    reader: isRoot ? { uid: NOBODY } : {},
    rows: async () =>
      all().map((name) => {
        const { size, mtimeMs, ino } = lstatSync(join(url, name));
        return [name, size, mtimeMs, ino].join(' ');
      }),
    turn(whose) {
      if (isRoot) return;
      for (const name of all())
        if (lstatSync(join(url, name)).isDirectory())
          chmodSync(join(url, name), whose === 'writer' ? 0o755 : 0o555);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function forbiddingStandIn(): Promise<Shared> {
  const server = await S3StandIn.start();
  const who = {
    env: { AWS_ENDPOINT_URL: server.endpoint, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' },
  };
  return {
    url: server.url,
    writer: who,
    reader: who,
    rows: () => rowsOf(server.url, who.env),
    turn(whose) {
      const writes = (method: string) => method !== 'GET' && method !== 'HEAD';
      server.treat = ({ method }) => (whose === 'reader' && writes(method) ? 'deny' : 'answer');
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function readOnlyServer(): Promise<Shared> {
  const url = `s3://${env['ART_TEST_S3_BUCKET']}/read-only-${Date.now().toString(36)}`;
  const at = (endpoint: string) => ({ env: { ...REAL.keys, AWS_ENDPOINT_URL: endpoint } });
  return {
    url,
    writer: at(REAL.writing!),
    reader: at(REAL.reading!),
    rows: () => rowsOf(url, at(REAL.writing!).env),
    turn: () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function rowsOf(url: string, environment: Who['env']): Promise<string[]> {
  await using bucket = await openBucket(url, { cwd: '/', env: environment! });
  const rows: string[] = [];
  for await (const row of bucket.list('')) rows.push(Object.values(row).join(' '));
  return rows;
}

async function works(who: Who, cwd: string, ...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await askArtAs(who, cwd, ...words);
  expect(status, `art ${words.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

async function readsAll(open: (place: Place) => Promise<Shared>): Promise<void> {
  using place = new Place();
  await using shared = await open(place);
  const { url, writer, reader } = shared;
  const ada = join(place.path, 'ada');
  const home = join(place.path, 'ben');
  for (const folder of [ada, home]) mkdirSync(folder);
  chmodSync(place.path, 0o755);
  if (reader.uid !== undefined) chownSync(home, reader.uid, reader.uid);
  const ben = { ...reader, env: { ...reader.env, HOME: home, TMPDIR: home } };
  const commit = async (text: string) => {
    mkdirSync(join(ada, 'data'), { recursive: true });
    writeFileSync(join(ada, 'data', 'a.txt'), text);
    await works(writer, ada, 'commit', 'data', 'data');
    shared.turn('writer');
    await works(writer, ada, 'push');
    shared.turn('reader');
  };
  await works(writer, ada, 'init');
  await works(writer, ada, 'remote', 'add', 'origin', url);
  await commit('zero');
  const before = await shared.rows();
  expect(await works(ben, home, 'cat', 'data', 'a.txt', '--from', url)).toBe('zero');
  await works(ben, home, 'download', 'data', 'plain', '--from', url);
  expect(readFileSync(join(home, 'plain', 'a.txt'), 'utf8')).toBe('zero');
  await works(ben, home, 'clone', url, 'whole');
  await works(ben, home, 'clone', url, 'lazy', '--lazy');
  const [whole, lazy] = ['whole', 'lazy'].map((name) => join(home, name));
  expect(await works(ben, lazy, 'cat', 'data', 'a.txt')).toBe('zero');
  expect(await shared.rows()).toEqual(before);

  await commit('one');
  const after = await shared.rows();
  expect(after).not.toEqual(before);
  await works(ben, whole, 'fetch');
  expect(await works(ben, whole, 'cat', 'data:origin/latest', 'a.txt')).toBe('one');
  for (const folder of [whole, lazy]) {
    await works(ben, folder, 'pull');
    expect(await works(ben, folder, 'cat', 'data:v1', 'a.txt')).toBe('one');
    await works(ben, folder, 'fsck');
  }
  expect(await works(ben, whole, 'push')).toContain('nothing to push');

  mkdirSync(join(home, 'mine'));
  writeFileSync(join(home, 'mine', 'b'), 'mine');
  if (reader.uid !== undefined) chownSync(join(home, 'mine'), reader.uid, reader.uid);
  await works(ben, whole, 'commit', 'mine', '../mine');
  for (const words of [['push'], ['gc', '--remote', 'origin', '--min-age', '0']]) {
    const refused = await askArtAs(ben, whole, ...words);
    expect([words, refused.status], refused.stderr).toEqual([words, 1]);
    expect(refused.stderr).toMatch(/^error: .*(not permitted|AccessDenied|MethodNotAllowed)/);
  }
  expect(await works(ben, whole, 'cat', 'mine', 'b')).toBe('mine');
  expect(await shared.rows()).toEqual(after);
  shared.turn('writer');
}

describe('a bucket that may only be read', () => {
  const timeout = 120_000;
  test.skipIf(process.platform === 'win32')('a folder of somebody else', { timeout }, () =>
    readsAll(ownedFolder),
  );
  test('an S3 server that refuses everything else', { timeout }, () => readsAll(forbiddingStandIn));
  test.skipIf(REAL.reading === undefined)('a real S3 server that is read-only', { timeout }, () =>
    readsAll(readOnlyServer),
  );
});
