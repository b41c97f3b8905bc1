import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ObjectId } from '#object';
import { Repository, initRepository } from '#repo';
import type { CheckoutRequest } from '#repo';
import { Scene } from './scene.ts';

/** Two files of more than a chunk, so that a checkout can be stopped between them. */
const big = (letter: string) => ({
  'data/1': letter.repeat(300_000),
  'data/2': letter.repeat(300_001),
});

/** A checkout that dies after it has put `reads` of the big files in their places. */
async function stopped(scene: Scene, request: CheckoutRequest, reads = 1): Promise<void> {
  await scene.in(async ({ context }) => {
    const store = new Proxy(context.store, {
      get(real, key) {
        if (key === 'reader') return () => dyingReader(real.reader());
        const value: unknown = Reflect.get(real, key);
        return typeof value === 'function' ? (value.bind(real) as unknown) : value;
      },
    });
    const dyingReader = (reader: ReturnType<typeof store.reader>) => {
      let left = reads;
      const getMany = async (ids: readonly ObjectId[]) => {
        if (left-- <= 0) throw new Error('killed');
        return reader.getMany(ids);
      };
      return { getMany };
    };
    await expect(new Repository({ ...context, store }).checkout(request)).rejects.toThrow('killed');
  });
}

async function twoVersions(scene: Scene): Promise<void> {
  scene.write(big('a'));
  await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  scene.write(big('b'));
  await scene.in((r) => r.commit({ name: 'd' }));
}

describe('a checkout that was stopped midway', () => {
  test('is told of by status, and its mixture is no version', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    await stopped(scene, { spec: 'd:v0' });
    expect(scene.read('data/1')[0] + scene.read('data/2')[0]).toBe('ab');
    await scene.in((r) => r.status());
    const told = 'the checkout of d:v0 into "data" was not finished: run `art checkout d:v0` again';
    await scene.in(async (r) => (await r.diff({ before: 'd:v0' }))[Symbol.dispose]());
    expect(scene.warnings.splice(0)).toEqual(Array(2).fill(told));
    for (const request of [
      {},
      { name: 'd' },
      { name: 'd', paths: ['data'] },
      { name: 'other', paths: ['data'], bind: false },
    ]) {
      await expect(scene.in((r) => r.commit(request))).rejects.toMatchObject({
        code: 'CHECKOUT_UNFINISHED',
        exit: 5,
        hint: expect.stringContaining('art checkout d:v0') as string,
      });
    }
    await scene.in((r) => r.checkout({ spec: 'd:v0' }));
    expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version: 'v0', created: false }]);
  });

  test('a first one is no part that somebody wanted', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    rmSync(scene.path('data'), { recursive: true });
    await scene.in((r) => r.unbind('d'));
    await stopped(scene, { spec: 'd:v0', dir: 'out' });
    await expect(scene.in((r) => r.commit({ name: 'd', paths: ['out'] }))).rejects.toMatchObject({
      code: 'CHECKOUT_UNFINISHED',
      hint: expect.stringContaining(`art checkout d:v0 "${scene.path('out')}"`) as string,
    });
    await scene.in(async (r) => (await r.diff({ before: 'd:v0' }))[Symbol.dispose]());
    const out = scene.path('out');
    expect(scene.warnings).toContain(
      `the checkout of d:v0 into "${out}" was not finished: run \`art checkout d:v0 "${out}"\` again`,
    );
  });

  test('is finished as it was begun: with its paths, or whole where the folder was bound since', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    const part = { spec: 'd:v0', dir: 'out', paths: ['2', '1'] };
    await stopped(scene, part);
    const out = scene.path('out');
    const commit = () => scene.in((r) => r.commit({ name: 'd', paths: ['out'], bind: false }));
    await expect(commit()).rejects.toMatchObject({
      code: 'CHECKOUT_UNFINISHED',
      message: `the checkout of d:v0 --path "1" --path "2" into "${out}" was not finished`,
      hint: expect.stringContaining(
        `Run \`art checkout d:v0 "${out}" --path "1" --path "2"\` again.`,
      ) as string,
    });
    scene.write({ 'art.toml': '[artifacts.d]\npath = "out"\n' });
    await expect(commit()).rejects.toMatchObject({
      hint: expect.stringContaining(`Run \`art checkout d:v0 "${out}"\` for all of it.`) as string,
    });
    await scene.in((r) => r.status());
    expect(scene.warnings).toEqual([
      'the checkout of d:v0 --path "1" --path "2" into "out" was not finished: run `art checkout d:v0` for all of it',
    ]);
    scene.write({ 'art.toml': null });
    await scene.in((r) => r.checkout(part));
    await expect(commit()).rejects.toMatchObject({ code: 'PARTIAL_FOLDER' });
  });

  test('is known to the next ones, whether they are stopped too or put only paths', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    for (const letter of ['c', 'e']) {
      scene.write(big(letter));
      await scene.in((r) => r.commit({ name: 'd' }));
    }
    await scene.in((r) => r.checkout({ spec: 'd:v0', dir: 'out' }));
    await stopped(scene, { spec: 'd:v1', dir: 'out' });
    await stopped(scene, { spec: 'd:v2', dir: 'out' }, 0);
    await stopped(scene, { spec: 'd:v2', dir: 'out' }, 0);
    // What the first had put there is no change of the user's, with paths or without.
    expect(scene.read('out/1')[0] + scene.read('out/2')[0]).toBe('ba');
    await scene.in((r) => r.checkout({ spec: 'd:v3', dir: 'out', paths: ['2'] }));
    expect(scene.read('out/1')[0] + scene.read('out/2')[0]).toBe('be');
    await expect(scene.in((r) => r.commit({ name: 'd', paths: ['out'] }))).rejects.toMatchObject({
      code: 'CHECKOUT_UNFINISHED',
      hint: expect.stringContaining(`art checkout d:v2 "${scene.path('out')}"\``) as string,
    });
    // Collecting keeps what they were going to.
    await scene.in((r) => r.delete({ targets: ['d:v1'] }));
    await scene.in((r) => r.gc({ undoWindowDays: 0 }));
    await scene.in((r) => r.checkout({ spec: 'd:v3', dir: 'out' }));
    expect(scene.read('out/1')[0] + scene.read('out/2')[0]).toBe('ee');
    expect(await scene.in((r) => r.commit({ name: 'd', paths: ['out'] }))).toMatchObject([
      { created: false },
    ]);
  });

  test('but a later one that put the same paths there leaves nothing to finish', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    await stopped(scene, { spec: 'd:v0', dir: 'out', paths: ['1', '2'] });
    await scene.in((r) => r.checkout({ spec: 'd:v1', dir: 'out', paths: ['1'] }));
    const commit = () => scene.in((r) => r.commit({ name: 'd', paths: ['out'] }));
    await expect(commit()).rejects.toMatchObject({ code: 'CHECKOUT_UNFINISHED' });
    await scene.in((r) => r.checkout({ spec: 'd:v1', dir: 'out', paths: ['2', '1'] }));
    await expect(commit()).rejects.toMatchObject({ code: 'PARTIAL_FOLDER' });
  });

  test('is none once the next one has put back what was missing', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    scene.write({ 'data/1': null });
    await scene.in((r) => r.checkout({ spec: 'd:v1' }));
    await scene.in((r) => r.status());
    expect(scene.warnings).toEqual([]);
    scene.write({ 'data/3': 'new' });
    expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version: 'v2' }]);
  });

  test('that had put all its paths there is still no whole version', async () => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    const part = { spec: 'd:v0', dir: 'out', paths: ['1'] };
    await stopped(scene, part, 0);
    scene.write({ 'out/1': big('a')['data/1'] });
    await expect(scene.in((r) => r.commit({ name: 'd', paths: ['out'] }))).rejects.toMatchObject({
      code: 'CHECKOUT_UNFINISHED',
    });
  });

  test.each([
    ['nothing', 'b', 'v1'],
    ['everything', 'a', 'v0'],
  ])('that had put %s there leaves one version, whole', async (_, letter, version) => {
    await using scene = await Scene.make();
    await twoVersions(scene);
    await stopped(scene, { spec: 'd:v0' }, 0);
    scene.write(big(letter));
    expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version, created: false }]);
    await scene.in((r) => r.status());
    expect(scene.warnings).toEqual([]);
  });
});

test('what a killed command had half noted for art.lock keeps no other from its work', async () => {
  await using scene = await Scene.make();
  await twoVersions(scene);
  const lock = scene.read('art.lock');
  scene.write({ '.art/tmp/pins-0123456789abcdef': lock.slice(0, lock.indexOf('=') - 1) });
  await scene.in((r) => r.checkout({ spec: 'd:v0' }));
  expect(scene.read('art.lock')).toContain('v0');
  expect(scene.exists('.art/tmp/pins-0123456789abcdef')).toBe(false);
});

describe('one folder has one identity', () => {
  test('whether it is named by a link or not', async () => {
    await using scene = await Scene.make();
    scene.write({ 'store/big/a': 'one' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['store/big'] }));
    mkdirSync(scene.path('elsewhere'));
    renameSync(scene.path('store/big'), scene.path('elsewhere/big'));
    symlinkSync('../elsewhere/big', scene.path('store/big'));
    await scene.in((r) => r.checkout({ spec: 'd:v0' }));
    scene.write({ 'elsewhere/big/a': 'two' });
    await scene.in((r) => r.commit({ name: 'd' }));
    // By its real name: what is there is ours.
    for (const dir of ['elsewhere/big', 'store/big', undefined]) {
      for (const spec of ['d:v0', 'd:v1'])
        await scene.in((r) => r.checkout({ spec, ...(dir !== undefined && { dir }) }));
    }
    expect(await scene.in((r) => r.status())).toMatchObject([{ path: 'store/big', held: 'v1', clean: true }]);
    const commit = await scene.in((r) => r.commit({ name: 'd', paths: ['elsewhere/big'] }));
    expect(commit).toMatchObject([{ version: 'v1', created: false }]);
  });

  test('whichever way leads to the repository', async () => {
    await using scene = await Scene.make();
    scene.write({
      'data/a': 'one',
      'art.toml': '',
      'data/.artignore': '',
      '.artignore': '*.log\n',
      'data/x.log': '',
    });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    const link = `${scene.root}-link`;
    symlinkSync(scene.root, link);
    try {
      const status = await scene.in((r) => r.status(), { folder: link });
      expect(status).toMatchObject([{ held: 'v0', clean: true }]);
      const all = await scene.in((r) => r.commit({ name: 'all', paths: ['.'] }), { folder: link });
      expect(all).toMatchObject([{ files: 3 }]);
    } finally {
      rmSync(link);
    }
  });
});

describe('a folder that is bound to another artifact', () => {
  async function bound(): Promise<Scene> {
    const scene = await Scene.make();
    scene.write({ 'data/a': 'd', 'else/a': 'm' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    await scene.in((r) => r.commit({ name: 'm', paths: ['else'], bind: false }));
    return scene;
  }

  test('is no place to check out into', async () => {
    await using scene = await bound();
    await expect(scene.in((r) => r.checkout({ spec: 'm', dir: 'data', force: true }))).rejects.toMatchObject({
      code: 'BINDING_CONFLICT',
      message: expect.stringContaining('is bound to "d"') as string,
    });
    expect(scene.read('data/a')).toBe('d');
  });

  test('does not forget what it holds when it is committed under another name', async () => {
    await using scene = await bound();
    scene.write({ 'data/a': 'both' });
    expect(await scene.in((r) => r.commit({ name: 'm', paths: ['data'], bind: false }))).toMatchObject([
      { version: 'v1' },
    ]);
    expect(await scene.in((r) => r.status())).toMatchObject([{ name: 'd', held: 'v0', modified: ['a'] }]);
  });

  test('that holds a version of another all the same is told of', async () => {
    await using scene = await bound();
    await scene.in((r) => r.unbind('d'));
    await scene.in((r) => r.checkout({ spec: 'm', dir: 'data', force: true }));
    writeFileSync(scene.path('art.toml'), '[artifacts.d]\npath = "data"\n');
    scene.warnings.length = 0;
    expect(await scene.in((r) => r.status())).toMatchObject([{ name: 'd', held: null }]);
    const said = `"${scene.path('data')}" holds m:v0, and no version of "d"`;
    expect(scene.warnings).toEqual([said]);
    expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version: 'v1', base: 'v0' }]);
    expect(scene.warnings).toEqual([said, said]);
  });
});

test.each([
  ['an empty folder', { 'data/a': null }, 'data/sub'],
  ['an .artignore of everything', { 'data/.artignore': '*\n' }, undefined],
])('a bound folder with only %s left is not committed as empty', async (_, left, folder) => {
  await using scene = await Scene.make();
  scene.write({ 'data/a': '1' });
  await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  scene.write(left);
  if (folder !== undefined) mkdirSync(scene.path(folder));
  const refused = {
    code: 'BOUND_PATH_GONE',
    message: expect.stringContaining('has no file left of 1') as string,
  };
  await expect(scene.in((r) => r.commit({}))).rejects.toMatchObject(refused);
  await expect(scene.in((r) => r.commit({ dryRun: true }))).rejects.toMatchObject(refused);
  expect(await scene.in((r) => r.commit({ name: 'd', allowEmpty: true }))).toMatchObject([
    { created: true, files: 0 },
  ]);
});

test('a repository inside a bound folder is left alone, and told of once', async () => {
  await using scene = await Scene.make();
  scene.write({ a: '1', 'inner/b': '2', 'inner/deep/c': '3' });
  await initRepository(scene.path('inner'), { nested: true });
  const [made] = await scene.in((r) => r.commit({ name: 'd', paths: ['.'], bind: true }));
  expect(made).toMatchObject({ files: 1 });
  const said = `1 folder in "${scene.root}" is a repository of its own, and left alone: "inner/"`;
  expect(scene.warnings.splice(0)).toEqual([said]);
  scene.write({ extra: 'x' });
  expect(await scene.in((r) => r.checkout({ spec: 'd:v0', force: true, clean: true }))).toMatchObject([
    { removed: 1 },
  ]);
  expect(scene.warnings).toEqual([said]);
  expect(existsSync(join(scene.root, 'inner/deep/c'))).toBe(true);
  expect(scene.exists('inner/.art/format')).toBe(true);
  expect(await scene.in((r) => r.status())).toMatchObject([{ clean: true }]);
});

test('a path that is named is measured against latest, even if it is the bound one', async () => {
  await using scene = await Scene.make();
  scene.write({ 'data/a': '1' });
  const [v0] = await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  scene.write({ 'data/a': '2' });
  const [v1] = await scene.in((r) => r.commit({ name: 'd' }));
  await scene.in((r) => r.checkout({ spec: 'd:v0' }));
  // Without a path: what the folder holds.
  expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version: 'v0', created: false }]);
  const [v2] = await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  expect(v2).toMatchObject({ version: 'v2', created: true, tree: v0.tree, base: 'v0', behind: 1 });
  expect(await scene.in((r) => r.show('d:v2'))).toMatchObject({ parents: [v1.cid] });
  expect(await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }))).toMatchObject([
    { version: 'v2', created: false },
  ]);
});

describe('what is wrong with art.lock', () => {
  const MARKED = '<<<<<<< mine\n=======\n>>>>>>> theirs\n';

  test('is said before a version is made', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'art.lock': MARKED });
    await expect(scene.in((r) => r.commit({ name: 'd', paths: ['data'] }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await expect(scene.in((r) => r.show('d'))).rejects.toMatchObject({ code: 'ARTIFACT_NOT_FOUND' });
  });

  test('is said before a file is written', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    scene.write({ 'art.lock': MARKED, 'data/a': null });
    await expect(scene.in((r) => r.checkout({ spec: 'd' }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(scene.exists('data/a')).toBe(false);
  });

  test('is said before a binding goes', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    const wanted = scene.read('art.toml');
    scene.write({ 'art.lock': MARKED });
    await expect(scene.in((r) => r.unbind('d'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(scene.read('art.toml')).toBe(wanted);
  });

  test('two first commits at once bind both', async () => {
    await using scene = await Scene.make();
    scene.write({ 'one/a': '1', 'two/a': '2' });
    await Promise.all(['one', 'two'].map((name) => scene.in((r) => r.commit({ name, paths: [name] }))));
    expect((await scene.in((r) => r.status())).map(({ name }) => name).sort()).toEqual(['one', 'two']);
  });
});

test('a folder that is gone keeps no version alive, and one that is there does', async () => {
  await using scene = await Scene.make();
  scene.write({ 'd/a': randomBytes(3_000_000) });
  const gc = () => scene.in((repository) => repository.gc({ undoWindowDays: 0 }));
  await scene.in((repository) => repository.commit({ name: 'x', paths: ['d'], bind: false }));
  await scene.in((repository) => repository.delete({ targets: ['x'], all: true }));
  const kept = (await gc()).kept;
  scene.write({ d: null });
  expect((await gc()).kept).toBeLessThan(kept);
});

test.each(['.art', '.art/objects', 'sub/.git', 'sub/.GIT/hooks'])('nothing is put into %s', async (dir) => {
  await using scene = await Scene.make();
  scene.write({ 'd/a': '1', 'sub/.git/HEAD': 'ref' });
  await scene.in((repository) => repository.commit({ name: 'x', paths: ['d'] }));
  const refused = { code: 'USAGE' };
  const checkout = scene.in((repository) =>
    repository.checkout({ spec: 'x', dir, clean: true, force: true }),
  );
  await expect(checkout).rejects.toMatchObject(refused);
  await expect(scene.in((repository) => repository.download({ spec: 'x', dir }))).rejects.toMatchObject(
    refused,
  );
  if (dir === '.art')
    await expect(
      scene.in((repository) => repository.commit({ name: 'y', paths: [dir] })),
    ).rejects.toMatchObject(refused);
});

test('a folder that had a part and is gone is made again, also after gc', async () => {
  await using scene = await Scene.make();
  scene.write({ 'd/s/x': '1', 'd/y': '2' });
  await scene.in((repository) => repository.commit({ name: 'm', paths: ['d'] }));
  const part = () => scene.in((r) => r.checkout({ spec: 'm', dir: 'part', paths: ['s/'] }));
  await part();
  scene.write({ part: null });
  await scene.in((repository) => repository.gc({ undoWindowDays: 0 }));
  await part();
  expect(Object.keys(scene.contents('part'))).toEqual(['s/x']);
});

test('a repository below a folder of Git is one like any other', async () => {
  await using scene = await Scene.make();
  const root = join(scene.root, 'g/.git/wt');
  mkdirSync(join(root, 'd'), { recursive: true });
  await initRepository(root, { nested: true });
  writeFileSync(join(root, 'd/x'), '1');
  await using repository = await scene.open({ folder: root });
  await repository.commit({ name: 'a', paths: ['d'] });
  expect(await repository.checkout({ spec: 'a', dir: 'o' })).toMatchObject([{ written: 1 }]);
  await expect(repository.checkout({ spec: 'a', dir: '.art' })).rejects.toMatchObject({ code: 'USAGE' });
});
