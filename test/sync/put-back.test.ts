import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { FolderBucket } from '#sync';
import { Clone } from './scene.ts';
import { keysOf, noise } from './samples.ts';
import { ScriptedBucket } from './scripted-bucket.ts';

const made: string[] = [];
afterEach(() => made.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Two clones of one shared folder. */
async function sharing(): Promise<{ share: string; ada: Clone; ben: Clone } & AsyncDisposable> {
  const share = mkdtempSync(join(tmpdir(), 'art-share-'));
  made.push(share, `${share}.backup`);
  const ada = await Clone.make(new FolderBucket(share));
  const ben = await Clone.make(new FolderBucket(share));
  const dispose = async () => {
    await ada[Symbol.asyncDispose]();
    await ben[Symbol.asyncDispose]();
  };
  return { share, ada, ben, [Symbol.asyncDispose]: dispose };
}

/** What a new clone gets. */
async function versionsIn(share: string, name: string): Promise<string[]> {
  await using fresh = await Clone.make(new FolderBucket(share));
  await fresh.pull();
  await fresh.check();
  return await fresh.versions(name);
}

async function addAgain({ scene }: Clone): Promise<void> {
  await scene.in(async (repository) => {
    await repository.removeRemote('origin');
    repository.addRemote({ name: 'origin', url: '/bucket' });
  });
}

describe('a share that was made anew', () => {
  test('is not taken for the old one: nothing of what a colleague pushed to it is lost', async () => {
    await using scene = await sharing();
    const { share, ada, ben } = scene;
    await ada.commit('x', { a: 'ada 0' });
    await ada.push();
    rmSync(share, { recursive: true });
    mkdirSync(share);
    const replaced = { code: 'REMOTE_REPLACED', exit: 5, message: expect.stringContaining(share) as string };
    await expect(ada.push()).rejects.toMatchObject(replaced);
    await expect(ada.pull()).rejects.toMatchObject(replaced);
    await expect(ada.gc()).rejects.toMatchObject(replaced);
    expect(readdirSync(share)).toEqual([]);
    await ben.commit('x', { a: 'ben 0' });
    await ben.push();
    const theirs = await versionsIn(share, 'x');
    for (const attempt of [() => ada.push(), () => ada.pull(), () => ada.fetch(), () => ada.gc()])
      await expect(attempt()).rejects.toMatchObject(replaced);
    await ada.commit('x', { a: 'ada 1' });
    await expect(ada.push()).rejects.toMatchObject(replaced);
    expect(await versionsIn(share, 'x')).toEqual(theirs);
    await addAgain(ada);
    expect((await ada.push()).renumbered).toHaveLength(2);
    expect(await versionsIn(share, 'x')).toEqual(await ada.versions('x'));
    expect(await ada.versions('x')).toHaveLength(3);
    expect(theirs[0]).toBe(`${(await ada.versions('x'))[2]} latest`);
  });
});

describe('a share that was put back to what it was', () => {
  async function putBack() {
    const scene = await sharing();
    const { share, ada } = scene;
    await ada.commit('x', { a: '0' });
    await ada.push();
    cpSync(share, `${share}.backup`, { recursive: true });
    await ada.commit('x', { a: '1' });
    await ada.push();
    rmSync(share, { recursive: true });
    cpSync(`${share}.backup`, share, { recursive: true });
    return scene;
  }

  test('is told, by push, by pull and by gc', async () => {
    await using scene = await putBack();
    const { share, ada } = scene;
    const rewritten = {
      code: 'REMOTE_REWRITTEN',
      message: expect.stringContaining('put back to an earlier state') as string,
    };
    await expect(ada.push()).rejects.toMatchObject(rewritten);
    await expect(ada.pull()).rejects.toMatchObject(rewritten);
    await expect(ada.gc()).rejects.toMatchObject(rewritten);
    await addAgain(ada);
    expect(await ada.push()).toMatchObject({ versions: 1, renumbered: [] });
    expect(await versionsIn(share, 'x')).toEqual(await ada.versions('x'));
  });

  test('is told also after others pushed there so often that it counts further than it did', async () => {
    await using scene = await putBack();
    const { share, ada, ben } = scene;
    await ben.pull();
    for (let i = 1; i < 4; i++) {
      await ben.commit('x', { a: `ben ${i}` });
      await ben.push();
    }
    const rewritten = { code: 'REMOTE_REWRITTEN' };
    await expect(ada.push()).rejects.toMatchObject(rewritten);
    await expect(ada.pull()).rejects.toMatchObject(rewritten);
    await expect(ada.push()).rejects.toMatchObject(rewritten);
    expect(await versionsIn(share, 'x')).toEqual(await ben.versions('x'));
    await addAgain(ada);
    expect((await ada.push()).renumbered).toEqual([{ name: 'x', from: 'v1', to: 'v4' }]);
    expect(await versionsIn(share, 'x')).toHaveLength(5);
  });

  test('and one without a pointer that it had', async () => {
    await using scene = await sharing();
    const { share, ada } = scene;
    await ada.commit('x', { a: '0' });
    await ada.commit('y', { a: '0' });
    await ada.push();
    const packs = await keysOf(new FolderBucket(share), 'packs/');
    rmSync(join(share, 'refs/a/x'), { recursive: true });
    const gone = {
      code: 'REMOTE_REWRITTEN',
      message: expect.stringContaining('"x" was seen at origin and is not there any more') as string,
    };
    for (const attempt of [() => ada.push(), () => ada.pull(), () => ada.fetch(), () => ada.gc()])
      await expect(attempt()).rejects.toMatchObject(gone);
    await expect(ada.pull({ names: ['x'] })).rejects.toMatchObject(gone);
    await expect(ada.gc({ dryRun: true })).rejects.toMatchObject(gone);
    expect(await keysOf(new FolderBucket(share), 'packs/')).toEqual(packs);
    expect(await ada.pull({ names: ['y'] })).toMatchObject({ upToDate: true });
  });
});

describe('a share of which a part is not reached', () => {
  async function shared() {
    const scene = await sharing();
    const { ada } = scene;
    for (const name of ['x', 'y']) {
      await ada.commit(name, { a: noise(1, 300_000), [name]: name });
      await ada.push();
    }
    return scene;
  }

  test('is told where no pointer is there: nothing is taken for dead, or for empty', async () => {
    await using scene = await shared();
    const { share, ben } = scene;
    const packs = await keysOf(new FolderBucket(share), 'packs/');
    renameSync(join(share, 'refs'), join(share, '.refs'));
    await ben.commit('z', { a: 'z' });
    const gone = { code: 'REMOTE_CORRUPT', message: expect.stringContaining('no pointer') as string };
    for (const attempt of [
      () => ben.gc(),
      () => ben.gc({ dryRun: true }),
      () => ben.pull(),
      () => ben.push(),
    ])
      await expect(attempt()).rejects.toMatchObject(gone);
    expect(await keysOf(new FolderBucket(share), 'packs/')).toEqual(packs);
    renameSync(join(share, '.refs'), join(share, 'refs'));
    await ben.push();
    expect(await versionsIn(share, 'x')).toEqual(await scene.ada.versions('x'));
  });

  test('keeps the indexes of packs that are gone for a while, with what is needed', async () => {
    await using scene = await shared();
    const { share, ada } = scene;
    const indexes = await keysOf(new FolderBucket(share), 'idx/');
    renameSync(join(share, 'packs'), join(share, '.packs'));
    expect(await ada.gc()).toMatchObject({ deleted: 0, condemned: 0 });
    expect(ada.scene.warnings.join()).toContain('is gone from');
    expect(await keysOf(new FolderBucket(share), 'idx/')).toEqual(indexes);
    rmSync(join(share, 'packs'), { recursive: true, force: true });
    renameSync(join(share, '.packs'), join(share, 'packs'));
    expect(await versionsIn(share, 'x')).toEqual(await ada.versions('x'));
    expect(await versionsIn(share, 'y')).toEqual(await ada.versions('y'));
  });

  test('keeps them also where they went after they were condemned', async () => {
    await using scene = await shared();
    const { share, ada, ben } = scene;
    const week = 7 * 24 * 60 * 60 * 1000;
    expect((await ada.gc({ graceMs: week })).condemned).toBeGreaterThan(0);
    await ben.pull();
    const indexes = await keysOf(new FolderBucket(share), 'idx/');
    for (const pack of await keysOf(new FolderBucket(share), 'packs/'))
      renameSync(join(share, pack), join(share, pack.replace(/^packs/, '+tmp').replaceAll('/', '-')));
    await ada.gc();
    expect(await keysOf(new FolderBucket(share), 'idx/')).toEqual(indexes);
  });
});

describe('two pushes in one repository', () => {
  test('are no conflict with each other: the slower one looks again', async () => {
    await using scene = await sharing();
    const { share, ada } = scene;
    await ada.commit('x', { a: '0' });
    await ada.push();
    await ada.commit('x', { a: '1' });
    let faster: Promise<unknown> | undefined;
    const inner = new FolderBucket(share);
    const slow = new ScriptedBucket(inner);
    // After the pointers were read, before what they lead to is merged with what is here.
    const list = slow.list.bind(slow);
    slow.list = async function* (prefix, options) {
      if (prefix.startsWith('gc/') && faster === undefined) {
        ada.bucket = inner;
        await (faster = ada.push());
      }
      yield* list(prefix, options);
    };
    ada.bucket = slow;
    const pushed = ada.push();
    expect(await pushed).toMatchObject({ renumbered: [] });
    expect(faster).toBeDefined();
    expect(await versionsIn(share, 'x')).toEqual(await ada.versions('x'));
  });
});

describe('a pull beside a pull in one repository', () => {
  test('begins anew where that one was faster, and merges nothing older over what is newer', async () => {
    await using scene = await sharing();
    const { share, ada, ben } = scene;
    await ben.commit('x', { a: '0' });
    await ben.push();
    await ada.pull();
    await ben.commit('x', { a: '1' });
    await ben.push();
    const inner = new FolderBucket(share);
    const slow = new ScriptedBucket(inner);
    const get = slow.get.bind(slow);
    let faster: Promise<unknown> | undefined;
    // After the pointer was read, before what it leads to is here.
    slow.get = async (key, options) => {
      if (key.startsWith('packs/') && faster === undefined) {
        faster = (async () => {
          await ben.remove('x', 0);
          await ben.alias('x:v1', 'prod');
          await ben.commit('x', { a: '2' });
          await ben.push();
          ada.bucket = inner;
          await ada.pull();
        })();
        await faster;
      }
      return get(key, options);
    };
    ada.bucket = slow;
    await ada.pull();
    expect(faster).toBeDefined();
    expect(await ada.versions('x')).toEqual(await ben.versions('x'));
    expect(await ada.push()).toMatchObject({ upToDate: true });
  });
});

describe('a push of nothing new', () => {
  test('says so only of what is there: a pointer that was cut short is named', async () => {
    await using scene = await sharing();
    const { share, ada } = scene;
    await ada.commit('x', { a: '0' });
    await ada.push();
    truncateSync(join(share, 'refs/a/x/2'), 20);
    await expect(ada.push()).rejects.toMatchObject({
      code: 'REMOTE_CORRUPT',
      message: expect.stringContaining('"x"') as string,
    });
  });

  test('looks again where gc has fenced, and is one request from then on', async () => {
    await using scene = await sharing();
    const { ada } = scene;
    await ada.commit('x', { a: '0' });
    await ada.push();
    for (let i = 0; i < 3; i++) await ada.gc();
    expect(await ada.push()).toMatchObject({ upToDate: true });
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
  });

  test('looks whether what others did there has all that is here, and brings none of it', async () => {
    await using scene = await sharing();
    const { ada, ben } = scene;
    await ada.commit('x', { a: '0' });
    await ada.push();
    await ben.pull();
    await ben.commit('x', { a: 'x'.repeat(300_000) });
    await ben.push();
    const again = await ada.push();
    expect(again).toMatchObject({ upToDate: true, objects: 0 });
    expect(again.bytes).toBeLessThan(20_000);
    expect(await ada.versions('x')).toHaveLength(1);
    await ada.pull();
    expect(await ada.push()).toMatchObject({ upToDate: true, requests: 1 });
  });
});
