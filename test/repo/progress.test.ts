/** Checks that whatever may take long says how far it is, and can be stopped. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Progress, Repository } from '#repo';
import { Scene } from './scene.ts';

/** More nodes than a walk goes past in one step. */
const VERSIONS = 40;

describe('long work', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.make();
    for (let i = 0; i < VERSIONS; i++) {
      scene.write({ 'data/a.txt': `${i}\n`, [`data/sub${i}/b.txt`]: `${i}` });
      await scene.in((repository) => repository.commit({ name: 'd', paths: ['data'] }));
    }
  });

  afterAll(() => scene[Symbol.asyncDispose]());

  const works: Readonly<Record<string, (repository: Repository) => Promise<unknown>>> = {
    gc: (repository) => repository.gc({ dryRun: true }),
    fsck: (repository) => repository.fsck(),
    'what a delete would free': (repository) => repository.delete({ targets: ['d:v0'], dryRun: true }),
    'the difference of two versions': async (repository) => {
      using comparison = await repository.diff({ before: 'd:v0', after: 'd' });
      for await (const _ of comparison.changes());
    },
    'the difference of contents': async (repository) => {
      using comparison = await repository.diff({ before: 'd:v0', after: 'd', paths: ['a.txt'] });
      for await (const batch of comparison.changes())
        for (const change of batch) await comparison.content(change);
    },
  };

  test.each(Object.keys(works))('%s tells how far it is', async (name) => {
    const told: Progress[] = [];
    await scene.in(works[name], { onProgress: (progress) => told.push(progress) });
    expect(told.some(({ files, bytes }) => files + bytes > 0)).toBe(true);
  });

  test('a repair counts on while the database is rebuilt, and can be stopped there', async () => {
    const counts: number[] = [];
    rmSync(scene.path('.art/objects/CURRENT'));
    const stopping = new AbortController();
    const stopped = scene.in((repository) => repository.fsck({ repair: true }), {
      signal: stopping.signal,
      onProgress: ({ files }) => files > 0 && stopping.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
    // Without a database nothing is counted before it is rebuilt; what was begun is not put in place.
    expect(scene.exists('.art/objects/CURRENT')).toBe(false);
    await scene.in((repository) => repository.fsck({ repair: true }), {
      onProgress: ({ files, what }) => void (what === 'object' && counts.push(files)),
    });
    // Afterwards the check counts anew.
    const most = counts.findIndex((count, i) => count > counts[i + 1]);
    expect(counts[most]).toBeGreaterThan(VERSIONS);
    expect(await scene.in((repository) => repository.fsck({ deep: true }))).toMatchObject({ ok: true });
  });

  test('what a delete would free need not be waited for', async () => {
    const stopping = new AbortController();
    const asked = scene.in(works['what a delete would free'], {
      signal: stopping.signal,
      onProgress: () => stopping.abort(),
    });
    await expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
