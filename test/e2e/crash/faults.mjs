/**
 * Counts the changes that a process makes on disk and disturbs one of them: `node --import` loads this before the
 * program, and each of its threads loads it again and counts on. `ART_FAULT` holds JSON: `at` (the how-manieth change,
 * from 1; none is disturbed where it is absent), `how`, `seed`, `roots` (folders that lose what was not synced) and
 * `log` (a file that gets a line for each change).
 *
 * how: `kill` before the change; `tear`, after half of a write or the whole of another change; `power`, killed, and
 * what was not synced is lost in part; `EIO`, it fails; `ENOSPC`, it fails once; `full`, and all after it fail that
 * need space; `short`, the next write is done by half.
 */
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { Unsynced } from './power.mjs';

const { at = Infinity, how, seed = 0, roots = [], log, program } = JSON.parse(process.env.ART_FAULT ?? '{}');
const real = { ...fs };
const realPromises = { ...fsPromises };

// One count for all threads: how many changes there were, and whether one was disturbed.
const shared = getEnvironmentData('art-fault') ?? new SharedArrayBuffer(8);
setEnvironmentData('art-fault', shared);
const counts = new Int32Array(shared);
const unsynced = how === 'power' ? new Unsynced(real, roots, seed) : undefined;

const logFd = log && real.openSync(log, 'a');

const NEEDS_SPACE = /^(open|write|mkdir|link|symlink|rename|fsync|level)/;

/** What is to become of the next change: `undefined` (it happens), 'half', 'last' (it is done, then all ends), or an error. */
function step(what, path, { bytes = 0 } = {}) {
  const number = Atomics.add(counts, 0, 1) + 1;
  if (logFd !== undefined)
    real.writeSync(logFd, `${number} ${what} ${path}${bytes > 0 ? ` ${bytes}` : ''}\n`);
  if (number < at) return undefined;
  if (how === 'full') return NEEDS_SPACE.test(what) ? failure('ENOSPC', what, path) : undefined;
  const fits = how === 'short' ? bytes > 1 : how === 'ENOSPC' ? NEEDS_SPACE.test(what) : number === at;
  if (!fits || Atomics.exchange(counts, 1, 1) === 1) return undefined;
  if (how === 'short') return 'half';
  if (how === 'EIO' || how === 'ENOSPC') return failure(how, what, path);
  if (how === 'tear') return 'last';
  unsynced?.lose();
  return die();
}

function die() {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

const ERRORS = { EIO: [-5, 'i/o error'], ENOSPC: [-28, 'no space left on device'] };

function failure(code, what, path) {
  const [errno, why] = ERRORS[code];
  return Object.assign(new Error(`${code}: ${why}, ${what} '${path}'`), { code, errno, syscall: what, path });
}

const WRITING = fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT;
const forWriting = (flags = 'r') =>
  typeof flags === 'number' ? (flags & WRITING) !== 0 : /[wa+]/.test(flags);
const paths = new Map();
const pathOf = (fd) => paths.get(fd) ?? `fd ${fd}`;
const exists = (path) => real.existsSync(path);

/** Each change: whether it is one, what it is about, and what is noted before and after it. `rm` makes such calls. */
const CHANGES = {
  open: {
    counts: (path, flags) => forWriting(flags),
    path: (path) => path,
    before: (path, flags) => forWriting(flags) && !exists(path),
    after: (fd, isNew, path) => {
      const number = typeof fd === 'number' ? fd : fd.fd;
      paths.set(number, String(path));
      if (isNew) unsynced?.made(String(path));
    },
  },
  fsync: { path: pathOf, after: (_, __, fd) => unsynced?.synced(pathOf(fd)) },
  fdatasync: { path: pathOf, after: (_, __, fd) => unsynced?.synced(pathOf(fd)) },
  ftruncate: { path: pathOf },
  rename: {
    path: (from, to) => `${from} -> ${to}`,
    before: (from, to) => unsynced?.kept(to),
    after: (_, kept, from, to) => unsynced?.renamed(from, to, kept),
  },
  link: { path: (from, to) => `${from} -> ${to}`, after: (_, __, from, to) => unsynced?.made(to) },
  symlink: { path: (_, to) => to },
  unlink: {
    path: (path) => path,
    before: (path) => unsynced?.kept(path),
    after: (_, kept, path) => unsynced?.removed(path, kept),
  },
  rmdir: { path: (path) => path },
  mkdir: {
    path: (path) => path,
    before: (path) => !exists(path),
    after: (_, isNew, path) => isNew && unsynced?.made(path),
  },
};

function patchChange(name, change) {
  const isChange = (args) => change.counts?.(...args) ?? true;
  const note = (result, before, args) => change.after?.(result, before, ...args);
  fs[`${name}Sync`] = (...args) => {
    const before = change.before?.(...args);
    const fate = isChange(args) ? step(name, change.path(...args)) : undefined;
    if (fate instanceof Error) throw fate;
    const result = real[`${name}Sync`](...args);
    if (fate === 'last') die();
    note(result, before, args);
    return result;
  };
  fs[name] = copyMarks(real[name], (...args) => {
    const done = args.pop();
    const before = change.before?.(...args);
    const fate = isChange(args) ? step(name, change.path(...args)) : undefined;
    if (fate instanceof Error) return void setImmediate(done, fate);
    real[name](...args, (error, ...results) => {
      if (fate === 'last') die();
      if (!error) note(results[0], before, args);
      done(error, ...results);
    });
  });
  if (realPromises[name] === undefined) return;
  fsPromises[name] = async (...args) => {
    const before = change.before?.(...args);
    const fate = isChange(args) ? step(name, change.path(...args)) : undefined;
    if (fate instanceof Error) throw fate;
    const result = await realPromises[name](...args);
    if (fate === 'last') die();
    note(result, before, args);
    return result;
  };
}

/** What `promisify` looks at stands in symbols. */
function copyMarks(from, to) {
  for (const symbol of Object.getOwnPropertySymbols(from))
    Object.defineProperty(to, symbol, Object.getOwnPropertyDescriptor(from, symbol));
  return to;
}

const half = (length) => Math.max(1, length >> 1);

function patchWrites() {
  const begin = (fd, bytes) => (fd <= 2 ? undefined : step('write', pathOf(fd), { bytes }));
  fs.writeSync = (fd, data, offset = 0, length = data.length - offset, position = null) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const from = typeof data === 'string' ? 0 : offset;
    const count = typeof data === 'string' ? bytes.length : length;
    const fate = begin(fd, count);
    if (fate instanceof Error) throw fate;
    const wrote = real.writeSync(fd, bytes, from, fate === undefined ? count : half(count), position);
    if (fate === 'last') die();
    unsynced?.wrote(pathOf(fd), position, wrote);
    return wrote;
  };
  fs.write = copyMarks(real.write, (fd, data, offset, length, position, done) => {
    const fate = begin(fd, length);
    if (fate instanceof Error) return void setImmediate(done, fate);
    real.write(
      fd,
      data,
      offset,
      fate === undefined ? length : half(length),
      position,
      (error, wrote, buffer) => {
        if (fate === 'last') die();
        if (!error) unsynced?.wrote(pathOf(fd), position, wrote);
        done(error, wrote, buffer);
      },
    );
  });
  // By the calls above, as the system sees it: opened, written, closed.
  fs.writeFileSync = (path, data, options) => {
    const { flag = 'w', mode = 0o666 } = typeof options === 'object' && options !== null ? options : {};
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const fd = fs.openSync(path, flag, mode);
    try {
      for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done);
    } finally {
      fs.closeSync(fd);
    }
  };
  fs.appendFileSync = (path, data) => fs.writeFileSync(path, data, { flag: 'a' });
}

async function patchHandles() {
  const handle = await realPromises.open('/dev/null');
  const shape = Object.getPrototypeOf(handle);
  await handle.close();
  const { write, sync, datasync, truncate } = shape;
  shape.write = async function (data, offset = 0, length = data.length - offset, position = null) {
    const fate = step('write', pathOf(this.fd), { bytes: length });
    if (fate instanceof Error) throw fate;
    const result = await write.call(this, data, offset, fate === undefined ? length : half(length), position);
    if (fate === 'last') die();
    unsynced?.wrote(pathOf(this.fd), position, result.bytesWritten);
    return result;
  };
  const patched = (name, method) =>
    async function (...args) {
      const fate = step(name, pathOf(this.fd));
      if (fate instanceof Error) throw fate;
      const result = await method.apply(this, args);
      if (fate === 'last') die();
      if (name !== 'ftruncate') unsynced?.synced(pathOf(this.fd));
      return result;
    };
  shape.sync = patched('fsync', sync);
  shape.datasync = patched('fdatasync', datasync);
  shape.truncate = patched('ftruncate', truncate);
}

/** LevelDB writes by itself; what it is told to write counts as one change. */
function patchLevel() {
  const require = createRequire(pathToFileURL(join(program ?? process.argv[1], '..', 'x.js')));
  const binding = require('classic-level/binding.js');
  for (const name of ['db_open', 'db_close', 'db_put', 'batch_do', 'batch_write']) {
    const call = binding[name];
    binding[name] = async (...args) => {
      const fate = step(`level ${name}`, '');
      if (fate instanceof Error && name !== 'db_close') {
        const why = fate.code === 'ENOSPC' ? 'No space left on device' : 'Input/output error';
        throw Object.assign(new Error(`IO error: ${why}`), { code: 'LEVEL_IO_ERROR' });
      }
      const result = await call(...args);
      if (fate === 'last') die();
      return result;
    };
  }
}

if (process.env.ART_FAULT !== undefined) {
  const close = real.closeSync;
  fs.closeSync = (fd) => {
    paths.delete(fd);
    close(fd);
  };
  // A folder that is opened to be synced must have its name, too.
  for (const [name, change] of Object.entries(CHANGES)) patchChange(name, change);
  patchWrites();
  await patchHandles();
  patchLevel();
  syncBuiltinESMExports();
}
