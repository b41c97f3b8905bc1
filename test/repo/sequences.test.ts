import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isArtError } from '#base';
import { initRepository, layoutOf } from '#repo';
import { MemoryStore } from '#store';
import { findArtifact } from '../../src/repo/operation.ts';
import { listVersions, parseArtifactName } from '#version';
import { putAliases, removeAliases } from '../../src/repo/aliases.ts';
import { commit } from '../../src/repo/commit.ts';
import type { Context } from '../../src/repo/context.ts';
import { deleteVersions } from '../../src/repo/delete.ts';
import { describe } from '../../src/repo/describe.ts';
import { getCommit } from '../../src/repo/find.ts';
import { list } from '../../src/repo/look.ts';
import { metadataOf } from '../../src/repo/set-metadata.ts';
import { changeMetadata } from '../../src/repo/metadata.ts';
import { operationRows } from '../../src/repo/operations.ts';
import { rename } from '../../src/repo/rename.ts';
import { tag } from '../../src/repo/tags.ts';
import { undo } from '../../src/repo/undo.ts';
import { Refused, Shadow, text } from './shadow.ts';
import type { ShadowArtifact, ShadowVersion } from './shadow.ts';

const SEQUENCES = Number(process.env['ART_SEQUENCES'] ?? 25);
const SEED = Number(process.env['ART_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = 30;
const CONTENTS = 4;
const NAMES = ['a', 'b', 'c', 'B'];
const ALIASES = ['best', 'prod'];
const TAGS = ['x', 'y'];
const USERS = ['ada', 'bob', 'eve'];

const root = mkdtempSync(join(tmpdir(), 'art-sequences-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** How often each kind of operation ended how: a campaign that only fails shows nothing. */
const OUTCOMES = new Map<string, number>();

/** mulberry32: small, fast, and the same everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let at = seed;
  return (below) => {
    at = (at + 0x6d2b79f5) | 0;
    let t = Math.imul(at ^ (at >>> 15), at | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** One sequence: what is done to the repository, and what it should do. */
class Sequence {
  readonly shadow = new Shadow();
  readonly done: string[] = [];
  readonly #store = new MemoryStore();
  readonly #contents: readonly string[];
  readonly #random: (below: number) => number;
  #time = Date.UTC(2026, 0, 1);

  constructor(seed: number, contents: readonly string[]) {
    this.#random = randomFrom(seed);
    this.#contents = contents;
  }

  async step(): Promise<void> {
    const by = {
      user: this.#one(USERS.slice(0, 1 + this.#random(USERS.length))),
      run: this.#random(12) === 0 ? 'r1' : null,
    };
    const context = this.#context(by);
    const { said, does, should } = this.#action(context, by);
    this.done.push(`${by.user}${by.run === null ? '' : ' in a run'}: ${said}`);
    const wanted = outcome(should);
    const found = await outcomeOf(does);
    expect(found).toBe(wanted);
    const told = `${said.split(' ')[0]} ${found}`;
    OUTCOMES.set(told, (OUTCOMES.get(told) ?? 0) + 1);
    await this.check(context);
    if (this.done.length % 10 === 0) await this.checkLog(context);
  }

  /** Every artifact is what the shadow says. */
  async check(context: Context): Promise<void> {
    for (const name of NAMES) {
      const found = await this.#found(context, name);
      const { identity: _, ...wanted } = this.shadow.artifacts.get(name) ?? {};
      expect(text(found ?? {})).toBe(text(wanted));
    }
  }

  /** So are what is listed, and the operation log. */
  async checkLog(context: Context): Promise<void> {
    expect((await list(context)).map(({ name }) => name).sort()).toEqual(this.shadow.names());
    let at = this.shadow.log.length;
    for await (const { id, user, run, undone } of operationRows(this.#store)) {
      const { undoes: _, changes: __, ...logged } = this.shadow.log[--at];
      expect({ id, user, run, undone }).toEqual({ ...logged, undone: this.shadow.isUndone(id) });
    }
    expect(at).toBe(0);
  }

  async #found(context: Context, name: string): Promise<ShadowArtifact | undefined> {
    const artifact = await findArtifact(this.#store, parseArtifactName(name));
    if (artifact === undefined) return undefined;
    const { type, description, tags, aliases, next, versionCount, tombstoneCount } = artifact.state;
    const versions: Record<number, ShadowVersion> = {};
    for await (const batch of listVersions(this.#store, artifact)) {
      for (const version of batch) {
        const made = await getCommit(context.store, version.commit);
        versions[version.number] = {
          content: made.bytes - 1,
          tags: [...version.tags],
          metadata: await metadataOf(this.#store, version.metadata ?? made.metadata),
          description: version.description ?? '',
        };
      }
    }
    // Every number below the next one is alive or has a tombstone.
    expect([versionCount, tombstoneCount]).toEqual([
      Object.keys(versions).length,
      next - Object.keys(versions).length,
    ]);
    return { type, description, tags: [...tags], aliases: Object.fromEntries(aliases), versions, next };
  }

  #context({ user, run }: { user: string; run: string | null }): Context {
    return {
      ...layoutOf(root),
      store: this.#store,
      author: user,
      host: 'here',
      command: 'test',
      run,
      now: () => (this.#time += 1000),
      folder: root,
      artifactsFolder: 'artifacts',
    };
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#random(of.length)];
  }

  #action(context: Context, by: { user: string; run: string | null }): Action {
    // Mostly what is there: the rest is soon told.
    const living = this.shadow.names();
    const name = this.#one(living.length > 0 && this.#random(4) > 0 ? living : NAMES);
    const number = this.#random(4);
    const spec = `${name}:v${number}`;
    const { shadow } = this;
    const operate = (work: () => void) => () => shadow.operate(by, work);
    switch (this.#random(13)) {
      case 0:
      case 1:
      case 2:
        return this.#commit(context, by, name);
      case 3: {
        const alias = this.#one(ALIASES);
        return {
          said: `alias ${spec} ${alias}`,
          does: () => putAliases(context, spec, [alias]),
          should: operate(() => {
            shadow.version(name, number);
            shadow.live(name).aliases[alias] = number;
          }),
        };
      }
      case 4: {
        const alias = this.#one(ALIASES);
        return {
          said: `alias --remove ${name}:${alias}`,
          does: () => removeAliases(context, [`${name}:${alias}`]),
          should: operate(() => {
            const { aliases } = shadow.live(name);
            if (aliases[alias] === undefined) throw new Refused('ALIAS_NOT_FOUND');
            delete aliases[alias];
          }),
        };
      }
      case 5:
      case 6: {
        const [one, remove, artifact] = [this.#one(TAGS), this.#random(3) === 0, this.#random(3) === 0];
        const target = artifact ? name : spec;
        return {
          said: `tag ${target} ${one}${remove ? ' --remove' : ''}`,
          does: () => tag(context, { target, tags: [one], remove, artifact }),
          should: operate(() => {
            const tagged = artifact ? shadow.live(name) : shadow.version(name, number);
            const others = tagged.tags.filter((other) => other !== one);
            tagged.tags = remove ? others : [...others, one].sort();
          }),
        };
      }
      case 7: {
        const value = this.#random(3);
        const unset = this.#random(4) === 0;
        return {
          said: `meta ${spec} ${unset ? '--unset k' : `k=${value}`}`,
          does: () => changeMetadata(context, spec, unset ? { unset: ['k'] } : { set: { k: value } }),
          should: operate(() => {
            const { metadata } = shadow.version(name, number);
            if (unset && !('k' in metadata)) throw new Refused('METADATA_KEY_NOT_FOUND');
            if (unset) delete metadata['k'];
            else metadata['k'] = value;
          }),
        };
      }
      case 8: {
        const artifact = this.#random(2) === 0;
        const said = this.#one(['', 'one', 'two']);
        return {
          said: `describe ${artifact ? name : spec} "${said}"`,
          does: () => describe(context, artifact ? name : spec, said),
          should: operate(() => {
            (artifact ? shadow.live(name) : shadow.version(name, number)).description = said;
          }),
        };
      }
      case 9: {
        const to = this.#one(NAMES);
        const type = this.#random(2) === 0 ? this.#one(['dataset', 'model']) : undefined;
        return {
          said: `rename ${name} ${to}${type === undefined ? '' : ` --type ${type}`}`,
          does: () => rename(context, { name, to, ...(type !== undefined && { type }) }),
          should: operate(() => {
            if (name === to && type === undefined) throw new Refused('NAME_TAKEN');
            const artifact = shadow.live(name);
            if (name !== to && name.toLowerCase() === to.toLowerCase()) throw new Refused('NAME_TAKEN');
            if (type !== undefined) artifact.type = type;
            if (name !== to) shadow.rename(name, to);
          }),
        };
      }
      case 10:
        return this.#delete(context, by, name, number);
      case 11:
        return { said: 'undo', does: () => undo(context), should: () => shadow.undo(by, undefined) };
      default: {
        const newest = shadow.log.length;
        const operation = Math.max(0, newest + 1 - this.#random(this.#random(2) === 0 ? 4 : newest + 2));
        return {
          said: `undo ${operation}`,
          does: () => undo(context, { operation }),
          should: () => shadow.undo(by, operation),
        };
      }
    }
  }

  #commit(context: Context, by: { user: string; run: string | null }, name: string): Action {
    const content = this.#random(CONTENTS);
    const aliases = this.#random(4) === 0 ? [this.#one(ALIASES)] : [];
    const tags = this.#random(4) === 0 ? [this.#one(TAGS)] : [];
    const { shadow } = this;
    const request = { name, paths: [this.#contents[content]], bind: false, aliases, tags };
    return {
      said: `commit ${name} ${content} ${[...aliases, ...tags].join(' ')}`,
      does: () => commit(context, request),
      should: () =>
        shadow.operate(by, () => {
          const artifact = shadow.artifacts.get(name) ?? shadow.create(name);
          const latest = Math.max(-1, ...Object.keys(artifact.versions).map(Number));
          if (latest < 0) Object.assign(artifact, { description: '', tags: [] });
          const isNew = latest < 0 || artifact.versions[latest].content !== content;
          const number = isNew ? artifact.next++ : latest;
          if (isNew) artifact.versions[number] = { content, tags: [], metadata: {}, description: '' };
          const version = artifact.versions[number];
          version.tags = [...new Set([...version.tags, ...tags])].sort();
          for (const alias of aliases) artifact.aliases[alias] = number;
        }),
    };
  }

  #delete(context: Context, by: { user: string; run: string | null }, name: string, number: number): Action {
    const all = this.#random(4) === 0;
    const [force, exceptAliased] = [this.#random(2) === 0, this.#random(4) === 0];
    const until = number + this.#random(3);
    const target = all ? name : until === number ? `${name}:v${number}` : `${name}:v${number}..v${until}`;
    const { shadow } = this;
    return {
      said: `delete ${target}${all ? ' --all' : ''}${force ? ' --force' : ''}${exceptAliased ? ' --except-aliased' : ''}`,
      does: () => deleteVersions(context, { targets: [target], all, force, exceptAliased }),
      should: () =>
        shadow.operate(by, () => {
          const { versions, aliases } = shadow.live(name);
          const meant = Object.keys(versions)
            .map(Number)
            .filter((one) => all || (one >= number && one <= until));
          if (meant.length === 0) throw new Refused('VERSION_NOT_FOUND');
          const named = new Set(Object.values(aliases));
          const gone = exceptAliased ? meant.filter((one) => !named.has(one)) : meant;
          if (!force && gone.some((one) => named.has(one))) throw new Refused('VERSION_NAMED');
          for (const one of gone) delete versions[one];
          for (const [alias, one] of Object.entries(aliases)) if (gone.includes(one)) delete aliases[alias];
        }),
    };
  }
}

interface Action {
  readonly said: string;
  readonly does: () => Promise<unknown>;
  readonly should: () => void;
}

function outcome(should: () => void): string {
  try {
    should();
    return 'done';
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

async function outcomeOf(does: () => Promise<unknown>): Promise<string> {
  try {
    await does();
    return 'done';
  } catch (error) {
    if (isArtError(error)) return error.code;
    throw error;
  }
}

test(
  `any operations of several users, undone and redone, leave what a plain model says (ART_SEED=${SEED})`,
  async () => {
    await initRepository(root);
    const contents = Array.from({ length: CONTENTS }, (_, i) => join(root, `content-${i}`));
    contents.forEach((folder, i) => {
      mkdirSync(folder);
      // The length tells the content: one byte more each.
      writeFileSync(join(folder, 'file'), 'x'.repeat(i + 1));
    });
    const { stat } = layoutOf(root);
    for (let i = 0; i < SEQUENCES; i++) {
      // The stat cache knows the store of the sequence before.
      rmSync(stat, { recursive: true });
      mkdirSync(stat);
      const sequence = new Sequence(SEED + i, contents);
      try {
        for (let step = 0; step < STEPS; step++) await sequence.step();
      } catch (error) {
        const shown = sequence.done.map((line, at) => `${at + 1}. ${line}`).join('\n');
        throw new Error(`ART_SEED=${SEED + i} ART_SEQUENCES=1:\n${shown}`, { cause: error });
      }
    }
    if (SEQUENCES < 1000) return;
    const told = [...OUTCOMES].sort().map(([what, times]) => `${what}: ${times}`);
    console.log(
      [`${SEQUENCES} sequences of ${STEPS} steps, no difference; seed ${SEED}`, ...told].join('\n'),
    );
  },
  30_000 + SEQUENCES * 2000,
);
