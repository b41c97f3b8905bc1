import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Place, art, artJson, ended, startArt } from './art.ts';

const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 3);

test(
  'kill -9 at any moment of adding a part or finishing leaves the draft as it was or with all of the part',
  { timeout: 5 * 60_000 },
  async () => {
    using place = new Place();
    art(place.path, 'init');
    const kill = async (...words: string[]) => {
      const child = startArt(place.path, ...words);
      const end = ended(child);
      await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 300));
      child.kill('SIGKILL');
      await end;
    };
    for (let round = 0; round < ROUNDS; round++) {
      const folder = join(place.path, `part${round}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'long.bin'), randomBytes(6 * 1024 * 1024));
      for (let f = 0; f < 50; f++) writeFileSync(join(folder, `f${f}`), randomBytes(500));
      const words = ['commit', 'd', '--part', 'p', '--add', `part${round}`];
      await kill(...words);
      const [seen] = artJson<{ files: number }[]>(place.path, ...words, '--dry-run');
      expect(seen.files).toBe(51 * (round + 1));
      const again = art(place.path, ...words);
      expect(again.status, again.stderr).toBe(0);
    }
    await kill('commit', 'd', '--finish', 'p');
    const done = art(place.path, 'commit', 'd', '--finish', 'p');
    expect(done.status, done.stderr).toBe(0);
    expect(artJson(place.path, 'log', 'd')).toMatchObject([{ version: 'v0', files: 51 * ROUNDS }]);
    expect(art(place.path, 'download', 'd', 'out').status).toBe(0);
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(`part${round}`, 'long.bin');
      expect(readFileSync(join(place.path, 'out', path)).equals(readFileSync(join(place.path, path)))).toBe(
        true,
      );
    }
    expect(art(place.path, 'fsck', '--deep').status).toBe(0);
  },
);
