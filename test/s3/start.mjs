#!/usr/bin/env node
/**
 * Starts a real S3 server on a loopback port, with a bucket in it, and prints how to reach it as lines of environment:
 *
 *   node test/s3/start.mjs            prints ART_TEST_S3_* and ART_TEST_S3_PID, and leaves the server running
 *   node test/s3/start.mjs stop PID   stops it and removes what it kept
 *
 * Where the server can, it answers at a second port that refuses whatever would write: ART_TEST_S3_READ_ONLY_ENDPOINT.
 * Takes `versitygw` (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0), else `minio`, from PATH or from the
 * folder that Go installs to. Both enforce If-None-Match and If-Match, on CompleteMultipartUpload too.
 * Exits with 3 if neither is there.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const BUCKET = 'art-test';
const KEYS = { id: 'art-test-key', secret: 'art-test-secret' };
const UP_MS_MAX = 30_000;

const SERVERS = {
  versitygw: (address, folder, { readOnly = false } = {}) => ({
    args: [
      ...['--port', address, '--quiet', '--keep-alive'],
      ...(readOnly ? ['--readonly'] : []),
      ...['posix', folder],
    ],
    env: { ROOT_ACCESS_KEY: KEYS.id, ROOT_SECRET_KEY: KEYS.secret },
  }),
  minio: (address, folder) => ({
    args: ['server', '--address', address, '--console-address', '127.0.0.1:0', folder],
    env: { MINIO_ROOT_USER: KEYS.id, MINIO_ROOT_PASSWORD: KEYS.secret },
  }),
};

const [word, pid] = process.argv.slice(2);
if (word === 'stop') stop(Number(pid));
else await start();

async function start() {
  const found = Object.keys(SERVERS)
    .map((name) => [name, findProgram(name)])
    .find(([, path]) => path);
  if (found === undefined) {
    console.error('no S3 server here: neither versitygw nor minio is installed');
    process.exit(3);
  }
  const [name, path] = found;
  const folder = mkdtempSync(join(tmpdir(), 'art-s3-'));
  // A bucket is a folder to both of them.
  mkdirSync(join(folder, 'data', BUCKET), { recursive: true });
  const server = launch(path, SERVERS[name], folder, await freePort());
  const servers = [server];
  if (name === 'versitygw')
    servers.push(launch(path, SERVERS[name], folder, await freePort(), { readOnly: true }));
  writeFileSync(noteOf(server.pid), [folder, ...servers.map(({ pid }) => pid)].join('\n'));
  for (const one of servers) {
    if (await isUp(one)) continue;
    const said = readFileSync(join(folder, 'log'), 'utf8');
    stop(server.pid);
    console.error(`${name} did not start:\n${said}`);
    process.exit(1);
  }
  console.log(`ART_TEST_S3_SERVER=${name}`);
  console.log(`ART_TEST_S3_ENDPOINT=${server.endpoint}`);
  if (servers.length > 1) console.log(`ART_TEST_S3_READ_ONLY_ENDPOINT=${servers[1].endpoint}`);
  console.log(`ART_TEST_S3_BUCKET=${BUCKET}`);
  console.log(`ART_TEST_S3_KEY=${KEYS.id}`);
  console.log(`ART_TEST_S3_SECRET=${KEYS.secret}`);
  console.log(`ART_TEST_S3_PID=${server.pid}`);
}

function launch(path, commandOf, folder, port, how) {
  const { args, env } = commandOf(`127.0.0.1:${port}`, join(folder, 'data'), how);
  const log = openSync(join(folder, 'log'), 'a');
  const server = spawn(path, args, {
    cwd: folder,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  });
  server.unref();
  return Object.assign(server, { endpoint: `http://127.0.0.1:${port}` });
}

function noteOf(id) {
  return join(tmpdir(), `art-s3-${id}`);
}

/** Ends the processes that `start` has noted under this one, and no other. */
function stop(id) {
  const [folder, ...ids] = readFileSync(noteOf(id), 'utf8').split('\n');
  for (const one of ids) {
    try {
      process.kill(Number(one));
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  rmSync(noteOf(id));
}

function findProgram(name) {
  const go =
    spawnSync('go', ['env', 'GOBIN', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim().split('\n') ?? [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    process.env.GOBIN ?? '',
    go[0] ?? '',
    join(go[1] ?? join(homedir(), 'go'), 'bin'),
  ];
  for (const folder of folders.filter(Boolean)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

async function isUp(server) {
  const end = Date.now() + UP_MS_MAX;
  while (Date.now() < end && server.exitCode === null) {
    try {
      await fetch(server.endpoint);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return false;
}
