import { describe, expect, test } from 'vitest';
import type { Clone } from './scene.ts';
import { twoClones } from './scene.ts';

const undo = (clone: Clone, operation?: number, dryRun = false) =>
  clone.scene.in((repository) => repository.undo({ dryRun, ...(operation !== undefined && { operation }) }));

describe('undo of a pull', () => {
  test('is asked for by number, as it takes back for everybody', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ben.pull();
    // Even who writes under one name in two places.
    await ada.commit('cifar', { a: '1' });
    await ada.push();
    await ben.pull();
    const operation = 2;
    for (const dryRun of [true, false])
      await expect(undo(ben, undefined, dryRun)).rejects.toMatchObject({
        code: 'UNDO_UNCLEAR',
        message: expect.stringMatching(/^operation 2 \(test\) .* push to origin .* for everybody$/) as string,
        hint: expect.stringContaining('`art undo 2`') as string,
      });
    expect((await undo(ben, operation, true)).changes).toEqual(['cifar: v1 is taken back']);
    expect(ben.scene.warnings).toEqual([
      'cifar: origin has this already; a push after that takes it back there too, for everybody',
    ]);
    expect(await ben.versions('cifar')).toHaveLength(2);
    await undo(ben, operation);
    expect(ben.scene.warnings[1]).toBe(
      'cifar: origin has this already; the next push takes it back there too, for everybody, unless `art undo 3` comes before',
    );
    await undo(ben, 3);
    await ben.push();
    await ada.pull();
    expect(await ada.versions('cifar')).toHaveLength(2);
  });

  test('is not what undo takes first where only own work was pushed', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ben.commit('own', { a: '0' });
    await ben.pull();
    await ben.commit('cifar', { a: '1' });
    await ben.push();
    expect((await undo(ben)).changes).toEqual(['cifar: v1 is taken back']);
    await ada.pull();
    expect(await ada.versions('cifar')).toHaveLength(2);
    await ben.push();
    await ada.pull();
    expect(await ada.versions('cifar')).toHaveLength(1);
  });
});
