/** Two clones do anything to the same artifacts offline, push and pull in any order, and end with the same history. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError } from '#base';
import { Clone, twoClones } from './scene.ts';

/** Many by hand: `ART_ORDER_RUNS=300 npx vitest run … test/sync/clones-any-order.test.ts`. */
const RUNS = Number(process.env['ART_ORDER_RUNS'] ?? 4);
/**
 * Off until it holds: an artifact that was pushed and renamed, and another committed under its old name, is told that the
 * remote was rewritten.
 */
const RENAMES = process.env['ART_ORDER_RENAMES'] === '1';
const SEED = Number(process.env['ART_ORDER_SEED'] ?? Date.now() % 1_000_000);
const NAMES = ['cats', 'cats', 'dogs'];
const DEEDS = [
  ...['commit', 'commit', 'commit', 'push', 'push', 'pull', 'pull', 'fetch'],
  ...['alias', 'unalias', 'tag', 'untag', 'meta', 'describe'],
  ...['delete', 'delete', 'deleteAll', 'undo', 'undo', 'gc', RENAMES ? 'rename' : 'fetch'],
] as const;
/** What a person may be told instead, and would settle or leave. */
const TOLD = new Set([
  ...['ARTIFACT_NOT_FOUND', 'VERSION_NOT_FOUND', 'ALIAS_NOT_FOUND', 'OPERATION_NOT_FOUND'],
  ...['METADATA_KEY_NOT_FOUND', 'REMOTE_EMPTY', 'NAME_TAKEN', 'ALIAS_CONFLICT', 'DELETE_CONFLICT'],
  ...['UNDO_REFUSED', 'UNDO_UNCLEAR', 'UNDO_GONE'],
]);
const SETTLING_ROUNDS_MAX = 12;

const act = fc.record({
  who: fc.nat(1),
  deed: fc.constantFrom(...DEEDS),
  name: fc.constantFrom(...NAMES),
  /** Which content, version, alias or key. */
  pick: fc.nat(5),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

let steps = 0;

/** Carries out one of them; what a person may be told is given, anything else raised. */
async function perform(clone: Clone, { who, deed, name, pick }: Act): Promise<void> {
  const { scene } = clone;
  const versions = (await clone.names()).includes(name) ? await clone.versions(name) : [];
  const row = versions[pick % Math.max(1, versions.length)];
  if (row === undefined && !['commit', 'push', 'pull', 'fetch', 'undo', 'gc'].includes(deed)) return;
  const spec = `${name}:${row?.split(' ')[0]}`;
  steps++;
  switch (deed) {
    case 'commit':
      return void (await clone.commit(name, { a: `${pick}`, by: `${who} ${steps % 7}`, deep: name }));
    case 'push':
      return void (await clone.push());
    case 'pull':
      return void (await clone.pull());
    case 'fetch':
      return void (await clone.fetch());
    case 'alias':
      return void (await clone.alias(spec, `mark-${pick % 2}`));
    case 'unalias':
      return void (await scene.in((it) => it.removeAliases([`${name}:mark-${pick % 2}`])));
    case 'tag':
      return void (await scene.in((it) => it.tag({ target: spec, tags: [`tag-${pick}`] })));
    case 'untag':
      return void (await scene.in((it) => it.tag({ target: spec, tags: [`tag-${pick}`], remove: true })));
    case 'meta':
      return void (await scene.in((it) => it.meta(spec, { set: { [`key-${pick % 3}`]: steps } })));
    case 'describe':
      return void (await scene.in((it) => it.describe(name, `said in step ${steps}`)));
    case 'delete':
      return void (await scene.in((it) => it.delete({ targets: [spec], force: true })));
    case 'deleteAll':
      return void (await scene.in((it) => it.delete({ targets: [name], all: true, force: true })));
    case 'undo':
      return void (await scene.in((it) => it.undo()));
    case 'rename':
      return void (await scene.in((it) => it.rename({ name, to: `${name}-${pick % 2}` })));
    case 'gc':
      return void (await scene.in((it) => it.gc()));
  }
}

async function told(work: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isArtError(error) && TOLD.has(error.code)) return `${error.code} ${error.message}`;
    throw error;
  }
}

/** All commits of a clone, whatever their artifact is called. */
async function commitsOf(clone: Clone): Promise<Set<string>> {
  return clone.scene.in(async (repository) => {
    const cids = new Set<string>();
    for (const { name } of await repository.list())
      for await (const { cid } of repository.log(name)) cids.add(cid);
    return cids;
  });
}

async function everythingOf(clone: Clone): Promise<unknown> {
  const history = await clone.scene.in(async (repository) => {
    const rows: unknown[] = [];
    for (const { name } of await repository.list()) {
      const { description, tags } = (await repository.show(name)) as { description: unknown; tags: unknown };
      rows.push({ name, description, tags });
      for await (const { version, cid, aliases, tags } of repository.log(name)) {
        const { metadata } = await repository.meta(`${name}:${version}`);
        rows.push({ name, version, cid, aliases, tags, metadata });
      }
    }
    return rows as { readonly name: string; readonly version?: string }[];
  });
  const contents: unknown[] = [];
  for (const { name, version } of history)
    if (version !== undefined) contents.push(await clone.contents(`${name}:${version}`));
  return { history, contents };
}

/** As both would do it: theirs is taken where an alias stands in the way. */
async function settle(clones: readonly Clone[], problem: string): Promise<void> {
  const alias = /(?:alias|the alias) "(mark-\d)"/.exec(problem)?.[1];
  const name = /(?:of "|^DELETE_CONFLICT ")([a-z0-9-]+)/.exec(problem)?.[1];
  for (const clone of clones)
    await told(() => clone.scene.in((repository) => repository.removeAliases([`${name}:${alias}`])));
}

async function agree(clones: readonly Clone[]): Promise<void> {
  let problems: string[] = [];
  for (let round = 0; round < SETTLING_ROUNDS_MAX; round++) {
    problems = [];
    for (const clone of [...clones, ...clones])
      for (const work of [() => clone.pull(), () => clone.push()]) {
        const problem = await told(work);
        if (problem === undefined || problem.startsWith('REMOTE_EMPTY')) continue;
        problems.push(problem);
        await settle(/deleted here/.test(problem) ? clones : [clone], problem);
      }
    if (problems.length === 0) return;
  }
  throw new Error(`they never agree: ${problems.join('\n')}`);
}

async function play(acts: readonly Act[]): Promise<void> {
  const { ada, ben } = await twoClones();
  await using _a = ada;
  await using _b = ben;
  const clones = [ada, ben];
  for (const content of ['one', 'two']) await ada.commit('cats', { a: content, by: 'ada' });
  await ada.push();
  await ben.pull();
  const made = new Set<string>();
  /** What somebody took away, here or there, at any time: it may be there in the end or not. */
  const given = new Set<string>();
  for (const one of acts) {
    const clone = clones[one.who];
    const before = await commitsOf(clone);
    await told(() => perform(clone, one));
    const after = await commitsOf(clone);
    for (const cid of after) made.add(cid);
    // What goes with a pull was taken away by the other one.
    for (const cid of before) if (!after.has(cid)) given.add(cid);
  }
  await agree(clones);
  const [hers, his] = [await everythingOf(ada), await everythingOf(ben)];
  expect(his).toEqual(hers);
  const there = await commitsOf(ada);
  expect([...made].filter((cid) => !there.has(cid) && !given.has(cid))).toEqual([]);
  for (const clone of clones) {
    await clone.check();
    expect(await clone.push()).toMatchObject({ upToDate: true, requests: 1 });
  }
}

test(
  `two clones agree on everything, whatever they did before (seed ${SEED})`,
  { timeout: 60_000 + RUNS * 60_000 },
  async () => {
    await fc.assert(fc.asyncProperty(fc.array(act, { minLength: 8, maxLength: 40 }), play), {
      numRuns: RUNS,
      seed: SEED,
    });
    if (RUNS > 10) console.log(`${RUNS} histories of ${steps} steps`);
  },
);
