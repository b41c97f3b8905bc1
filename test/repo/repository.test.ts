import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { NODE } from '#object';
import { LevelStore } from '#store';
import { decodeHeld, decodeOperation, recordKeys } from '#version';
import { Scene } from './scene.ts';

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

describe('commit and checkout', () => {
  test('every version comes back exactly, whichever is there now', async () => {
    await using scene = await Scene.make();
    scene.write({
      'data/a.txt': 'one',
      'data/sub/b.bin': randomBytes(900_000),
      'data/run.sh': '#!/bin/sh\n',
    });
    chmodSync(scene.path('data/run.sh'), 0o755);
    symlinkSync('a.txt', scene.path('data/link'));
    mkdirSync(scene.path('data/empty'));
    const [first] = await scene.in((r) => r.commit({ name: 'd', paths: ['data'], message: 'first' }));
    expect(first).toMatchObject({
      name: 'd',
      version: 'v0',
      created: true,
      base: null,
      behind: 0,
      files: 4,
      aliases: ['latest'],
    });
    const before = scene.contents('data');

    scene.write({ 'data/a.txt': 'two', 'data/run.sh': null, 'data/new/deep/c': 'c' });
    rmSync(scene.path('data/link'));
    rmSync(scene.path('data/empty'), { recursive: true });
    const [second] = await scene.in((r) => r.commit({ name: 'd' }));
    expect(second).toMatchObject({ version: 'v1', created: true, base: 'v0' });
    expect(second.newBytes).toBeLessThan(10_000);
    const after = scene.contents('data');

    const [there] = await scene.in((r) => r.checkout({ spec: 'd:v0' }));
    expect(there).toMatchObject({ name: 'd', version: 'v0', dir: scene.path('data') });
    expect(scene.contents('data')).toEqual(before);
    await scene.in((r) => r.checkout({ spec: 'd' }));
    expect(scene.contents('data')).toEqual(after);
    expect(await scene.in((r) => r.verify('d:v1'))).toEqual({
      ok: true,
      missing: [],
      extra: [],
      changed: [],
    });
    expect(await scene.in((r) => r.verify('d:v0'))).toMatchObject({ ok: false });
  });

  test('an unchanged folder makes no version, but aliases and tags still apply', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': 'a' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    const [again] = await scene.in((r) =>
      r.commit({ name: 'd', aliases: ['best'], tags: ['t'], metadata: { k: 1 } }),
    );
    expect(again).toMatchObject({ version: 'v0', created: false, newBytes: 0, aliases: ['latest', 'best'] });
    const shown = await scene.in((r) => r.show('d:best'));
    expect(shown).toMatchObject({
      kind: 'version',
      version: 'v0',
      tags: ['t'],
      metadata: { k: 1 },
      aliases: ['latest', 'best'],
    });
  });

  test('a commit from an older version goes ahead and says how far behind it was', async () => {
    await using scene = await Scene.make();
    for (const text of ['0', '1', '2']) {
      scene.write({ 'data/a': text });
      await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    }
    await scene.in((r) => r.checkout({ spec: 'd:v0' }));
    scene.write({ 'data/a': 'other' });
    const [made] = await scene.in((r) => r.commit({ name: 'd' }));
    expect(made).toMatchObject({ version: 'v3', base: 'v0', behind: 2 });
  });

  test('without a name all bound folders that changed are committed in one operation', async () => {
    await using scene = await Scene.make();
    scene.write({ 'x/a': '1', 'y/a': '1' });
    await scene.in((r) => r.commit({ name: 'x', paths: ['x'] }));
    await scene.in((r) => r.commit({ name: 'y', paths: ['y'] }));
    scene.write({ 'y/a': '2' });
    const results = await scene.in((r) => r.commit({ message: 'all' }));
    expect(results.map(({ name, version, created }) => [name, version, created])).toEqual([
      ['x', 'v0', false],
      ['y', 'v1', true],
    ]);
  });

  test('a dry run says the same and changes nothing', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': 'a' });
    const [dry] = await scene.in((r) => r.commit({ name: 'd', paths: ['data'], dryRun: true }));
    expect(dry).toMatchObject({ version: 'v0', created: true, cid: null, newBytes: expect.any(Number) });
    expect(await scene.in((r) => r.list())).toEqual([]);
    expect(scene.exists('art.lock')).toBe(false);
    expect(scene.read('art.toml')).not.toContain('artifacts.d');
  });

  test.each(['a dry run', 'a commit that was refused'])(
    'what %s has read is stored by the next commit all the same',
    async (what) => {
      await using scene = await Scene.make();
      scene.write({ 'data/a': 'a', 'data/long': randomBytes(400_000), 'other/x': 'x' });
      // Old enough for the stat cache to take them.
      for (const path of ['data/a', 'data/long']) utimesSync(scene.path(path), 1.7e9 + 0.5, 1.7e9 + 0.5);
      await scene.in((r) => r.commit({ name: 'taken', paths: ['other'], bind: false }));
      await new Promise((resolve) => setTimeout(resolve, 60));
      if (what === 'a dry run') await scene.in((r) => r.commit({ name: 'd', paths: ['data'], dryRun: true }));
      else
        await expect(
          scene.in((r) => r.commit({ name: 'TAKEN', paths: ['data'], bind: false })),
        ).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
      expect(await scene.in((r) => r.fsck({ deep: true }))).toMatchObject({ ok: true, problems: [] });
      await scene.in((r) => r.download({ spec: 'd', dir: 'out' }));
      expect(scene.contents('out')).toEqual(scene.contents('data'));
    },
  );

  test('several paths go in under their own names and are not bound', async () => {
    await using scene = await Scene.make();
    scene.write({ 'one/a': 'a', 'two.txt': 'two' });
    const [made] = await scene.in((r) => r.commit({ name: 'both', paths: ['one', 'two.txt'] }));
    expect(made.files).toBe(2);
    const rows = (await scene.in((r) => collect(r.ls('both')))).flat();
    expect(rows.map(({ path }) => path)).toEqual(['one/a', 'two.txt']);
    expect(await scene.in((r) => r.status())).toEqual([]);
  });

  test('art.lock brings every bound folder back', async () => {
    await using scene = await Scene.make();
    scene.write({ 'x/a': '1', 'y/a': '1' });
    await scene.in((r) => r.commit({ name: 'x', paths: ['x'] }));
    await scene.in((r) => r.commit({ name: 'y', paths: ['y'] }));
    const lock = scene.read('art.lock');
    scene.write({ 'x/a': '2', 'y/a': '2' });
    await scene.in((r) => r.commit({}));
    expect(scene.read('art.lock')).not.toBe(lock);
    scene.write({ 'art.lock': lock });
    const results = await scene.in((r) => r.checkout({}));
    expect(results.map(({ name, version }) => `${name}:${version}`)).toEqual(['x:v0', 'y:v0']);
    expect([scene.read('x/a'), scene.read('y/a')]).toEqual(['1', '1']);
  });
});

describe('a version with a folder of Git in it', () => {
  async function versions(): Promise<Scene> {
    const scene = await Scene.make();
    scene.write({ 'data/.artignore': '!.git/\n', 'data/.git/config': 'one', 'data/sub/.git/HEAD': 'one' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    scene.write({ 'data/.git/config': 'two', 'data/.git/hooks/new': 'two' });
    await scene.in((r) => r.commit({ name: 'd' }));
    return scene;
  }
  const unsafe = { code: 'TREE_UNSAFE', hint: expect.stringContaining('Nothing was written.') };

  test('goes back and forth where it was committed', async () => {
    await using scene = await versions();
    const second = scene.contents('data');
    await scene.in((r) => r.checkout({ spec: 'd:v0' }));
    expect(scene.read('data/.git/config')).toBe('one');
    expect(scene.exists('data/.git/hooks/new')).toBe(false);
    await scene.in((r) => r.checkout({ spec: 'd:v1' }));
    expect(scene.contents('data')).toEqual(second);
  });

  test('goes to no new place unless the user says so above it', async () => {
    await using scene = await versions();
    await expect(scene.in((r) => r.checkout({ spec: 'd', dir: 'new' }))).rejects.toMatchObject(unsafe);
    await expect(scene.in((r) => r.download({ spec: 'd', dir: 'new' }))).rejects.toMatchObject(unsafe);
    expect(scene.exists('new/.artignore')).toBe(false);
    scene.write({ '.artignore': '!.git/\n' });
    await scene.in((r) => r.checkout({ spec: 'd', dir: 'new' }));
    expect(scene.contents('new')).toEqual(scene.contents('data'));
    expect(await scene.in((r) => r.verify('d', 'new'))).toMatchObject({ ok: true });
  });

  test('never goes into one that art has not put there', async () => {
    await using scene = await versions();
    scene.write({ '.artignore': '!.git/\n', 'mine/.git/HEAD': 'mine' });
    for (const force of [false, true]) {
      await expect(scene.in((r) => r.checkout({ spec: 'd', dir: 'mine', force }))).rejects.toMatchObject({
        ...unsafe,
        message: expect.stringContaining('mine/.git'),
      });
    }
    expect(Object.keys(scene.contents('mine'))).toEqual(['.git/HEAD']);
  });
});

describe('gc', () => {
  test.each(['the log', 'a held folder'])('stops when a node that only %s names is damaged', async (what) => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'data/sub/b': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    scene.write({ 'data/a': '2' });
    await scene.in((r) => r.commit({ name: 'd' }));
    await scene.in((r) => r.checkout({ spec: 'd', dir: 'part', paths: ['sub/'] }));
    await damage(scene, what === 'the log' ? 'op/' : recordKeys.held(scene.path('part')));
    await expect(scene.in((r) => r.gc())).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    expect(await scene.in((r) => r.verify('d:v0'))).toMatchObject({ changed: ['a'] });
  });

  /** Turns over the last byte of the node that the first record under `key` names. */
  async function damage(scene: Scene, key: string): Promise<void> {
    await using store = new LevelStore(scene.path('.art'));
    const [{ value }] = await store.listRecords(key, { limit: 1 });
    const digest = key === 'op/' ? decodeOperation(value).changes[0].after! : decodeHeld(value).tree;
    const row = Buffer.concat([Buffer.from([NODE]), digest]);
    await store.database.use(async () => {
      const broken = Buffer.from(store.database.table.getSync(row)!);
      broken[broken.length - 1] ^= 1;
      await store.database.write([{ type: 'put', key: row, value: broken }]);
    });
  }
});

describe('what would lose work is refused', () => {
  test('uncommitted changes stop a checkout before it writes anything, unless forced', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'data/b': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    scene.write({ 'data/a': '2', 'data/b': '2' });
    await scene.in((r) => r.commit({ name: 'd' }));
    scene.write({ 'data/b': 'mine', 'data/extra': 'mine too' });
    await expect(scene.in((r) => r.checkout({ spec: 'd:v0' }))).rejects.toMatchObject({
      code: 'UNCOMMITTED_CHANGES',
    });
    expect(scene.read('data/a')).toBe('2');
    await scene.in((r) => r.checkout({ spec: 'd:v0', force: true }));
    expect([scene.read('data/a'), scene.read('data/b'), scene.read('data/extra')]).toEqual([
      '1',
      '1',
      'mine too',
    ]);
  });

  test('a bound folder that vanished is not committed as empty', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    rmSync(scene.path('data'), { recursive: true });
    await expect(scene.in((r) => r.commit({ name: 'd' }))).rejects.toMatchObject({ code: 'BOUND_PATH_GONE' });
    mkdirSync(scene.path('data'));
    await expect(scene.in((r) => r.commit({}))).rejects.toMatchObject({ code: 'BOUND_PATH_GONE' });
    const [made] = await scene.in((r) => r.commit({ name: 'd', allowEmpty: true }));
    expect(made).toMatchObject({ version: 'v1', files: 0 });
  });

  test('part of a version does not go into a bound folder', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'data/sub/b': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    await expect(scene.in((r) => r.checkout({ spec: 'd', paths: ['sub/'] }))).rejects.toMatchObject({
      code: 'BINDING_CONFLICT',
    });
    const [part] = await scene.in((r) => r.checkout({ spec: 'd', dir: 'part', paths: ['sub/'] }));
    expect(part.written).toBe(1);
    expect(Object.keys(scene.contents('part'))).toEqual(['sub/b']);
  });

  test.each([
    ['another type', { name: 'd', type: 'model' }, 'TYPE_MISMATCH'],
    ['a name that differs by case only', { name: 'D', paths: ['other'], bind: false }, 'NAME_TAKEN'],
    ['a name that is none', { name: 'a b', paths: ['data'] }, 'NAME_INVALID'],
    ['the alias latest', { name: 'd', aliases: ['latest'] }, 'NAME_INVALID'],
    ['a path that is not there', { name: 'd', paths: ['nowhere'] }, 'PATH_NOT_FOUND'],
    ['a folder inside a bound one', { name: 'e', paths: ['data/sub'] }, 'BINDING_CONFLICT'],
    ['a name that is bound to nothing', { name: 'e' }, 'NOTHING_BOUND'],
  ])('%s', async (_, request, code) => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'data/sub/b': '1', 'other/x': 'x' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    await expect(scene.in((r) => r.commit(request))).rejects.toMatchObject({ code });
    expect((await scene.in((r) => r.list())).map(({ name, versions }) => [name, versions])).toEqual([
      ['d', 1],
    ]);
  });

  test('conflict markers in art.toml and art.lock are named with their line', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1' });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    const lock = scene.read('art.lock');
    writeFileSync(scene.path('art.lock'), `<<<<<<< HEAD\n${lock}=======\n>>>>>>> other\n`);
    await expect(scene.in((r) => r.status())).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/art\.lock:1/),
    });
    writeFileSync(scene.path('art.lock'), lock);
    writeFileSync(scene.path('art.toml'), `${scene.read('art.toml')}=======\n`);
    await expect(scene.in((r) => r.status())).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('looking', () => {
  test('unknown artifacts, versions, aliases and entries are named, with what may be meant', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/train.csv': '1' });
    await scene.in((r) => r.commit({ name: 'cifar', paths: ['data'], aliases: ['best'] }));
    await expect(scene.in((r) => r.show('cifra'))).rejects.toMatchObject({
      code: 'ARTIFACT_NOT_FOUND',
      hint: expect.stringContaining('cifar'),
    });
    await expect(scene.in((r) => r.show('cifar:v9'))).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
    await expect(scene.in((r) => r.show('cifar:bets'))).rejects.toMatchObject({
      code: 'ALIAS_NOT_FOUND',
      hint: expect.stringContaining('best'),
    });
    await expect(scene.in((r) => collect(r.cat('cifar', 'trian.csv')))).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      hint: expect.stringContaining('train.csv'),
    });
  });

  test('cat gives any range of a long file', async () => {
    await using scene = await Scene.make();
    const bytes = randomBytes(1_500_000);
    scene.write({ 'data/long.bin': bytes });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
    for (const [offset, length] of [
      [0, undefined],
      [0, 1],
      [700_001, 300_000],
      [1_499_999, 10],
      [2_000_000, 5],
    ] as const) {
      const got = await scene.in(async (r) => {
        const parts: Buffer[] = [];
        for await (const part of r.cat('d', 'long.bin', { offset, ...(length !== undefined && { length }) }))
          parts.push(Buffer.from(part));
        return Buffer.concat(parts);
      });
      const wanted = bytes.subarray(offset, length === undefined ? undefined : offset + length);
      expect(Buffer.compare(got, wanted)).toBe(0);
    }
  });

  test('versions are found by number, alias, hash and distance', async () => {
    await using scene = await Scene.make();
    const cids: string[] = [];
    for (const text of ['0', '1', '2']) {
      scene.write({ 'data/a': text });
      const [made] = await scene.in((r) => r.commit({ name: 'd', paths: ['data'], message: `m${text}` }));
      cids.push(made.cid!);
    }
    await scene.in((r) => r.alias('d:v1', ['good']));
    const rows = await scene.in((r) => collect(r.log('d')));
    expect(rows.map(({ version, message, aliases }) => [version, message, aliases])).toEqual([
      ['v2', 'm2', ['latest']],
      ['v1', 'm1', ['good']],
      ['v0', 'm0', []],
    ]);
    expect(rows[0].parents).toEqual([cids[1]]);
    for (const spec of ['d:v1', 'd:good', `d@${cids[1]}`, `d@${cids[1].slice(0, 16)}`, 'd~1', 'd:v2~1']) {
      expect(await scene.in((r) => r.show(spec)), spec).toMatchObject({ cid: cids[1] });
    }
    await scene.in((r) => r.removeAliases(['d:good']));
    await expect(scene.in((r) => r.show('d:good'))).rejects.toMatchObject({ code: 'ALIAS_NOT_FOUND' });
  });
});
