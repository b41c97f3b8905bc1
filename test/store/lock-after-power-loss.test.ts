import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { LevelStore } from '#store';
import { newStore, removeTemporaryFolders } from './care.ts';

afterEach(removeTemporaryFolders);

// A lock appears with its content, for whoever lives: one without any is what a loss of power has left.
test('a lock that lost its content with the power is taken over', async () => {
  const art = await newStore();
  const owner = join(art, 'lock', 'owner');
  writeFileSync(owner, '');
  utimesSync(owner, new Date(Date.now() - 3_600_000), new Date(Date.now() - 3_600_000));
  await using store = new LevelStore(art, { waitMsMax: 3000 });
  expect(await store.epoch()).toBe(0);
});
