import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError } from '#base';
import type { Digest } from '#object';
import {
  addProducer,
  addTags,
  addVersion,
  aliasesByNumber,
  editVersion,
  findLatest,
  findTombstone,
  findVersion,
  findVersionOfCommit,
  listVersions,
  loadArtifact,
  newArtifact,
  parseAlias,
  parseArtifactName,
  parseTag,
  parseTypeName,
  removeAlias,
  removeTags,
  removeVersions,
  saveArtifact,
  setAlias,
} from '#version';
import type { Artifact, ListOptions, Version } from '#version';
import { NodeMemory, digestOf } from './node-memory.ts';

const BY = { who: 'mia', when: Date.UTC(2024, 1, 2) };

function empty(): Artifact {
  return newArtifact({ name: parseArtifactName('cifar'), type: parseTypeName('dataset') });
}

async function withVersions(io: NodeMemory, count: number): Promise<Artifact> {
  let artifact = empty();
  for (let i = 0; i < count; i++) {
    ({ artifact } = await addVersion(io, artifact, { commit: digestOf(i), bytes: i }));
  }
  return artifact;
}

async function listed(io: NodeMemory, artifact: Artifact, options?: ListOptions): Promise<Version[]> {
  const versions: Version[] = [];
  for await (const batch of listVersions(io, artifact, options)) versions.push(...batch);
  return versions;
}

interface Model {
  next: number;
  readonly live: Map<number, { commit: Digest; bytes: number; tags: Set<string>; producers: string[] }>;
  readonly aliases: Map<string, number>;
  readonly dead: Set<number>;
}

const number = fc.nat(7);
const alias = fc.constantFrom('best', 'prod', '__proto__', 'constructor', 'ü😀').map(parseAlias);
const tags = fc.subarray(['x', 'y', 'two words', '\uffff', '😀'].map(parseTag));
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), bytes: fc.nat(), tags }) },
  fc.record({ do: fc.constant('remove' as const), number }),
  fc.record({ do: fc.constant('alias' as const), alias, number }),
  fc.record({ do: fc.constant('unalias' as const), alias }),
  fc.record({ do: fc.constant('tag' as const), number, tags }),
  fc.record({ do: fc.constant('untag' as const), number, tags }),
  fc.record({ do: fc.constant('producer' as const), number, run: fc.constantFrom('r1', 'r2') }),
  fc.record({ do: fc.constant('save' as const) }),
);

test('any edits do what they do to a plain map: no number comes twice, the newest is the newest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const io = new NodeMemory();
      const model: Model = { next: 0, live: new Map(), aliases: new Map(), dead: new Set() };
      let artifact = empty();
      const attempt = async (known: boolean, code: string, edit: () => Artifact | Promise<Artifact>) => {
        const before = artifact.state;
        try {
          artifact = await edit();
          expect(known).toBe(true);
        } catch (error) {
          if (!isArtError(error)) throw error;
          expect([known, error.code]).toEqual([false, code]);
          expect(artifact.state).toBe(before);
        }
      };
      for (const [i, at] of steps.entries()) {
        const version = 'number' in at ? model.live.get(at.number) : undefined;
        const known = version !== undefined;
        switch (at.do) {
          case 'add': {
            const added = await addVersion(io, artifact, {
              commit: digestOf(i),
              bytes: at.bytes,
              tags: at.tags,
            });
            expect(added.number).toBe(model.next);
            model.live.set(model.next++, {
              commit: digestOf(i),
              bytes: at.bytes,
              tags: new Set(at.tags),
              producers: [],
            });
            artifact = added.artifact;
            break;
          }
          case 'remove':
            await attempt(known, 'VERSION_NOT_FOUND', () => removeVersions(io, artifact, [at.number], BY));
            if (model.live.delete(at.number)) model.dead.add(at.number);
            for (const [name, to] of model.aliases) if (to === at.number) model.aliases.delete(name);
            break;
          case 'alias':
            await attempt(known, 'VERSION_NOT_FOUND', () => setAlias(io, artifact, at.alias, at.number));
            if (known) model.aliases.set(at.alias, at.number);
            break;
          case 'unalias':
            await attempt(model.aliases.has(at.alias), 'ALIAS_NOT_FOUND', () =>
              removeAlias(artifact, at.alias),
            );
            model.aliases.delete(at.alias);
            break;
          case 'tag':
            await attempt(known, 'VERSION_NOT_FOUND', () => addTags(io, artifact, at.number, at.tags));
            for (const tag of at.tags) version?.tags.add(tag);
            break;
          case 'untag':
            await attempt(known, 'VERSION_NOT_FOUND', () => removeTags(io, artifact, at.number, at.tags));
            for (const tag of at.tags) version?.tags.delete(tag);
            break;
          case 'producer':
            await attempt(known, 'VERSION_NOT_FOUND', () => addProducer(io, artifact, at.number, at.run));
            if (version && !version.producers.includes(at.run)) version.producers.push(at.run);
            break;
          case 'save':
            artifact = await loadArtifact(io, saveArtifact(io, artifact).saved);
        }
      }
      const found = await listed(io, artifact);
      expect(found).toEqual(
        [...model.live].map(([live, { commit, bytes, tags: tagged, producers }]) => ({
          number: live,
          commit,
          bytes,
          tags: [...tagged].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
          producers,
          ttl: null,
        })),
      );
      expect(await listed(io, artifact, { newestFirst: true })).toEqual([...found].reverse());
      expect(await findLatest(io, artifact)).toEqual(found.at(-1));
      expect(new Map(artifact.state.aliases)).toEqual(model.aliases);
      const byNumber = [...aliasesByNumber(artifact)].flatMap(([to, names]) =>
        names.map((name) => [name, to]),
      );
      expect(new Map(byNumber as [string, number][])).toEqual(model.aliases);
      for (let i = 0; i < model.next; i++) {
        expect((await findVersion(io, artifact, i))?.number).toBe(model.live.has(i) ? i : undefined);
        expect((await findTombstone(io, artifact, i))?.number).toBe(model.dead.has(i) ? i : undefined);
      }
      expect(artifact.state).toMatchObject({
        next: model.next,
        versionCount: model.live.size,
        tombstoneCount: model.dead.size,
        bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
      });
    }),
    { numRuns: 150 },
  );
});

test('all edits between two saves are one link of the chain of states', async () => {
  const io = new NodeMemory();
  const first = saveArtifact(io, await withVersions(io, 2));
  expect(first.state.previous).toBeNull();
  let artifact = await setAlias(io, first, parseAlias('best'), 1);
  artifact = await addTags(io, artifact, 0, [parseTag('x')]);
  const second = saveArtifact(io, artifact);
  expect(second.state.previous).toEqual(first.saved);
  expect(await loadArtifact(io, second.saved)).toEqual(second);
  expect((await loadArtifact(io, first.saved)).state.aliases.size).toBe(0);
});

test('equal histories are equal states', async () => {
  const make = async (tagsInOrder: readonly string[]) => {
    const io = new NodeMemory();
    const artifact = await withVersions(io, 3);
    return saveArtifact(io, await addTags(io, artifact, 1, tagsInOrder.map(parseTag))).saved;
  };
  expect(await make(['b', 'a', 'b'])).toEqual(await make(['a', 'b']));
});

test('what is said about a version can be larger than its entry holds', async () => {
  const io = new NodeMemory();
  let artifact = await withVersions(io, 3);
  const description = 'long '.repeat(10_000);
  artifact = await editVersion(io, artifact, 1, (value) => ({ ...value, description }));
  expect((await findVersion(io, artifact, 1))?.description).toBe(description);
  expect((await listed(io, artifact)).map((version) => version.description)).toEqual([
    undefined,
    description,
    undefined,
  ]);
});

test('more tags or aliases than an artifact can hold are refused by name', async () => {
  const io = new NodeMemory();
  let artifact = await withVersions(io, 1);
  const many = Array.from({ length: 257 }, (_, i) => parseTag(`t${i}`));
  await expect(addTags(io, artifact, 0, many)).rejects.toThrow('at most 256 tags');
  artifact = {
    ...artifact,
    state: { ...artifact.state, aliases: new Map(Array.from({ length: 2048 }, (_, i) => [`a${i}`, 0])) },
  };
  await expect(setAlias(io, artifact, parseAlias('more'), 0)).rejects.toThrow('at most 2048 aliases');
  await expect(setAlias(io, artifact, parseAlias('a7'), 0)).resolves.toBeDefined();
});

test('the newest of many versions is found by reading few nodes', async () => {
  const io = new NodeMemory();
  const artifact = await withVersions(io, 5000);
  const readsOf = async (action: () => Promise<unknown>) => {
    io.reads = 0;
    await action();
    return io.reads;
  };
  expect(await readsOf(() => findLatest(io, artifact))).toBeLessThanOrEqual(6);
  expect(await readsOf(() => findVersion(io, artifact, 17))).toBeLessThanOrEqual(4);
  expect(await readsOf(() => listed(io, artifact, { newestFirst: true, limit: 20 }))).toBeLessThanOrEqual(6);
  expect(await readsOf(() => findVersionOfCommit(io, artifact, digestOf(9), 9))).toBeLessThanOrEqual(4);
  expect(
    await readsOf(() => addVersion(io, artifact, { commit: digestOf('x'), bytes: 1 })),
  ).toBeLessThanOrEqual(6);
  const all = await listed(io, artifact, { newestFirst: true });
  expect(all.map((version) => version.number)).toEqual(Array.from({ length: 5000 }, (_, i) => 4999 - i));
});

test('lists skip wide gaps, page by number and stop at their limit', async () => {
  const io = new NodeMemory();
  let artifact = await withVersions(io, 40);
  // As an undo or a merge may leave it: few versions, far apart.
  for (const next of [2 ** 20, 2 ** 33, 2 ** 52]) {
    artifact = { ...artifact, state: { ...artifact.state, next } };
    ({ artifact } = await addVersion(io, artifact, { commit: digestOf(next), bytes: 1 }));
  }
  artifact = { ...artifact, state: { ...artifact.state, next: Number.MAX_SAFE_INTEGER } };
  io.reads = 0;
  expect((await findLatest(io, artifact))?.number).toBe(2 ** 52);
  expect(io.reads).toBeLessThan(100);
  const numbers = async (options: ListOptions) =>
    (await listed(io, artifact, options)).map((version) => version.number);
  expect(await numbers({ newestFirst: true, limit: 5 })).toEqual([2 ** 52, 2 ** 33, 2 ** 20, 39, 38]);
  expect(await numbers({ newestFirst: true, before: 2 ** 33, limit: 2 })).toEqual([2 ** 20, 39]);
  expect(await numbers({ before: 3 })).toEqual([0, 1, 2]);
  expect(await numbers({ limit: 2 })).toEqual([0, 1]);
  expect(await numbers({ limit: 0 })).toEqual([]);
});

test('a dense stretch far below the newest is listed whole', async () => {
  const io = new NodeMemory();
  let artifact = await withVersions(io, 3000);
  artifact = { ...artifact, state: { ...artifact.state, next: 1_000_000 } };
  const all = await listed(io, artifact, { newestFirst: true });
  expect(all.map((version) => version.number)).toEqual(Array.from({ length: 3000 }, (_, i) => 2999 - i));
});

test('a commit is found where it once was, and where it went', async () => {
  const io = new NodeMemory();
  const artifact = await withVersions(io, 300);
  expect((await findVersionOfCommit(io, artifact, digestOf(9)))?.number).toBe(9);
  expect((await findVersionOfCommit(io, artifact, digestOf(9), 12))?.number).toBe(9);
  expect((await findVersionOfCommit(io, artifact, digestOf(9), 9999))?.number).toBe(9);
  expect(await findVersionOfCommit(io, artifact, digestOf('other'), 9)).toBeUndefined();
  expect(await findVersionOfCommit(io, empty(), digestOf(9), 9)).toBeUndefined();
});
