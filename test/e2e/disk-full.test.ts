/** A disk that is full, here or at a remote: a small file system in memory, made larger afterwards. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Place, art, artJson } from './art.ts';

/** A folder that is a file system of its own. */
class SmallDisk implements Disposable {
  readonly path: string;

  constructor(path: string, size: string) {
    mkdirSync(path);
    run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'none', path);
    this.path = path;
  }

  grow(size: string): void {
    run('mount', '-o', `remount,size=${size}`, this.path);
  }

  [Symbol.dispose](): void {
    run('umount', this.path);
  }
}

function run(command: string, ...words: string[]): void {
  const { status, stderr, error } = spawnSync(command, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr}`);
}

/** Why there can be no small disk here; undefined if there can. */
function refusal(): string | undefined {
  using place = new Place();
  try {
    new SmallDisk(join(place.path, 'disk'), '1m')[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message.trim();
  }
}

const reason = refusal();
if (reason !== undefined) console.log(`skipped: no file system can be mounted here (${reason})`);

const LARGE = 12 * 1024 * 1024;

/** A repository with a small artifact and a large one. */
function repositoryAt(path: string): string {
  mkdirSync(path);
  artJson(path, 'init');
  for (const [name, bytes] of [
    ['small', 100],
    ['large', LARGE],
  ] as const) {
    writeFileSync(join(path, `${name}.bin`), randomBytes(bytes));
    artJson(path, 'commit', name, `${name}.bin`);
  }
  return path;
}

const full = {
  status: 1,
  stderr: expect.stringMatching(/^error: no space left.*\[DISK_FULL\]\nhint: Free some space/m) as string,
};

describe.skipIf(reason !== undefined)('a full disk', () => {
  test('at a remote loses nothing, shows nothing by half, and takes the rest once there is space', () => {
    using place = new Place();
    const ada = repositoryAt(join(place.path, 'ada'));
    using disk = new SmallDisk(join(place.path, 'disk'), '6m');
    const bucket = join(disk.path, 'bucket');
    mkdirSync(bucket);
    art(ada, 'remote', 'add', 'origin', bucket);
    expect(art(ada, 'push', 'small').status).toBe(0);
    for (let i = 0; i < 2; i++) expect(art(ada, 'push')).toMatchObject(full);
    expect(readdirSync(join(bucket, '+tmp'))).toEqual([]);
    expect(art(place.path, 'clone', bucket, 'early')).toMatchObject({ status: 0, stderr: '' });
    expect(art(join(place.path, 'early'), 'list').stdout).toMatch(/^small:v0 [^\n]*\n$/);
    disk.grow('40m');
    expect(art(ada, 'push').status).toBe(0);
    expect(art(place.path, 'clone', bucket, 'ben').status).toBe(0);
    artJson(join(place.path, 'ben'), 'download', 'large', 'out');
    const [got, sent] = [join(place.path, 'ben', 'out', 'large.bin'), join(ada, 'large.bin')];
    expect(readFileSync(got).equals(readFileSync(sent))).toBe(true);
    expect(art(ada, 'fsck').status).toBe(0);
  }, 120_000);

  test('here leaves the repository as it was, and a pull goes on once there is space', () => {
    using place = new Place();
    const ada = repositoryAt(join(place.path, 'ada'));
    const bucket = join(place.path, 'bucket');
    mkdirSync(bucket);
    art(ada, 'remote', 'add', 'origin', bucket);
    expect(art(ada, 'push').status).toBe(0);
    using disk = new SmallDisk(join(place.path, 'disk'), '6m');
    const ben = join(disk.path, 'ben');
    artJson(disk.path, 'init', 'ben');
    art(ben, 'remote', 'add', 'origin', bucket);
    expect(art(ben, 'pull', 'small').status).toBe(0);
    for (let i = 0; i < 2; i++) expect(art(ben, 'pull')).toMatchObject(full);
    expect(art(ben, 'list').stdout).toMatch(/^small:v0 [^\n]*\n$/);
    expect(art(ben, 'fsck').stdout).toMatch(/^all is well/);
    disk.grow('60m');
    expect(art(ben, 'pull').status).toBe(0);
    artJson(ben, 'download', 'large', 'out');
    expect(readFileSync(join(ben, 'out', 'large.bin')).equals(readFileSync(join(ada, 'large.bin')))).toBe(
      true,
    );
    expect(art(ben, 'fsck').stdout).toMatch(/^all is well/);
  }, 120_000);
});
