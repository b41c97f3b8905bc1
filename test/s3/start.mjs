#!/usr/bin/env node
/**
 * Starts a real S3 server on a loopback port, with a bucket in it, and prints how to reach it as lines of environment:
 *
 *   node test/s3/start.mjs            prints ART_TEST_S3_* and ART_TEST_S3_PID, and leaves the server running
 *   node test/s3/start.mjs stop PID   stops it and removes what it kept
 *
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
  versitygw: (address, folder) => ({
    args: ['--port', address, '--quiet', '--keep-alive', 'posix', folder],
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
  const port = await freePort();
  const { args, env } = SERVERS[name](`127.0.0.1:${port}`, join(folder, 'data'));
  const log = openSync(join(folder, 'log'), 'w');
  const server = spawn(path, args, {
    cwd: folder,
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  });
  server.unref();
  writeFileSync(join(tmpdir(), `art-s3-${server.pid}`), folder);
  if (!(await isUp(port, server))) {
    const said = readFileSync(join(folder, 'log'), 'utf8');
    stop(server.pid);
    console.error(`${name} did not start:\n${said}`);
    process.exit(1);
  }
  console.log(`ART_TEST_S3_SERVER=${name}`);
  console.log(`ART_TEST_S3_ENDPOINT=http://127.0.0.1:${port}`);
  console.log(`ART_TEST_S3_BUCKET=${BUCKET}`);
  console.log(`ART_TEST_S3_KEY=${KEYS.id}`);
  console.log(`ART_TEST_S3_SECRET=${KEYS.secret}`);
  console.log(`ART_TEST_S3_PID=${server.pid}`);
}

/** Ends the process that `start` has named, and no other. */
function stop(id) {
  const note = join(tmpdir(), `art-s3-${id}`);
  const folder = readFileSync(note, 'utf8');
  try {
    process.kill(id);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  rmSync(note);
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

async function isUp(port, server) {
  const end = Date.now() + UP_MS_MAX;
  while (Date.now() < end && server.exitCode === null) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return true;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return false;
}
