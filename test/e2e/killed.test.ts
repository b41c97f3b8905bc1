import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { ART, Place, art, artJson, ended, startArt } from './art.ts';

/** More rounds by hand: `KILL_ROUNDS=200 npx vitest run … test/e2e/killed.test.ts`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 12);

function fill(folder: string, files: number): void {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < files; i++) writeFileSync(join(folder, `f${i}`), randomBytes(200 + ((i * 977) % 9000)));
  writeFileSync(join(folder, 'long.bin'), randomBytes(12 * 1024 * 1024));
}

test.each(['pipe', 'FIFO that blocks'])(
  'Ctrl-C ends at once a commit of a %s that never ends',
  async (kind) => {
    using place = new Place();
    art(place.path, 'init');
    const path = join(place.path, 'fifo');
    if (kind !== 'pipe') spawnSync('mkfifo', [path]);
    // Both ends, so that opening it waits for nobody and nobody ever closes it.
    const stdin = kind === 'pipe' ? 'pipe' : openSync(path, 'r+');
    const child = spawn(process.execPath, [ART, 'commit', 'd', '--add', 'x=-'], {
      cwd: place.path,
      stdio: [stdin, 'ignore', 'ignore'],
    });
    const end = ended(child);
    try {
      const begun = () =>
        readdirSync(join(place.path, '.art/tmp')).some((name) => name.startsWith('stream-'));
      await vi.waitFor(() => expect(begun()).toBe(true), { timeout: 20_000 });
      child.kill('SIGINT');
      expect(await end).toBe(130);
    } finally {
      child.kill('SIGKILL');
      if (typeof stdin === 'number') closeSync(stdin);
    }
    expect(readdirSync(join(place.path, '.art/tmp'))).toEqual([]);
    expect(artJson(place.path, 'list')).toEqual([]);
  },
);

async function killAfter(ms: number, cwd: string, ...words: string[]): Promise<void> {
  const child = startArt(cwd, ...words);
  const end = ended(child);
  await new Promise((resolve) => setTimeout(resolve, ms));
  child.kill('SIGKILL');
  await end;
}

test(
  'kill -9 at any moment of commit, checkout and gc leaves every earlier version whole',
  { timeout: 15 * 60_000 },
  async () => {
    using place = new Place();
    const data = join(place.path, 'data');
    art(place.path, 'init');
    fill(data, 300);
    expect(art(place.path, 'commit', 'd', 'data').status).toBe(0);
    cpSync(data, join(place.path, 'kept-v0'), { recursive: true });
    for (let round = 0; round < ROUNDS; round++) {
      const moment = 40 + Math.random() * 400;
      const kind = round % 3;
      if (kind === 0) {
        writeFileSync(join(data, `f${round}`), randomBytes(5000));
        appendFileSync(join(data, 'long.bin'), randomBytes(8 * 1024 * 1024));
        await killAfter(moment, place.path, 'commit', 'd');
        expect(art(place.path, 'commit', 'd').status, 'the repeated commit').toBe(0);
      } else if (kind === 1) {
        const versions = artJson<{ version: string }[]>(place.path, 'log', 'd');
        const { version } = versions[Math.floor(Math.random() * versions.length)];
        await killAfter(moment, place.path, 'checkout', `d:${version}`);
        const again = art(place.path, 'checkout', `d:${version}`);
        expect(again.status, again.stderr).toBe(0);
        expect(artJson<{ ok: boolean }>(place.path, 'verify', `d:${version}`).ok).toBe(true);
        expect(art(place.path, 'checkout', 'd').status).toBe(0);
      } else {
        await killAfter(moment, place.path, 'gc');
        expect(art(place.path, 'gc').status, 'the repeated gc').toBe(0);
      }
      const check = art(place.path, 'fsck');
      expect(check.status, check.stdout + check.stderr).toBe(0);
    }
    const out = join(place.path, 'out');
    expect(art(place.path, 'download', 'd:v0', 'out').status).toBe(0);
    expect(readdirSync(out).sort()).toEqual(readdirSync(join(place.path, 'kept-v0')).sort());
    rmSync(out, { recursive: true });
    for (const { version } of artJson<{ version: string }[]>(place.path, 'log', 'd')) {
      const downloaded = art(place.path, 'download', `d:${version}`, 'out');
      expect(downloaded.status, downloaded.stderr).toBe(0);
    }
    expect(art(place.path, 'verify', 'd:v0', 'kept-v0').status).toBe(0);
    expect(existsSync(out)).toBe(true);
    expect(art(place.path, 'fsck', '--deep').status).toBe(0);
  },
);
