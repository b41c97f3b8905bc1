import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Place, art, artJson, ended, startArt } from './art.ts';

test(
  '16 processes commit at once, to one artifact and to others: all succeed, no version is lost',
  { timeout: 120_000 },
  async () => {
    using place = new Place();
    art(place.path, 'init');
    const children = Array.from({ length: 16 }, (_, i) => {
      const folder = join(place.path, `data${i}`);
      mkdirSync(folder);
      for (let f = 0; f < 20; f++) writeFileSync(join(folder, `f${f}`), `process ${i} file ${f} `.repeat(50));
      return startArt(place.path, 'commit', i % 2 === 0 ? 'shared' : `own${i}`, `data${i}`, '--no-bind');
    });
    expect(await Promise.all(children.map(ended))).toEqual(children.map(() => 0));
    const rows = artJson<{ name: string; versions: number }[]>(place.path, 'list');
    expect(rows.find(({ name }) => name === 'shared')?.versions).toBe(8);
    expect(rows.filter(({ name, versions }) => name.startsWith('own') && versions === 1)).toHaveLength(8);
    expect(art(place.path, 'fsck', '--deep').status).toBe(0);
  },
);

test(
  '32 processes add parts to one draft, two finish it: one version with all files',
  { timeout: 180_000 },
  async () => {
    using place = new Place();
    art(place.path, 'init');
    const words = Array.from({ length: 32 }, (_, i) => {
      const folder = join(place.path, `part${i}`);
      mkdirSync(folder);
      for (let f = 0; f < 5; f++) writeFileSync(join(folder, `${i}-${f}`), `part ${i} file ${f}`);
      writeFileSync(join(folder, 'shared'), 'the same in all');
      return ['commit', 'd', '--part', 'p', '--add', `all=part${i}`];
    });
    const children = words.map((line) => startArt(place.path, ...line));
    expect(await Promise.all(children.map(ended))).toEqual(words.map(() => 0));
    expect(artJson(place.path, 'list')).toEqual([]);
    const finishing = [1, 2].map(() => startArt(place.path, 'commit', 'd', '--finish', 'p'));
    expect(await Promise.all(finishing.map(ended))).toEqual([0, 0]);
    expect(artJson<{ files: number }[]>(place.path, 'log', 'd')).toMatchObject([
      { version: 'v0', files: 161 },
    ]);
    expect(artJson(place.path, 'ls', 'd')).toHaveLength(161);
    expect(art(place.path, 'fsck', '--deep').status).toBe(0);
  },
);
