import { copyFileSync, readFileSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LevelStore } from '#store';
import { checkLevelFiles } from '../../src/store/level-check.ts';
import { tablesNamed } from '../../src/store/level-manifest.ts';
import { newStore, removeTemporaryFolders, save, version } from './care.ts';

let objects: string;
beforeAll(async () => {
  const art = await newStore();
  objects = join(art, 'objects');
  // Each opening begins another manifest, and makes a table of what the log of the last one holds.
  for (let i = 0; i < 3; i++) {
    await using store = new LevelStore(art);
    await save(store, `v${i}`, version([i, i + 1, 100], 900));
  }
});
afterAll(removeTemporaryFolders);

const tables = () => readdirSync(objects).filter((name) => name.endsWith('.ldb'));

test('the manifest names the tables that belong to the database', () => {
  const manifest = join(objects, readFileSync(join(objects, 'CURRENT'), 'utf8').trim());
  const numbers = tables().map((name) => Number.parseInt(name, 10));
  expect(numbers.length).toBeGreaterThan(0);
  expect([...tablesNamed(manifest)!].sort()).toEqual(numbers.sort());
  expect(tablesNamed(join(objects, 'none'))).toBeUndefined();
});

test('what a compaction that was cut short has left is no damage, half a table of the database is', async () => {
  const [name] = tables();
  const left = join(objects, '999999.ldb');
  copyFileSync(join(objects, name), left);
  truncateSync(left, 100);
  expect(await checkLevelFiles(objects)).toEqual([]);
  truncateSync(join(objects, name), 100);
  expect(await checkLevelFiles(objects)).toEqual([`${join(objects, name)}: does not end as a table does`]);
});
