import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Setting } from '#repo';
import { Scene } from './scene.ts';

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

async function commit(scene: Scene, name: string, text: string, setting: Partial<Setting> = {}) {
  scene.write({ [`${name}/a`]: text });
  const [made] = await scene.in((r) => r.commit({ name, paths: [name] }), setting);
  return made;
}

const versions = async (scene: Scene, name: string) =>
  (await scene.in((r) => collect(r.log(name)))).map(({ version }) => version);

describe('undo of operations on artifacts', () => {
  test('repeated it goes further back; undone again an operation is done again', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'd', '0');
    await commit(scene, 'd', '1');
    await scene.in((r) => r.alias('d:v0', ['best']));
    const first = await scene.in((r) => r.undo());
    expect(first).toMatchObject({
      op: 4,
      redo: 'art undo 4',
      undone: 3,
      user: 'ada',
      changes: ['d: best names nothing'],
    });
    expect(await scene.in((r) => r.undo())).toMatchObject({ undone: 2, changes: ['d: v1 is taken back'] });
    expect(await versions(scene, 'd')).toEqual(['v0']);
    expect(scene.read('d/a')).toBe('1');
    expect(await scene.in((r) => r.undo({ operation: 5 }))).toMatchObject({ changes: ['d: v1 is back'] });
    expect(await scene.in((r) => r.undo({ operation: 4 }))).toMatchObject({
      changes: ['d: best is v0 again'],
    });
    expect(await scene.in((r) => r.status())).toMatchObject([{ held: 'v1', clean: true }]);
    expect(scene.read('art.lock')).toContain('"v1"');
    await expect(scene.in((r) => r.undo({ operation: 4 }))).rejects.toMatchObject({ code: 'UNDO_REFUSED' });
    const rows = await scene.in((r) => collect(r.ops()));
    expect(rows.map(({ id, undone }) => [id, undone])).toEqual([
      [7, false],
      [6, false],
      [5, true],
      [4, true],
      [3, false],
      [2, false],
      [1, false],
    ]);
    expect(rows[0].refs).toEqual(['artifacts/d']);
  });

  test('a number that vanished is never given again', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'd', '0');
    await commit(scene, 'd', '1');
    await scene.in((r) => r.undo());
    expect(await commit(scene, 'd', '2')).toMatchObject({ version: 'v2', base: 'v0' });
    // What stands at v1 cannot come back where v2 went on: it can, at its own number.
    await scene.in((r) => r.undo({ operation: 3 }));
    expect(await versions(scene, 'd')).toEqual(['v2', 'v1', 'v0']);
  });

  test('a dry run says the same and changes nothing', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'd', '0');
    const dry = await scene.in((r) => r.undo({ dryRun: true }));
    expect(dry).toMatchObject({ op: null, undone: 1, changes: ['d: v0 is taken back'] });
    expect(await versions(scene, 'd')).toEqual(['v0']);
    expect(await scene.in((r) => collect(r.ops()))).toHaveLength(1);
  });

  test('what came later stays, or it is refused', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'd', '0');
    await commit(scene, 'd', '1');
    await scene.in((r) => r.tag({ target: 'd:v0', tags: ['later'] }));
    await scene.in((r) => r.undo({ operation: 2 }));
    expect(await scene.in((r) => r.show('d:v0'))).toMatchObject({ tags: ['later'], aliases: ['latest'] });
    const refused = expect(scene.in((r) => r.undo({ operation: 1 }))).rejects;
    await refused.toMatchObject({ code: 'UNDO_REFUSED', exit: 5, message: expect.stringContaining('v0') });
  });

  test('an operation on several artifacts is taken back whole', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'x', '0');
    await commit(scene, 'y', '0');
    scene.write({ 'x/a': '1', 'y/a': '1' });
    await scene.in((r) => r.commit({}));
    await scene.in((r) => r.alias('y:v1', ['best']));
    await expect(scene.in((r) => r.undo({ operation: 3 }))).rejects.toMatchObject({ code: 'UNDO_REFUSED' });
    expect([await versions(scene, 'x'), await versions(scene, 'y')]).toEqual([
      ['v1', 'v0'],
      ['v1', 'v0'],
    ]);
    await scene.in((r) => r.undo());
    expect((await scene.in((r) => r.undo())).changes).toEqual(['x: v1 is taken back', 'y: v1 is taken back']);
    expect([await versions(scene, 'x'), await versions(scene, 'y')]).toEqual([['v0'], ['v0']]);
  });

  test('without a number it takes this user’s newest outside runs, and asks if others came later', async () => {
    await using scene = await Scene.make();
    const bob = { author: 'bob' };
    await expect(scene.in((r) => r.undo())).rejects.toMatchObject({ code: 'OPERATION_NOT_FOUND', exit: 3 });
    await commit(scene, 'd', '0');
    await commit(scene, 'e', '0', bob);
    await expect(scene.in((r) => r.undo())).rejects.toMatchObject({
      code: 'UNDO_UNCLEAR',
      exit: 2,
      hint: expect.stringContaining('`art undo 1`'),
    });
    await scene.in((r) => r.undo(), bob);
    // Nothing that came later is left.
    expect(await scene.in((r) => r.undo())).toMatchObject({ undone: 1 });
    await commit(scene, 'f', '0', { run: 'r1' });
    await expect(scene.in((r) => r.undo())).rejects.toMatchObject({ code: 'OPERATION_NOT_FOUND' });
  });

  test('what others undid counts only if it was older: then its undo came later', async () => {
    await using scene = await Scene.make();
    const bob = { author: 'bob' };
    await commit(scene, 'e', '0', bob);
    await commit(scene, 'd', '0');
    await scene.in((r) => r.tag({ target: 'd', tags: ['x'] }), bob);
    await scene.in((r) => r.undo({ operation: 3 }), bob);
    expect(await scene.in((r) => r.undo({ dryRun: true }))).toMatchObject({ undone: 2 });
    await scene.in((r) => r.undo({ operation: 1 }), bob);
    await expect(scene.in((r) => r.undo())).rejects.toMatchObject({
      code: 'UNDO_UNCLEAR',
      message: expect.stringContaining('operation 5 by bob') as string,
    });
  });

  test('undo of a rename is the old name everywhere, unless somebody took it', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'd', '0');
    await scene.in((r) => r.rename({ name: 'd', to: 'e', type: 'model' }));
    await scene.in((r) => r.tag({ target: 'e', tags: ['later'] }));
    await scene.in((r) => r.undo({ operation: 2 }));
    expect(scene.read('art.toml')).toContain('[artifacts.d]');
    expect(scene.read('art.lock')).toMatch(/^d = /m);
    expect(await scene.in((r) => r.show('d:v0'))).toMatchObject({ type: 'dataset', tags: ['later'] });
    expect(await scene.in((r) => r.status())).toMatchObject([{ name: 'd', held: 'v0', clean: true }]);
    await scene.in((r) => r.undo({ operation: 4 }));
    scene.write({ 'other/x': 'x' });
    await scene.in((r) => r.commit({ name: 'D', paths: ['other'] }));
    await expect(scene.in((r) => r.undo({ operation: 5 }))).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    expect((await scene.in((r) => r.list())).map(({ name }) => name)).toEqual(['D', 'e']);
  });

  test('an operation from before a rename is taken back from the artifact, not from whoever has its old name', async () => {
    await using scene = await Scene.make();
    await commit(scene, 'd', '0');
    await scene.in((r) => r.tag({ target: 'd', tags: ['x'], artifact: true }));
    await scene.in((r) => r.rename({ name: 'd', to: 'e' }));
    scene.write({ 'other/x': 'x' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['other'] }));
    await scene.in((r) => r.tag({ target: 'd', tags: ['x'], artifact: true }));
    expect(await scene.in((r) => r.undo({ operation: 2 }))).toMatchObject({
      changes: ['e: its tags are none again'],
    });
    expect((await scene.in((r) => r.list())).map(({ name, tags }) => [name, tags])).toEqual([
      ['d', ['x']],
      ['e', []],
    ]);
  });

  test('a delete comes back with every byte after gc, and is gone for good after the window', async () => {
    await using scene = await Scene.make();
    const bytes = randomBytes(600_000);
    scene.write({ 'd/big': bytes });
    await scene.in((r) =>
      r.commit({ name: 'd', paths: ['d'], aliases: ['best'], tags: ['t'], metadata: { k: 1 } }),
    );
    const { op } = await scene.in((r) => r.delete({ targets: ['d'], all: true, force: true }));
    rmSync(scene.path('d'), { recursive: true });
    scene.write({ 'art.toml': '', 'art.lock': '' });
    await scene.in((r) => r.gc());
    await scene.in((r) => r.undo({ operation: op! }));
    expect(await scene.in((r) => r.show('d:best'))).toMatchObject({
      version: 'v0',
      tags: ['t'],
      metadata: { k: 1 },
    });
    await scene.in((r) => r.download({ spec: 'd', dir: 'out' }));
    expect(scene.contents('out')).toEqual({ big: `- ${bytes.toString('base64')}` });
    expect(await scene.in((r) => r.fsck({ deep: true }))).toMatchObject({ ok: true });
    const { op: again } = await scene.in((r) => r.delete({ targets: ['d:v0'], force: true }));
    await scene.in((r) => r.gc({ undoWindowDays: 0 }));
    await expect(scene.in((r) => r.undo({ operation: again! }))).rejects.toMatchObject({
      code: 'UNDO_GONE',
      exit: 3,
    });
    expect(await scene.in((r) => r.fsck())).toMatchObject({ ok: true });
  });
});

describe('what a checkout destroys', () => {
  test('is stored first, survives gc, and undo puts it back and nothing else', async () => {
    await using scene = await Scene.make();
    scene.write({ 'd/a': '0', 'd/b': '0', 'd/sub/c': '0', 'd/.artignore': '*.log\n' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['d'] }));
    const big = randomBytes(400_000);
    scene.write({ 'd/a': 'mine', 'd/sub/c': big, 'd/new/x': 'untracked', 'd/run.log': 'ignored' });
    chmodSync(scene.path('d/a'), 0o755);
    symlinkSync('nowhere', scene.path('d/link'));
    mkdirSync(scene.path('d/empty'));
    const before = scene.contents('d');
    const [gone] = await scene.in((r) => r.checkout({ spec: 'd', force: true, clean: true }));
    expect(gone).toMatchObject({ written: 2, removed: 3, lost: 5, undo: 2 });
    expect(Object.keys(scene.contents('d'))).toEqual(['.artignore', 'a', 'b', 'run.log', 'sub/c']);
    await scene.in((r) => r.gc());
    scene.write({ 'd/b': 'newer work' });
    const back = await scene.in((r) => r.undo());
    expect(back).toMatchObject({ undone: 2, op: 3, redo: null });
    expect(scene.contents('d')).toEqual({
      ...before,
      b: `- ${Buffer.from('newer work').toString('base64')}`,
    });
    expect((await scene.in((r) => collect(r.ops())))[1]).toMatchObject({
      undone: true,
      refs: [`folder:${scene.path('d')}`],
    });
    await expect(scene.in((r) => r.undo({ operation: 3 }))).rejects.toMatchObject({ code: 'UNDO_REFUSED' });
    // The next one goes further back.
    expect(await scene.in((r) => r.undo())).toMatchObject({ undone: 1 });
  });

  test('does not come back over newer work in the same place', async () => {
    await using scene = await Scene.make();
    scene.write({ 'd/a': '0', 'd/b': '0' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['d'] }));
    scene.write({ 'd/a': 'mine', 'd/b': 'mine' });
    await scene.in((r) => r.checkout({ spec: 'd', force: true }));
    scene.write({ 'd/a': 'newer' });
    await expect(scene.in((r) => r.undo())).rejects.toMatchObject({ code: 'UNCOMMITTED_CHANGES' });
    expect([scene.read('d/a'), scene.read('d/b')]).toEqual(['newer', '0']);
    scene.write({ 'd/a': null });
    expect(await scene.in((r) => r.undo({ dryRun: true }))).toMatchObject({ op: null });
    expect(scene.exists('d/a')).toBe(false);
    await scene.in((r) => r.undo());
    expect([scene.read('d/a'), scene.read('d/b')]).toEqual(['mine', 'mine']);
  });

  test('comes back where a folder took the place of a file, and the other way round', async () => {
    await using scene = await Scene.make();
    scene.write({ 'd/a': 'file', 'd/b/x': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['d'] }));
    scene.write({ 'd/a': null, 'd/b': null });
    scene.write({ 'd/a/mine': 'm', 'd/b': 'a file of mine' });
    const before = scene.contents('d');
    await scene.in((r) => r.checkout({ spec: 'd', force: true }));
    expect(Object.keys(scene.contents('d'))).toEqual(['a', 'b/x']);
    await scene.in((r) => r.undo());
    expect(scene.contents('d')).toEqual(before);
  });

  test('--clean alone still refuses to overwrite changes, and destroys nothing then', async () => {
    await using scene = await Scene.make();
    scene.write({ 'd/a': '0' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['d'] }));
    scene.write({ 'd/a': 'mine', 'd/extra': 'x' });
    await expect(scene.in((r) => r.checkout({ spec: 'd', clean: true }))).rejects.toMatchObject({
      code: 'UNCOMMITTED_CHANGES',
    });
    expect(Object.keys(scene.contents('d'))).toEqual(['a', 'extra']);
    scene.write({ 'd/a': '0' });
    const [dry] = await scene.in((r) => r.checkout({ spec: 'd', clean: true, dryRun: true }));
    expect(dry).toMatchObject({ removed: 1, undo: null });
    expect(scene.exists('d/extra')).toBe(true);
    expect(await scene.in((r) => collect(r.ops()))).toHaveLength(1);
  });
});
