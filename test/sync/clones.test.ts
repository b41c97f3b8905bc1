import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryBucket } from '#sync';
import { Clone, twoClones } from './scene.ts';

describe('an alias that both moved', () => {
  async function conflict() {
    const clones = await twoClones();
    const { ada, ben } = clones;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ben.pull();
    await ada.commit('cifar', { a: 'ada' });
    await ada.alias('cifar:v1', 'best');
    await ada.push();
    await ben.commit('cifar', { a: 'ben' });
    await ben.alias('cifar:v1', 'best');
    return clones;
  }

  test('stops the push with both sides named, until one is chosen', async () => {
    const { ada, ben } = await conflict();
    await using _a = ada;
    await using _b = ben;
    for (const attempt of [() => ben.push(), () => ben.pull(), () => ben.push()])
      await expect(attempt()).rejects.toMatchObject({
        code: 'ALIAS_CONFLICT',
        exit: 5,
        message: expect.stringMatching(/"best" of "cifar".*here it is v1 .*at origin v1 /) as string,
      });
    await ben.alias('cifar:v1', 'best');
    expect((await ben.push()).renumbered).toEqual([{ name: 'cifar', from: 'v1', to: 'v2' }]);
    await ada.pull();
    expect(await ada.versions('cifar')).toEqual(await ben.versions('cifar'));
    expect((await ada.versions('cifar'))[0]).toContain('v2');
    expect((await ada.versions('cifar'))[0]).toContain('best');
  });

  test('is theirs where ours is taken away', async () => {
    const { ada, ben } = await conflict();
    await using _a = ada;
    await using _b = ben;
    await expect(ben.pull()).rejects.toMatchObject({ code: 'ALIAS_CONFLICT' });
    await ben.scene.in((repository) => repository.removeAliases(['cifar:best']));
    await ben.pull();
    await ben.push();
    await ada.pull();
    expect(await ada.versions('cifar')).toEqual(await ben.versions('cifar'));
    expect((await ben.versions('cifar'))[1]).toContain('best');
  });
});

describe('metadata that both changed', () => {
  const set = ({ scene }: Clone, metadata: Record<string, unknown>, unset: readonly string[] = []) =>
    scene.in((repository) => repository.meta('model:v0', { set: metadata as never, unset }));
  const said = ({ scene }: Clone) =>
    scene.in(async (repository) => (await repository.meta('model:v0')).metadata);
  const history = ({ scene }: Clone) =>
    scene.in(async (repository) => {
      const rows: unknown[] = [];
      for await (const { metadata } of repository.metaHistory('model:v0')) rows.push(metadata);
      return rows;
    });

  async function shared(metadata: Record<string, unknown>) {
    const clones = await twoClones();
    const { ada, ben } = clones;
    await ada.commit('model', { a: '0' });
    await set(ada, metadata);
    await ada.push();
    await ben.pull();
    return clones;
  }

  test.each([
    ['small', 'x'],
    ['large', 'x'.repeat(10_000)],
  ])(
    'has the keys of both, %s: ours of one that both set, and what either took away is gone',
    async (_, note) => {
      const { ada, ben } = await shared({ lr: 1, old: true, gone: 1 });
      await using _a = ada;
      await using _b = ben;
      await set(ada, { acc: 0.9, lr: 2, ada: note }, ['gone']);
      await set(ben, { who: 'ben', lr: 3, ben: note }, ['old']);
      await ada.push();
      await ben.push();
      await ada.pull();
      const both = { lr: 3, acc: 0.9, who: 'ben', ada: note, ben: note };
      const ours = 'was changed here and at origin: what it is here stays';
      expect(ben.scene.warnings).toEqual([`"lr" in the metadata of "model:v0" ${ours}`]);
      expect(ada.scene.warnings).toEqual([]);
      for (const clone of [ada, ben]) {
        expect(await said(clone)).toEqual(both);
        await clone.check();
      }
      expect(await ada.versions('model')).toEqual(await ben.versions('model'));
      expect(await ada.push()).toMatchObject({ upToDate: true });
    },
  );

  test('as descriptions that both changed, is told where one of them is not kept', async () => {
    const { ada, ben } = await shared({});
    await using _a = ada;
    await using _b = ben;
    const describeBoth = ({ scene }: Clone, text: string) =>
      scene.in(async (repository) => {
        await repository.describe('model', text);
        await repository.describe('model:v0', text);
      });
    await describeBoth(ada, 'one');
    await describeBoth(ben, 'two');
    await ben.push();
    await ada.pull();
    const ours = 'was changed here and at origin: what it is here stays';
    expect(ada.scene.warnings).toEqual([
      `the description of "model" ${ours}`,
      `the description of "model:v0" ${ours}`,
    ]);
    await ada.push();
    await ben.pull();
    expect(ben.scene.warnings).toEqual([]);
  });

  test('keeps what it was here, through a pull', async () => {
    const { ada, ben } = await shared({ lr: 1 });
    await using _a = ada;
    await using _b = ben;
    await set(ada, { lr: 2 });
    await set(ben, { who: 'ben' });
    await ben.push();
    await ada.pull();
    expect(await history(ada)).toEqual([{ lr: 2, who: 'ben' }, { lr: 2 }, { lr: 1 }, {}]);
  });
});

describe('a pull', () => {
  test('tells what others took away and moved', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    for (const a of ['0', '1', '2']) await ada.commit('cifar', { a });
    await ada.alias('cifar:v0', 'best', 'gone');
    await ada.push();
    await ben.pull();
    await ada.remove('cifar', 1);
    await ada.alias('cifar:v2', 'best');
    await ada.scene.in((repository) => repository.removeAliases(['cifar:gone']));
    await ada.push();
    const told = {
      deleted: [{ name: 'cifar', renamedTo: null, numbers: [1] }],
      moved: [
        { name: 'cifar', alias: 'best', from: 'v0', to: 'v2' },
        { name: 'cifar', alias: 'gone', from: 'v0', to: null },
      ],
    };
    expect(await ben.pull({ dryRun: true })).toMatchObject(told);
    expect(await ben.pull()).toMatchObject(told);
    expect(await ben.pull()).toMatchObject({ upToDate: true, deleted: [], moved: [] });
  });
});

describe('fetch', () => {
  test('records what is there, merges nothing, and gc keeps it', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ben.pull();
    await ada.commit('cifar', { a: '1' });
    await ada.alias('cifar:v1', 'best');
    await ada.push();
    expect(await ben.fetch()).toMatchObject({ versions: 1, upToDate: false });
    expect(await ben.fetch()).toMatchObject({ versions: 0, upToDate: true, requests: 1 });
    expect(await ben.versions('cifar')).toHaveLength(1);
    await ben.scene.in((repository) => repository.gc({ undoWindowDays: 0 }));
    expect(await ben.contents('cifar:origin/best')).toEqual(await ada.contents('cifar:v1'));
    expect(await ben.contents('cifar:origin/latest')).toEqual(await ada.contents('cifar:v1'));
    await ben.scene.in(async (repository) => {
      const standings: unknown[] = [];
      for await (const standing of repository.standings('cifar')) standings.push(standing);
      expect(standings).toEqual([
        { name: 'cifar', remote: 'origin', ahead: 0, behind: 1, latest: 'v1', unpushed: [] },
      ]);
    });
    await expect(ben.contents('cifar:lab/best')).rejects.toMatchObject({ code: 'ALIAS_NOT_FOUND' });
    expect(await ben.pull()).toMatchObject({ upToDate: false });
    await ben.check();
  });

  test('and a pull say beforehand what they would do, and do nothing', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ben.pull();
    await ada.commit('cifar', { a: '1' });
    await ada.commit('cifar', { a: '2' });
    await ada.push();
    await ben.commit('cifar', { a: 'ben' });
    const dryRun = true;
    expect(await ben.fetch({ dryRun })).toMatchObject({ versions: 2, upToDate: false });
    const would = { versions: 2, renumbered: [{ name: 'cifar', from: 'v1', to: 'v3' }], upToDate: false };
    expect(await ben.pull({ dryRun })).toMatchObject(would);
    const before = await ben.versions('cifar');
    await ben.fetch();
    expect(await ben.fetch({ dryRun })).toMatchObject({ versions: 0, upToDate: true });
    expect(await ben.pull({ dryRun })).toMatchObject({ ...would, requests: 1 });
    expect(await ben.versions('cifar')).toEqual(before);
    expect(await ben.pull()).toMatchObject(would);
    expect(await ben.pull({ dryRun })).toMatchObject({ versions: 0, upToDate: true, requests: 1 });
  });

  test('tells which versions nobody else has', async () => {
    const { ada } = await twoClones();
    await using _a = ada;
    await ada.commit('cifar', { a: '0' });
    await ada.push();
    await ada.commit('cifar', { a: '1' });
    await ada.scene.in(async (repository) => {
      expect([...(await repository.unpushed('cifar'))]).toEqual([1]);
    });
  });
});

describe('two remotes', () => {
  test('that gave one number to two versions are told apart', async () => {
    const [one, two] = [new MemoryBucket(), new MemoryBucket()];
    const ada = await Clone.make(one);
    const ben = await Clone.make(two);
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cifar', { a: 'ada' });
    await ada.push({ remote: 'one' });
    await ben.commit('cifar', { a: 'ben' });
    await ben.push();
    ada.bucket = two;
    await expect(ada.push({ remote: 'two' })).rejects.toMatchObject({ code: 'NUMBERS_DIVERGED', exit: 5 });
    expect(await ada.versions('cifar')).toHaveLength(1);
  });
});

describe('two clones that work offline', () => {
  const act = fc.record({
    who: fc.nat(1),
    what: fc.constantFrom('commit', 'commit', 'commit', 'push', 'pull', 'tag'),
    name: fc.constantFrom('shared', 'other'),
    content: fc.nat(3),
  });

  test('agree on everything after pushing and pulling in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 12 }), async (acts) => {
        const { ada, ben } = await twoClones();
        await using _a = ada;
        await using _b = ben;
        const made = new Set<string>();
        for (const { who, what, name, content } of acts) {
          const clone = who === 0 ? ada : ben;
          if (what === 'commit') {
            await clone.commit(name, { a: `${content}`, by: `${who}`, deep: `${name}` });
            made.add(`${name} ${who} ${content}`);
          } else if (what === 'tag' && (await clone.names()).includes(name)) {
            await clone.alias(`${name}:latest`, `mark-${who}`);
          } else if (what === 'push' && (await clone.names()).length > 0) await clone.push();
          else if (what === 'pull' && (await clone.names()).length > 0 && made.size > 0)
            await clone.pull().catch((error: unknown) => {
              if ((error as { code?: string }).code !== 'REMOTE_EMPTY') throw error;
            });
        }
        if (made.size === 0) return;
        for (let round = 0; round < 2; round++) {
          for (const clone of [ada, ben]) if ((await clone.names()).length > 0) await clone.push();
          for (const clone of [ada, ben]) await clone.pull();
        }
        expect(await ben.names()).toEqual(await ada.names());
        const contents = new Set<string>();
        for (const name of await ada.names()) {
          const versions = await ada.versions(name);
          expect(await ben.versions(name)).toEqual(versions);
          for (const line of versions) {
            const spec = `${name}:${line.split(' ')[0]}`;
            const there = await ben.contents(spec);
            expect(there).toEqual(await ada.contents(spec));
            const text = (key: string) => Buffer.from(there[key].slice(2), 'base64').toString();
            contents.add(`${name} ${text('by')} ${text('a')}`);
          }
        }
        expect([...contents].sort()).toEqual([...made].sort());
        await ada.check();
      }),
      { numRuns: Number(process.env['ART_SYNC_RUNS'] ?? 3) },
    );
  }, 120_000);
});
