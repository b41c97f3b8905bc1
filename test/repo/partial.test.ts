import { describe, expect, test } from 'vitest';
import type { CheckoutRequest } from '#repo';
import { Scene } from './scene.ts';

async function twoVersions(): Promise<Scene> {
  const scene = await Scene.make();
  scene.write({ 'data/a/x': '1', 'data/b/x': '1', 'data/c': '1' });
  await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  scene.write({ 'data/a/x': '2', 'data/b/x': '2', 'data/b/y': '2' });
  await scene.in((r) => r.commit({ name: 'd' }));
  return scene;
}

const checkout = async (scene: Scene, request: CheckoutRequest) =>
  (await scene.in((r) => r.checkout(request)))[0];

describe('a folder that holds part of a version', () => {
  test('is added to, moved to other versions and made whole without any of it counting as a change', async () => {
    await using scene = await twoVersions();
    const part = (spec: string, path: string) => checkout(scene, { spec, dir: 'part', paths: [path] });
    expect(await part('d:v0', 'a/')).toMatchObject({ written: 1, removed: 0 });
    expect(await part('d:v1', 'b/')).toMatchObject({ written: 2, removed: 0 });
    expect(scene.contents('part')).toEqual({
      'a/x': expect.any(String),
      'b/x': expect.any(String),
      'b/y': expect.any(String),
    });
    expect(scene.read('part/a/x') + scene.read('part/b/x')).toBe('12');
    expect(await part('d:v0', 'b/')).toMatchObject({ written: 1, removed: 1 });
    expect(await checkout(scene, { spec: 'd:v1', dir: 'part' })).toMatchObject({ written: 4 });
    expect(scene.contents('part')).toEqual(scene.contents('data'));
    expect(await scene.in((r) => r.commit({ name: 'd', paths: ['part'] }))).toMatchObject([
      { created: false },
    ]);
  });

  test('keeps what was changed in it', async () => {
    await using scene = await twoVersions();
    await checkout(scene, { spec: 'd:v0', dir: 'part', paths: ['a/'] });
    scene.write({ 'part/a/x': 'mine' });
    const refused = { code: 'UNCOMMITTED_CHANGES' };
    await expect(checkout(scene, { spec: 'd:v1', dir: 'part', paths: ['a/'] })).rejects.toMatchObject(
      refused,
    );
    await expect(checkout(scene, { spec: 'd:v1', dir: 'part' })).rejects.toMatchObject(refused);
    expect(await checkout(scene, { spec: 'd:v1', dir: 'part', paths: ['b/'] })).toMatchObject({ written: 2 });
    expect(scene.read('part/a/x')).toBe('mine');
  });

  test('is not committed as if it were the whole, but its files can be put onto that', async () => {
    await using scene = await twoVersions();
    await checkout(scene, { spec: 'd:v1', dir: 'part', paths: ['a/'] });
    scene.write({ 'part/a/x': 'new' });
    await expect(scene.in((r) => r.commit({ name: 'd', paths: ['part'] }))).rejects.toMatchObject({
      code: 'PARTIAL_FOLDER',
      hint: expect.stringContaining('--onto d:v1'),
    });
    const add = [{ path: 'part', dest: '.' }];
    const [made] = await scene.in((r) => r.commit({ name: 'd', onto: 'd:v1', add, overwrite: true }));
    expect(made).toMatchObject({ version: 'v2', files: 4 });
    const [other] = await scene.in((r) => r.commit({ name: 'only-a', paths: ['part'], bind: false }));
    expect(other).toMatchObject({ files: 1 });
  });

  test('says so in status if somebody bound it', async () => {
    await using scene = await twoVersions();
    await checkout(scene, { spec: 'd:v1', dir: 'part', paths: ['a/'] });
    await scene.in((r) => r.unbind('d'));
    scene.write({ 'art.toml': '[artifacts.d]\npath = "part"\n' });
    const [status] = await scene.in((r) => r.status());
    expect(status).toMatchObject({ held: 'v1', clean: true });
    expect(scene.warnings).toEqual(['"part" holds only part of d:v1']);
    await expect(scene.in((r) => r.commit({}))).rejects.toMatchObject({ code: 'PARTIAL_FOLDER' });
    expect(await checkout(scene, { spec: 'd' })).toMatchObject({ written: 3, unchanged: 1 });
    expect(await scene.in((r) => r.commit({}))).toMatchObject([{ created: false }]);
  });

  test('cannot be a bound one, whichever artifact it is bound to', async () => {
    await using scene = await twoVersions();
    scene.write({ 'other/z': 'z' });
    await scene.in((r) => r.commit({ name: 'e', paths: ['other'] }));
    for (const dir of [undefined, 'data', 'other']) {
      const request = { spec: 'd', paths: ['a/'], ...(dir !== undefined && { dir }) };
      await expect(checkout(scene, request)).rejects.toMatchObject({ code: 'BINDING_CONFLICT' });
    }
  });

  test('a path that selects nothing is said', async () => {
    await using scene = await twoVersions();
    await checkout(scene, { spec: 'd', dir: 'part', paths: ['nowhere/'] });
    expect(scene.warnings).toEqual(['nothing in d:v1 begins with "nowhere/"']);
  });
});

describe('checkout of what art.lock wants', () => {
  test('takes the named ones alone, and says which it knows if one is not bound', async () => {
    await using scene = await Scene.make();
    scene.write({ 'x/a': '1', 'y/a': '1' });
    await scene.in((r) => r.commit({ name: 'x', paths: ['x'] }));
    await scene.in((r) => r.commit({ name: 'y', paths: ['y'] }));
    const lock = scene.read('art.lock');
    scene.write({ 'x/a': '2', 'y/a': '2' });
    await scene.in((r) => r.commit({}));
    scene.write({ 'art.lock': lock });
    const results = await scene.in((r) => r.checkout({ names: ['y'] }));
    expect(results.map(({ name, version }) => `${name}:${version}`)).toEqual(['y:v0']);
    expect([scene.read('x/a'), scene.read('y/a')]).toEqual(['2', '1']);
    await expect(scene.in((r) => r.checkout({ names: ['yy'] }))).rejects.toMatchObject({
      code: 'BINDING_NOT_FOUND',
      hint: 'Did you mean "y"?',
    });
  });

  test('plans every folder before the first write', async () => {
    await using scene = await Scene.make();
    scene.write({ 'x/a': '1', 'y/a': '1' });
    await scene.in((r) => r.commit({ name: 'x', paths: ['x'] }));
    await scene.in((r) => r.commit({ name: 'y', paths: ['y'] }));
    const lock = scene.read('art.lock');
    scene.write({ 'x/a': '2', 'y/a': '2' });
    await scene.in((r) => r.commit({}));
    scene.write({ 'art.lock': lock, 'y/a': 'mine' });
    await expect(scene.in((r) => r.checkout({}))).rejects.toMatchObject({ code: 'UNCOMMITTED_CHANGES' });
    expect([scene.read('x/a'), scene.read('y/a')]).toEqual(['2', 'mine']);
  });
});
