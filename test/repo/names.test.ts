import { describe, expect, test } from 'vitest';
import { Scene } from './scene.ts';

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

/** A bound artifact `d` with `count` versions, v0 on. */
async function versions(count: number): Promise<Scene> {
  const scene = await Scene.make();
  for (let i = 0; i < count; i++) {
    scene.write({ 'data/a': `content ${i}` });
    await scene.in((r) => r.commit({ name: 'd', paths: ['data'] }));
  }
  return scene;
}

const numbers = async (scene: Scene, name = 'd') =>
  (await scene.in((r) => collect(r.log(name)))).map(({ version }) => version);

describe('tags, metadata and descriptions', () => {
  test('are put, read and taken away again, and changing nothing is no operation', async () => {
    await using scene = await versions(2);
    const tagged = await scene.in((r) => r.tag({ target: 'd:v0', tags: ['b', 'a b'] }));
    expect(tagged).toEqual({ name: 'd', version: 'v0', tags: ['a b', 'b'] });
    await scene.in((r) => r.tag({ target: 'd:v0', tags: ['b'], remove: true }));
    const whole = await scene.in((r) => r.tag({ target: 'd', tags: ['vision'], artifact: true }));
    expect(whole).toEqual({ name: 'd', version: null, tags: ['vision'] });
    expect((await scene.in((r) => r.list({ tag: 'vision' }))).map(({ name }) => name)).toEqual(['d']);
    expect(await scene.in((r) => r.describe('d:v0', 'first'))).toEqual({
      name: 'd',
      version: 'v0',
      description: 'first',
    });
    expect(await scene.in((r) => r.describe('d', ''))).toMatchObject({ version: null, description: null });
    expect(await scene.in((r) => r.show('d:v0'))).toMatchObject({ tags: ['a b'], description: 'first' });
    const operations = (await scene.in((r) => collect(r.ops()))).length;
    await scene.in((r) => r.tag({ target: 'd:v0', tags: ['a b'] }));
    await scene.in((r) => r.describe('d:v0', 'first'));
    await scene.in((r) => r.alias('d:v0', []));
    expect((await scene.in((r) => collect(r.ops()))).length).toBe(operations);
    await expect(scene.in((r) => r.describe('d', 'x'.repeat(70_000)))).rejects.toMatchObject({
      code: 'DESCRIPTION_INVALID',
    });
  });

  test('metadata changes key by key, and its history says who had what when', async () => {
    await using scene = await versions(1);
    const meta = (change: object, author: string) => scene.in((r) => r.meta('d', change), { author });
    await meta({ set: { acc: 0.5, note: 'n' } }, 'ada');
    await scene.in((r) => r.rename({ name: 'd', to: 'e' }));
    await scene.in((r) => r.rename({ name: 'e', to: 'd' }));
    const large = { list: Array.from({ length: 2000 }, (_, i) => i) };
    await meta({ set: { large }, unset: ['note'] }, 'bob');
    expect((await meta({}, 'ada')).metadata).toEqual({ acc: 0.5, large });
    const history = await scene.in((r) => collect(r.metaHistory('d:v0')));
    expect(history.map(({ user, metadata }) => [user, Object.keys(metadata).sort()])).toEqual([
      ['bob', ['acc', 'large']],
      ['ada', ['acc', 'note']],
      ['ada', []],
    ]);
    await expect(meta({ unset: ['note'] }, 'ada')).rejects.toMatchObject({ code: 'METADATA_KEY_NOT_FOUND' });
  });
});

describe('rename', () => {
  test('never puts a draft in the place of another', async () => {
    await using scene = await versions(1);
    const part = (name: string) => ({ name, part: 'p', add: [{ path: 'data', dest: name }] });
    await scene.in((r) => r.commit(part('d')));
    await scene.in((r) => r.commit(part('e')));
    await expect(scene.in((r) => r.rename({ name: 'd', to: 'e' }))).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    });
    await scene.in((r) => r.rename({ name: 'd', to: 'f' }));
    for (const name of ['e', 'f'])
      expect(await scene.in((r) => r.commit({ name, finish: 'p' }))).toMatchObject([{ name, files: 1 }]);
  });

  test('takes history, aliases, binding, pin and held folders with it, and frees the old name', async () => {
    await using scene = await versions(2);
    await scene.in((r) => r.alias('d:v0', ['best']));
    scene.write({ 'art.toml': `${scene.read('art.toml')}type = "dataset" # ours\n` });
    await scene.in((r) => r.rename({ name: 'd', to: 'new', type: 'table' }));
    expect(scene.read('art.toml')).toContain('[artifacts.new]\npath = "data"\ntype = "table" # ours\n');
    expect(scene.read('art.lock')).toMatch(/^new = .*"v1"/m);
    expect(scene.read('art.lock')).not.toMatch(/^d = /m);
    expect(await scene.in((r) => r.status())).toMatchObject([{ name: 'new', held: 'v1', clean: true }]);
    expect(await scene.in((r) => r.show('new:best'))).toMatchObject({ version: 'v0', type: 'table' });
    scene.write({ 'data/a': 'more' });
    expect(await scene.in((r) => r.commit({ name: 'new' }))).toMatchObject([{ version: 'v2', base: 'v1' }]);
    scene.write({ 'other/a': 'x' });
    // The name, and its twins by case, are free again.
    expect(await scene.in((r) => r.commit({ name: 'D', paths: ['other'] }))).toMatchObject([
      { version: 'v0' },
    ]);
  });

  test.each([
    ['onto another artifact', 'e'],
    ['onto a name that differs from another by case only', 'E'],
    ['onto a name that differs from its own by case only', 'D'],
    ['onto its own name', 'd'],
    ['onto the name of a deleted artifact', 'gone'],
  ])('%s is refused and changes nothing', async (_, to) => {
    await using scene = await versions(1);
    for (const name of ['e', 'gone']) await scene.in((r) => r.commit({ name, paths: ['data'], bind: false }));
    await scene.in((r) => r.delete({ targets: ['gone'], all: true }));
    const files = ['art.toml', 'art.lock'].map((file) => scene.read(file));
    await expect(scene.in((r) => r.rename({ name: 'd', to }))).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    expect(['art.toml', 'art.lock'].map((file) => scene.read(file))).toEqual(files);
    expect((await scene.in((r) => r.list())).map(({ name }) => name)).toEqual(['d', 'e']);
  });

  test('takes drafts with it', async () => {
    await using scene = await versions(1);
    scene.write({ 'parts/x': 'x' });
    await scene.in((r) => r.commit({ name: 'd', part: 'p1', add: [{ dest: 'x', path: 'parts/x' }] }));
    await scene.in((r) => r.rename({ name: 'd', to: 'e' }));
    expect(await scene.in((r) => r.commit({ name: 'e', finish: 'p1' }))).toMatchObject([
      { name: 'e', version: 'v1' },
    ]);
  });

  test('changes nothing where art.toml takes a person to edit', async () => {
    await using scene = await versions(1);
    scene.write({ 'art.toml': 'artifacts = { d = { path = "data" } }\n' });
    await expect(scene.in((r) => r.rename({ name: 'd', to: 'e' }))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    expect(await numbers(scene)).toEqual(['v0']);
  });
});

describe('delete', () => {
  test('moves latest, says what could be freed, and never uses a number again', async () => {
    await using scene = await versions(4);
    const dry = await scene.in((r) => r.delete({ targets: ['d'], all: true, dryRun: true }));
    expect(dry).toEqual({
      deleted: ['d:v0', 'd:v1', 'd:v2', 'd:v3'],
      freeable: dry.freeable,
      op: null,
      undo: null,
    });
    expect(dry.freeable).toBeGreaterThan(100);
    const one = await scene.in((r) => r.delete({ targets: ['d:v3', 'd:latest', 'd~2'] }));
    expect(one).toMatchObject({ deleted: ['d:v1', 'd:v3'], op: 5, undo: 'art undo 5' });
    expect(one.freeable).toBeGreaterThan(0);
    expect(one.freeable).toBeLessThan(dry.freeable);
    expect(await numbers(scene)).toEqual(['v2', 'v0']);
    expect(await scene.in((r) => r.show('d'))).toMatchObject({ latest: 'v2', aliases: { latest: 'v2' } });
    scene.write({ 'data/a': 'more' });
    expect(await scene.in((r) => r.commit({ name: 'd' }))).toMatchObject([{ version: 'v4', base: 'v2' }]);
    await expect(scene.in((r) => r.delete({ targets: ['d:v3'] }))).rejects.toMatchObject({
      code: 'VERSION_NOT_FOUND',
      message: expect.stringContaining('was deleted by ada'),
    });
  });

  test('frees nothing that another version needs', async () => {
    await using scene = await versions(1);
    await scene.in((r) => r.commit({ name: 'e', paths: ['data'], bind: false, message: 'x'.repeat(5000) }));
    const { freeable } = await scene.in((r) => r.delete({ targets: ['d:v0'] }));
    // Its commit alone: the content is that of `e`.
    expect(freeable).toBeLessThan(400);
  });

  test('asks before whole artifacts and before versions with an alias', async () => {
    await using scene = await versions(5);
    await scene.in((r) => r.alias('d:v1', ['best']));
    const go = (targets: string[], more: object = {}) => scene.in((r) => r.delete({ targets, ...more }));
    await expect(go(['d'])).rejects.toMatchObject({
      code: 'DELETE_UNCLEAR',
      exit: 2,
      message: expect.stringContaining('5 versions'),
    });
    for (const targets of [['d:v1'], ['d:best'], ['d:v0..v2'], ['d:v0', 'd:v1']])
      await expect(go(targets)).rejects.toMatchObject({ code: 'VERSION_NAMED', exit: 5 });
    await expect(go(['d'], { all: true })).rejects.toMatchObject({ code: 'VERSION_NAMED' });
    await expect(go(['d:v3..v1'])).rejects.toMatchObject({ code: 'SPEC_INVALID' });
    await expect(go(['d:v7..v9'])).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
    await expect(go(['d:v1'], { all: true })).rejects.toMatchObject({ code: 'USAGE' });
    expect(await numbers(scene)).toHaveLength(5);
    expect((await go(['d:v0..v2'], { exceptAliased: true })).deleted).toEqual(['d:v0', 'd:v2']);
    expect((await go(['d:v1'], { exceptAliased: true })).op).toBeNull();
    expect((await go(['d:best'], { force: true })).deleted).toEqual(['d:v1']);
    expect(await numbers(scene)).toEqual(['v4', 'v3']);
  });

  test('a deleted artifact is gone for all who look, and a new commit goes on counting', async () => {
    await using scene = await versions(2);
    await scene.in((r) => r.describe('d', 'old'));
    await scene.in((r) => r.delete({ targets: ['d'], all: true }));
    expect(await scene.in((r) => r.list())).toEqual([]);
    expect(await scene.in((r) => collect(r.log()))).toEqual([]);
    for (const look of ['d', 'd:v0']) {
      await expect(scene.in((r) => r.show(look))).rejects.toMatchObject({
        code: 'ARTIFACT_NOT_FOUND',
        message: expect.stringContaining('deleted'),
      });
    }
    const [made] = await scene.in((r) => r.commit({ name: 'd', type: 'model' }));
    expect(made).toMatchObject({ version: 'v2', created: true, base: null });
    expect(await scene.in((r) => r.show('d'))).toMatchObject({ type: 'model', description: null });
  });

  test('what only a folder still has counts as uncommitted, and art.lock wants what is left', async () => {
    await using scene = await versions(2);
    await scene.in((r) => r.delete({ targets: ['d:v1'] }));
    expect(scene.warnings).toEqual(['art.lock wanted d:v1, which is gone; it wants v0 now']);
    expect(scene.read('art.lock')).toContain('"v0"');
    expect(await scene.in((r) => r.status())).toMatchObject([{ held: 'v0', clean: false, modified: ['a'] }]);
    await expect(scene.in((r) => r.checkout({}))).rejects.toMatchObject({ code: 'UNCOMMITTED_CHANGES' });
    expect(scene.read('data/a')).toBe('content 1');
  });
});
