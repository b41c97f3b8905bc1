import { describe, expect, test } from 'vitest';
import { Clone, twoClones } from './scene.ts';

const rename = (clone: Clone, name: string, to: string) =>
  clone.scene.in((repository) => repository.rename({ name, to }));
const undo = (clone: Clone) => clone.scene.in((repository) => repository.undo());

/** Both have `data` with two versions; Ada calls it `foo`. */
async function renamed(): Promise<{ readonly ada: Clone; readonly ben: Clone }> {
  const { ada, ben } = await twoClones();
  await ada.commit('data', { a: '0' });
  await ada.commit('data', { a: '1' });
  await ada.alias('data:v0', 'best');
  await ada.push();
  await ben.pull();
  await rename(ada, 'data', 'foo');
  return { ada, ben };
}

describe('an artifact that was renamed', () => {
  test('is told to others under its new name, and nothing of it stays under the old one', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    const before = await ben.versions('data');
    await ada.push();
    expect(await ada.names()).toEqual(['foo']);
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
    expect(await ada.push({ names: ['data'] })).toMatchObject({ upToDate: true });
    expect(await ada.pull()).toMatchObject({ upToDate: true });
    await ben.pull();
    expect(ben.scene.warnings).toContain('"data" is called "foo" at origin now');
    expect(await ben.names()).toEqual(['foo']);
    expect(await ben.versions('foo')).toEqual(before);
    await using cleo = await Clone.make(ada.bucket);
    await cleo.pull();
    await cleo.commit('data', { a: 'another' });
    await cleo.push();
    expect(await cleo.versions('data')).toEqual([expect.stringMatching(/^v2 .* latest$/)]);
    expect(ada.scene.warnings).toEqual([]);
    for (const clone of [ada, ben, cleo]) await clone.check();
  });

  test('loses no version that others put under the old name meanwhile, and says where it is', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    await ben.commit('data', { a: 'ben' });
    await ben.push();
    const left =
      '"data" is "foo" here, and origin has v2 under the old name, which is not here: ' +
      '`art pull origin data` brings it as "data"';
    await ada.pull();
    expect(ada.scene.warnings).toEqual([left]);
    await ada.push();
    await ada.push();
    expect(ada.scene.warnings).toEqual([left, left]);
    expect(await ada.names()).toEqual(['foo']);
    await ben.pull();
    expect(ben.scene.warnings).toEqual([
      '"data" is called "foo" at origin now; versions that only you had stay under "data"',
    ]);
    expect(await ben.names()).toEqual(['data', 'foo']);
    await ada.pull({ names: ['data'] });
    expect(await ada.versions('data')).toEqual(await ben.versions('data'));
    expect(await ada.contents('data:v2')).toEqual(await ben.contents('data:v2'));
    expect(await ada.push()).toMatchObject({ upToDate: true });
    expect(await ben.push()).toMatchObject({ upToDate: true });
    await ada.check();
    await ben.check();
  });

  test('leaves its numbers under the old name to its own versions, when that name is used again', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('data', { a: 'another' });
    expect(await ada.versions('data')).toEqual([expect.stringMatching(/^v2 .* latest$/)]);
    await ben.commit('data', { a: 'ben' });
    await ben.push();
    await ada.pull();
    await ada.push();
    await ben.pull();
    expect(await ada.versions('data')).toHaveLength(2);
    expect(await ben.versions('data')).toEqual(await ada.versions('data'));
    expect(await ben.versions('foo')).toEqual(await ada.versions('foo'));
    await ada.check();
    await ben.check();
  });

  test('leaves under the old name what others gave an alias meanwhile, and says so', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    await ben.alias('data:v0', 'prod');
    await ben.push();
    expect(await ada.push()).toMatchObject({ deleted: [{ name: 'data', numbers: [1] }] });
    const left =
      '"data" is "foo" here, and origin still has v0 under the old name: ' +
      '`art pull origin data` brings it as "data"';
    expect(ada.scene.warnings).toEqual([left]);
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
    expect(await ada.names()).toEqual(['foo']);
    await ben.pull();
    expect(await ben.versions('data')).toEqual([expect.stringMatching(/^v0 \S+ latest prod$/)]);
    expect(await ben.versions('foo')).toEqual(await ada.versions('foo'));
    // It can be taken away, or brought.
    await ada.pull({ names: ['data'] });
    expect(await ada.versions('data')).toEqual(await ben.versions('data'));
    await ben.scene.in((repository) => repository.delete({ targets: ['data:v0'], force: true }));
    await ben.push();
    await ada.pull();
    expect(await ada.names()).toEqual(['foo']);
    await ada.check();
    await ben.check();
  });

  test.each(['pull', 'push'] as const)(
    'leaves under the old name what got an alias before a %s tells of the rename',
    async (deed) => {
      const { ada, ben } = await renamed();
      await using _a = ada;
      await using _b = ben;
      await ben.alias('data:v0', 'prod');
      await ada.push();
      await ben[deed]();
      await ben.pull();
      expect(await ben.versions('data')).toEqual([expect.stringMatching(/^v0 \S+ latest prod$/)]);
      await ben.push();
      await ada.pull();
      expect(ada.scene.warnings).toEqual([expect.stringContaining('still has v0 under the old name')]);
      expect(await ada.names()).toEqual(['foo']);
      await ada.check();
      await ben.check();
    },
  );

  test('leaves to the new versions of its old name what others gave an alias meanwhile', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('data', { a: 'another' });
    await ben.alias('data:v0', 'prod');
    await ben.push();
    await ada.push();
    await ben.pull();
    expect(await ada.versions('data')).toEqual([
      expect.stringMatching(/^v2 \S+ latest$/),
      expect.stringMatching(/^v0 \S+ prod$/),
    ]);
    expect(await ben.versions('data')).toEqual(await ada.versions('data'));
    // A deletion that somebody wanted is in conflict with an alias as ever.
    await ada.remove('data', 2);
    await ben.alias('data:v2', 'good');
    await ben.push();
    await expect(ada.push()).rejects.toMatchObject({ code: 'DELETE_CONFLICT' });
    await ada.check();
    await ben.check();
  });

  test('can be called as before, here and there, also after a push', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    const before = await ben.versions('data');
    await ben.commit('data', { a: 'ben' });
    await ben.push();
    await ada.push();
    await undo(ada);
    expect(await ada.versions('data')).toEqual(before);
    await ada.push();
    expect(await ada.names()).toEqual(['data']);
    await ben.pull();
    expect(await ben.names()).toEqual(['data']);
    expect(await ben.versions('data')).toEqual(await ada.versions('data'));
    expect((await ben.versions('data')).slice(1)).toEqual(before.map((row) => row.replace(' latest', '')));
    expect(await ben.contents('data:v2')).toMatchObject({ a: expect.any(String) as string });
    await ada.check();
    await ben.check();
  });

  test('keeps names that differ by case only from taking the place that a remote knows', async () => {
    const { ada } = await renamed();
    await using _a = ada;
    await expect(ada.commit('Data', { a: 'x' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
      message: expect.stringContaining('which is "foo" now') as string,
    });
    await ada.commit('other', { a: 'x' });
    await rename(ada, 'other', 'more');
    await ada.commit('Other', { a: 'y' });
    await ada.push();
    expect(await ada.push({ names: ['data'] })).toMatchObject({ upToDate: true });
    expect(await ada.names()).toEqual(['Other', 'foo', 'more']);
  });

  test('does not come back under its old name when the remote is added anew', async () => {
    const { ada } = await renamed();
    await using _a = ada;
    await ada.scene.in(async (repository) => {
      await repository.removeRemote('origin');
      repository.addRemote({ name: 'origin', url: '/bucket' });
    });
    await ada.pull();
    expect(ada.scene.warnings).toEqual([
      '"data" is "foo" here, and origin still has it under the old name: `art pull origin data` brings it as "data"',
    ]);
    expect(await ada.names()).toEqual(['foo']);
    await ada.push();
    expect(await ada.names()).toEqual(['foo']);
    await ada.pull({ names: ['data'] });
    expect(await ada.names()).toEqual(['data', 'foo']);
    await ada.check();
  });
});

/** Both have these, in one version each, and share them. */
async function sharing(...names: readonly string[]) {
  const { ada, ben } = await twoClones();
  for (const name of names) await ada.commit(name, { [name]: name });
  await ada.push();
  await ben.pull();
  const dispose = async () => {
    await ada[Symbol.asyncDispose]();
    await ben[Symbol.asyncDispose]();
  };
  return { ada, ben, [Symbol.asyncDispose]: dispose };
}

describe('a folder of an artifact that somebody else renamed', () => {
  test('still holds its version: what is committed next is made from that, and says what it is behind', async () => {
    await using scene = await sharing('data');
    const { ada, ben } = scene;
    await ben.scene.in((repository) => repository.checkout({ spec: 'data' }));
    await ada.commit('data', { a: '1' });
    await rename(ada, 'data', 'foo');
    await ada.push();
    await ben.pull();
    expect(ben.scene.warnings.join()).toContain('art.toml still binds "artifacts/data" to the old name');
    ben.scene.write({ 'artifacts/data/b': 'ben' });
    const conflict = {
      code: 'BINDING_CONFLICT',
      hint: expect.stringContaining('art rename data foo') as string,
    };
    const commit = () => ben.scene.in((repository) => repository.commit({}));
    await expect(commit()).rejects.toMatchObject(conflict);
    await expect(ben.scene.in((repository) => repository.checkout({}))).rejects.toMatchObject(conflict);
    await expect(ben.contents('data')).rejects.toMatchObject({
      code: 'ARTIFACT_NOT_FOUND',
      message: '"data" is called "foo" now',
    });
    await rename(ben, 'data', 'foo');
    const [status] = await ben.scene.in((repository) => repository.status());
    expect(status).toMatchObject({ name: 'foo', held: 'v0', behind: 1, added: ['b'], modified: [] });
    expect(await commit()).toMatchObject([{ version: 'v2', base: 'v0', behind: 1 }]);
  });

  test('and then deleted leaves what only a folder has to that folder', async () => {
    await using scene = await sharing('a', 'other');
    const { ada, ben } = scene;
    ben.scene.write({ 'loose/a': 'a', 'loose/x': 'only here' });
    await ben.scene.in((r) => r.commit({ name: 'a', paths: ['loose'], bind: false }));
    await ben.push();
    await ada.pull();
    await rename(ada, 'a', 'b');
    await ada.push();
    await ada.scene.in((r) => r.delete({ targets: ['b'], all: true, force: true }));
    await ada.push();
    await ben.pull();
    await ben.scene.in((r) => r.checkout({ spec: 'other', dir: 'loose' }));
    expect(ben.scene.read('loose/x')).toBe('only here');
  });

  test('that two renamed differently is told: both names stay', async () => {
    const { ada, ben } = await renamed();
    await using _a = ada;
    await using _b = ben;
    await rename(ben, 'data', 'bar');
    await ada.push();
    await ben.push();
    expect(ben.scene.warnings).toContain(
      '"data" is called "bar" here and "foo" at origin: both stay, and go apart from now on',
    );
    await ben.pull();
    expect(await ben.names()).toEqual(['bar', 'foo']);
  });

  test('a name that remotes know is not taken for other versions', async () => {
    await using scene = await sharing('x', 'y');
    const { ada, ben } = scene;
    await rename(ada, 'y', 'a');
    await expect(rename(ada, 'x', 'y')).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await rename(ada, 'a', 'y');
    await rename(ada, 'y', 'a');
    await ada.push();
    await expect(rename(ada, 'x', 'y')).rejects.toMatchObject({ code: 'NAME_TAKEN' });
    await ben.pull();
    expect(await ben.names()).toEqual(['a', 'x']);
  });

  test('a name that was used again and deleted is not called otherwise any more', async () => {
    await using scene = await sharing('data');
    const { ada, ben } = scene;
    await rename(ben, 'data', 'foo');
    await ben.push();
    await ada.pull();
    await ada.commit('data', { a: 'other' });
    await ada.push();
    await ada.remove('data', 1);
    expect((await ada.push()).deleted).toEqual([{ name: 'data', renamedTo: null, numbers: [1] }]);
  });
});
