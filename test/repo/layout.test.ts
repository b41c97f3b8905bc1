import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';
import { expect, test } from 'vitest';
import { initRepository } from '#repo';
import { Scene } from './scene.ts';

test('an init that was killed while it made the database is finished by the next', async () => {
  await using scene = await Scene.make();
  const art = scene.path('.art');
  rmSync(join(art, 'format'));
  rmSync(join(art, 'objects'), { recursive: true });
  await new Level(join(art, 'objects')).close();
  expect(await initRepository(scene.path('.'))).toMatchObject({ created: true });
  scene.write({ 'data/a': 'one' });
  expect(await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }))).toMatchObject([{ version: 'v0' }]);
  expect(await scene.in((r) => r.fsck())).toMatchObject({ ok: true });
});

test('an init in a repository that has lost its format takes nothing away', async () => {
  await using scene = await Scene.make();
  scene.write({ 'data/a': 'one' });
  await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  rmSync(scene.path('.art/format'));
  await initRepository(scene.path('.'));
  writeFileSync(scene.path('data/a'), 'two');
  expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version: 'v1', base: 'v0' }]);
});
