import { execFileSync, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Place, art, artAfter, artJson, ended, startArt, startArtAfter } from './art.ts';
import { before } from './before.ts';

const MIB = 1024 * 1024;

function fill(folder: string, { files, mib }: { readonly files: number; readonly mib: number }): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < files; i++) writeFileSync(join(folder, `f${i}`), randomBytes(2000));
  for (let i = 0; i < mib / 8; i++) writeFileSync(join(folder, `long${i}`), randomBytes(8 * MIB));
}

function same(a: string, b: string): boolean {
  return spawnSync('diff', ['-r', a, b]).status === 0;
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Names of everything below a folder that is there. */
function namesIn(folder: string): string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]) : [];
}

interface Row {
  readonly name: string;
  readonly version: string;
  readonly held: string | null;
  readonly locked: string | null;
  readonly cid: string;
}

describe('Ctrl-C in a real process', () => {
  async function interrupted(child: ChildProcess, when: () => boolean): Promise<number | null> {
    const end = ended(child);
    await until(() => when() || child.exitCode !== null);
    child.kill('SIGINT');
    return end;
  }

  test(
    'in the middle of a commit: 130, no version, and the next one goes on',
    { timeout: 300_000 },
    async () => {
      using place = new Place();
      fill(join(place.path, 'data'), { files: 500, mib: 64 });
      art(place.path, 'init');
      const tmp = join(place.path, '.art/tmp');
      const begun = () =>
        namesIn(tmp).some((name) => name.endsWith('.pack') && statSync(join(tmp, name)).size > MIB);
      expect(await interrupted(startArt(place.path, 'commit', 'd', 'data'), begun)).toBe(130);
      expect(artJson(place.path, 'list')).toEqual([]);
      expect(existsSync(join(place.path, 'art.lock'))).toBe(false);
      expect(artJson<Row[]>(place.path, 'commit', 'd', 'data')).toMatchObject([
        { version: 'v0', created: true },
      ]);
      expect(art(place.path, 'verify', 'd', 'data').status).toBe(0);
      expect(art(place.path, 'fsck').status).toBe(0);
    },
  );

  test(
    'in the middle of a checkout: 130, whole files alone, and the next one ends it',
    { timeout: 300_000 },
    async () => {
      using place = new Place();
      const [data, out] = [join(place.path, 'data'), join(place.path, 'out')];
      fill(data, { files: 3000, mib: 64 });
      art(place.path, 'init');
      expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
      const begun = () => namesIn(out).length > 1000;
      expect(await interrupted(startArt(place.path, 'checkout', 'd', 'out'), begun)).toBe(130);
      const there = namesIn(out);
      expect(there.length).toBeLessThan(3020);
      for (const name of there)
        expect(readFileSync(join(out, name)).equals(readFileSync(join(data, name))), name).toBe(true);
      const again = art(place.path, 'checkout', 'd', 'out');
      expect(again.status, again.stderr).toBe(0);
      expect(same(data, out)).toBe(true);
    },
  );
});

describe('two checkouts at once into one folder', () => {
  test('take turns', { timeout: 300_000 }, async () => {
    using place = new Place();
    fill(join(place.path, 'a'), { files: 1500, mib: 0 });
    fill(join(place.path, 'b'), { files: 1500, mib: 0 });
    art(place.path, 'init');
    for (const name of ['a', 'b']) expect(art(place.path, 'commit', 'd', name, '--no-bind').status).toBe(0);
    const children = ['d:v0', 'd:v1', 'd:v0'].map((spec) => startArt(place.path, 'checkout', spec, 'out'));
    expect(await Promise.all(children.map(ended))).toEqual([0, 0, 0]);
    expect(['a', 'b'].filter((name) => same(join(place.path, name), join(place.path, 'out')))).toHaveLength(
      1,
    );
  });

  test('or say who has it', { timeout: 300_000 }, async () => {
    using place = new Place();
    fill(join(place.path, 'data'), { files: 1500, mib: 0 });
    art(place.path, 'init');
    expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
    const hangs = before(
      place,
      `threads.Worker = class extends EventEmitter {
  postMessage() { setInterval(() => {}, 1000); }
  async terminate() {}
};`,
    );
    const child = startArtAfter(hangs, place.path, 'checkout', 'd', 'out');
    const end = ended(child);
    const lock = join(place.path, '.art/lock');
    await until(() => namesIn(lock).some((name) => /^folder-.*owner$/.test(name)));
    const hurried = before(
      place,
      'const { now } = Date, start = now(); Date.now = () => start + (now() - start) * 50;',
    );
    const second = artAfter(hurried, place.path, 'checkout', 'd', 'out', '--json');
    child.kill('SIGKILL');
    await end;
    expect(second.status, second.stdout).toBe(6);
    expect(JSON.parse(second.stdout)).toMatchObject({ error: { code: 'LOCKED', exit: 6 } });
    expect(second.stdout).toContain(`process ${child.pid}`);
  });
});

test.each([
  ['commit', ['commit', 'd']],
  ['checkout', ['checkout', 'd:v0']],
])('a %s that is killed before it writes art.lock is made good', { timeout: 300_000 }, (_, words) => {
  using place = new Place();
  mkdirSync(join(place.path, 'data'));
  const lock = join(place.path, 'art.lock');
  art(place.path, 'init');
  for (const text of ['one', 'two']) {
    writeFileSync(join(place.path, 'data/a'), text);
    expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
  }
  const old = readFileSync(lock, 'utf8');
  if (words[0] === 'commit') writeFileSync(join(place.path, 'data/a'), 'three');
  const dying = before(
    place,
    `const { renameSync } = fs;
fs.renameSync = (from, to) => (to.endsWith('art.lock') ? process.kill(process.pid, 'SIGKILL') : renameSync(from, to));`,
  );
  expect(artAfter(dying, place.path, ...words).status).toBe(null);
  expect(readFileSync(lock, 'utf8')).toBe(old);
  const [{ held, locked }] = artJson<Row[]>(place.path, 'status');
  const log = artJson<Row[]>(place.path, 'log', 'd');
  expect(held).toBe(words[0] === 'commit' ? 'v2' : 'v0');
  expect(locked).toBe(log.find(({ version }) => version === held)?.cid);
  expect(readFileSync(lock, 'utf8')).toContain(`"${held}"`);
  // What somebody then takes out of Git stays what is wanted.
  writeFileSync(lock, old);
  expect(artJson<Row[]>(place.path, 'status')).not.toMatchObject([{ locked }]);
  expect(readFileSync(lock, 'utf8')).toBe(old);
});

describe('what a folder may hold beside files', () => {
  async function refused(place: Place, what: RegExp): Promise<void> {
    const committed = art(place.path, 'commit', 'd', 'data', '--json');
    expect(committed.status, committed.stderr).toBe(1);
    expect(JSON.parse(committed.stdout)).toMatchObject({
      error: { code: 'FILE_UNSUPPORTED', message: expect.stringMatching(what) as string },
    });
    writeFileSync(join(place.path, 'data/.artignore'), 'odd\n');
    expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
    expect(existsSync(join(place.path, 'data/odd'))).toBe(true);
  }

  test('a socket is refused by name', async () => {
    using place = new Place();
    mkdirSync(join(place.path, 'data'));
    art(place.path, 'init');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(place.path, 'data/odd'), resolve));
    try {
      await refused(place, /data\/odd" is a socket/);
    } finally {
      server.close();
    }
  });

  test('a device is refused by name', async ({ skip }) => {
    using place = new Place();
    mkdirSync(join(place.path, 'data'));
    art(place.path, 'init');
    const made = spawnSync('mknod', [join(place.path, 'data/odd'), 'c', '1', '3']);
    if (made.status !== 0) skip(`no device can be made here: ${made.stderr}`);
    await refused(place, /data\/odd" is a character device/);
  });
});

test('a repository of a newer art is refused, and untouched', () => {
  using place = new Place();
  mkdirSync(join(place.path, 'data'));
  art(place.path, 'init');
  writeFileSync(join(place.path, '.art/format'), '2\n');
  const names = namesIn(place.path);
  for (const words of [['status'], ['commit', 'd', 'data'], ['checkout', 'd'], ['gc'], ['init']]) {
    const told = art(place.path, ...words);
    expect(told.status).toBe(1);
    expect(told.stderr).toContain('[REPOSITORY_TOO_NEW]');
  }
  expect(namesIn(place.path)).toEqual(names);
});

test('a repository on a network file system is for one host, and init says so', () => {
  using place = new Place();
  const far = before(
    place,
    `const { readFileSync } = fs;
const mounts = '1 0 0:1 / / rw - nfs4 server:/home rw\\n';
fs.readFileSync = (path, ...rest) => (path === '/proc/self/mountinfo' ? mounts : readFileSync(path, ...rest));`,
  );
  const told = artAfter(far, place.path, 'init', 'there');
  expect(told.status, told.stderr).toBe(0);
  expect(told.stderr).toMatch(/^warning: .*network file system \(nfs4\)/);
  expect(art(place.path, 'init', 'here').stderr).toBe('');
});

test('a folder that may not be written is told by name', { timeout: 300_000 }, ({ skip }) => {
  if (process.getuid?.() === 0) skip('root may write everywhere');
  using place = new Place();
  fill(join(place.path, 'data'), { files: 3, mib: 0 });
  art(place.path, 'init');
  expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
  chmodSync(join(place.path, '.art/tmp'), 0o555);
  chmodSync(join(place.path, '.art/objects'), 0o555);
  try {
    const told = art(place.path, 'commit', 'd', 'data');
    expect(told.status).toBe(1);
    expect(told.stderr).toContain('[FOLDER_UNWRITABLE]');
  } finally {
    chmodSync(join(place.path, '.art/tmp'), 0o755);
    chmodSync(join(place.path, '.art/objects'), 0o755);
  }
});

/** A file system of its own, in memory; gone at the end. */
class Mount implements Disposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Gives why there can be none. */
  static make(path: string, options: string): Mount | { readonly why: string } {
    mkdirSync(path, { recursive: true });
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], {
      encoding: 'utf8',
    });
    return status === 0 ? new Mount(path) : { why: `nothing can be mounted here: ${stderr}` };
  }

  options(options: string): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.path]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.path]);
  }
}

describe('on a file system of its own', () => {
  test('a disk that fills up in the middle of a commit', { timeout: 300_000 }, ({ skip }) => {
    using place = new Place();
    const mounted = Mount.make(join(place.path, 'small'), 'size=24m');
    if (!(mounted instanceof Mount)) return skip(mounted.why);
    using disk = mounted;
    const data = join(place.path, 'data');
    fill(data, { files: 20, mib: 8 });
    art(disk.path, 'init');
    expect(art(disk.path, 'commit', 'd', data).status).toBe(0);
    cpSync(data, join(place.path, 'v0'), { recursive: true });
    fill(data, { files: 20, mib: 32 });
    const full = art(disk.path, 'commit', 'd', data);
    expect(full.status, full.stderr).toBe(1);
    expect(full.stderr).toMatch(/^warning: .* free for them.*\n.*\[DISK_FULL\]/);
    expect(artJson<Row[]>(disk.path, 'log', 'd')).toHaveLength(1);
    expect(art(disk.path, 'verify', 'd:v0', join(place.path, 'v0')).status).toBe(0);
    disk.options('size=128m');
    expect(artJson<Row[]>(disk.path, 'commit', 'd', data)).toMatchObject([{ version: 'v1' }]);
    expect(art(disk.path, 'fsck').status).toBe(0);
  });

  test('a disk that fills up in the middle of a checkout', { timeout: 300_000 }, ({ skip }) => {
    using place = new Place();
    const mounted = Mount.make(join(place.path, 'small'), 'size=24m');
    if (!(mounted instanceof Mount)) return skip(mounted.why);
    using disk = mounted;
    const data = join(place.path, 'data');
    fill(data, { files: 2000, mib: 32 });
    art(place.path, 'init');
    expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
    const out = join(disk.path, 'out');
    const full = art(place.path, 'checkout', 'd', out);
    expect(full.status).toBe(1);
    expect(full.stderr).toContain('[DISK_FULL]');
    for (const name of namesIn(out))
      expect(readFileSync(join(out, name)).equals(readFileSync(join(data, name))), name).toBe(true);
    disk.options('size=128m');
    expect(art(place.path, 'checkout', 'd', out).status).toBe(0);
    expect(same(data, out)).toBe(true);
  });

  test('a repository on a file system that is mounted read-only', ({ skip }) => {
    using place = new Place();
    const mounted = Mount.make(join(place.path, 'small'), 'size=24m');
    if (!(mounted instanceof Mount)) return skip(mounted.why);
    using disk = mounted;
    art(disk.path, 'init');
    disk.options('ro');
    for (const words of [['log'], ['commit', 'd', 'art.toml'], ['fsck']]) {
      const { status, stderr } = art(disk.path, ...words);
      expect(status).toBe(1);
      expect(stderr).toMatch(/^error: .*\(EROFS\) \[FOLDER_UNWRITABLE\]\nhint: /);
    }
    disk.options('rw');
    expect(art(disk.path, 'commit', 'd', 'art.toml').status).toBe(0);
  });

  test(
    'no room left for art.lock: the version is there, and that is said',
    { timeout: 300_000 },
    ({ skip }) => {
      using place = new Place();
      const mounted = Mount.make(join(place.path, 'small'), 'size=1m');
      if (!(mounted instanceof Mount)) return skip(mounted.why);
      using disk = mounted;
      // The store lies elsewhere: only the two files of the root find no room.
      art(place.path, 'init', 'store');
      symlinkSync(join(place.path, 'store/.art'), join(disk.path, '.art'));
      fill(join(disk.path, 'data'), { files: 3, mib: 0 });
      const rest = join(disk.path, 'rest');
      spawnSync('dd', ['if=/dev/zero', `of=${rest}`, 'bs=4096']);
      const full = art(disk.path, 'commit', 'd', 'data');
      expect(full.status).toBe(1);
      expect(full.stderr).toMatch(/d:v0 is stored, but .*\[DISK_FULL\]/);
      rmSync(rest);
      expect(artJson<Row[]>(disk.path, 'commit', 'd', 'data')).toMatchObject([
        { version: 'v0', created: false },
      ]);
      expect(artJson<Row[]>(disk.path, 'status')).toMatchObject([{ held: 'v0' }]);
    },
  );

  test('a repository that can only be read says so', { timeout: 300_000 }, ({ skip }) => {
    using place = new Place();
    const mounted = Mount.make(join(place.path, 'small'), 'size=24m');
    if (!(mounted instanceof Mount)) return skip(mounted.why);
    using disk = mounted;
    fill(join(disk.path, 'data'), { files: 3, mib: 0 });
    art(disk.path, 'init');
    expect(art(disk.path, 'commit', 'd', 'data').status).toBe(0);
    disk.options('ro');
    for (const words of [
      ['commit', 'd'],
      ['status'],
      ['log', 'd'],
      ['checkout', 'd', join(place.path, 'out')],
    ]) {
      const told = art(disk.path, ...words);
      expect(told.status, told.stderr).toBe(1);
      expect(told.stderr).toContain('[FOLDER_UNWRITABLE]');
    }
    disk.options('rw');
    expect(art(disk.path, 'status', '--exit-code').status).toBe(0);
  });
});
