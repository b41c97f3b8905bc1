/** Plays one random sequence of operations on a store, and says after each step what a shadow says it should be. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { isArtError } from '#base';
import type { ObjectStore } from '#store';
import { entries } from '#tree';
import { listVersions, parseArtifactName } from '#version';
import { putAliases, removeAliases } from '../../src/repo/aliases.ts';
import { commit } from '../../src/repo/commit.ts';
import type { CommitRequest } from '../../src/repo/commit-request.ts';
import type { Context } from '../../src/repo/context.ts';
import { deleteVersions } from '../../src/repo/delete.ts';
import { describe } from '../../src/repo/describe.ts';
import { getCommit } from '../../src/repo/find.ts';
import type { Layout } from '../../src/repo/layout.ts';
import { list } from '../../src/repo/look.ts';
import { changeMetadata } from '../../src/repo/metadata.ts';
import { findArtifact } from '../../src/repo/operation.ts';
import { operationRows } from '../../src/repo/operations.ts';
import { rename } from '../../src/repo/rename.ts';
import { metadataOf } from '../../src/repo/set-metadata.ts';
import { tag } from '../../src/repo/tags.ts';
import { undo } from '../../src/repo/undo.ts';
import { Refused, Shadow, filesOf, laid, text, textOfFiles } from './shadow.ts';
import type { Files, ShadowArtifact, ShadowVersion } from './shadow.ts';

const NAMES = ['a', 'b', 'c', 'B'];
const ALIASES = ['best', 'prod'];
const TAGS = ['x', 'y'];
const USERS = ['ada', 'bob', 'eve'];
const DRAFTS = ['p', 'q'];
const DESTS = ['file', 'x', 'y/z'];

interface By {
  readonly user: string;
  readonly run: string | null;
}

interface Action {
  readonly said: string;
  readonly does: () => Promise<unknown>;
  readonly should: () => void;
}

/** A word that names a version, and the number that it means. */
interface Spec {
  readonly text: string;
  readonly find: () => number;
}

/** What a commit says of its version. */
interface Said {
  readonly text: string;
  readonly request: Pick<CommitRequest, 'aliases' | 'tags' | 'metadata'>;
  readonly apply: (name: string, version: ShadowVersion, number: number) => void;
}

export interface Stage {
  readonly layout: Layout;
  readonly store: ObjectStore;
  /** Folders that each hold `file` alone, whose length is the place in this list plus 1. */
  readonly contents: readonly string[];
  /** Called with what was done and how it ended. */
  readonly tell: (outcome: string) => void;
}

export class Sequence {
  readonly shadow = new Shadow();
  readonly done: string[] = [];
  readonly #stage: Stage;
  readonly #random: (below: number) => number;
  /** The shadow's number of each commit that was seen, by its digest. */
  readonly #commits = new Map<string, number>();
  #time = Date.UTC(2026, 0, 1);

  constructor(seed: number, stage: Stage) {
    this.#random = randomFrom(seed);
    this.#stage = stage;
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
    this.#stage.tell(`${said.split(' ')[0]} ${found}`);
    await this.check();
    if (this.done.length % 10 === 0) await this.checkLog(context);
  }

  /** Every artifact is what the shadow says. */
  async check(): Promise<void> {
    for (const name of NAMES) {
      const { identity: _, ...wanted } = this.shadow.artifacts.get(name) ?? {};
      const found = await this.#found(name);
      expect(text(found ?? {})).toBe(text(wanted));
    }
  }

  /** So are what is listed, and the operation log. */
  async checkLog(context: Context): Promise<void> {
    expect((await list(context)).map(({ name }) => name).sort()).toEqual(this.shadow.names());
    let at = this.shadow.log.length;
    for await (const { id, user, run, undone } of operationRows(this.#stage.store)) {
      const { undoes: _, changes: __, ...logged } = this.shadow.log[--at];
      expect({ id, user, run, undone }).toEqual({ ...logged, undone: this.shadow.isUndone(id) });
    }
    expect(at).toBe(0);
  }

  async #found(name: string): Promise<ShadowArtifact | undefined> {
    const { store } = this.#stage;
    const artifact = await findArtifact(store, parseArtifactName(name));
    if (artifact === undefined) return undefined;
    const { type, description, tags, aliases, next, versionCount, tombstoneCount } = artifact.state;
    const versions: Record<number, ShadowVersion> = {};
    for await (const batch of listVersions(store, artifact)) {
      for (const version of batch) {
        const made = await getCommit(store, version.commit);
        versions[version.number] = {
          commit: this.#commitOf(version.commit, name, version.number),
          content: await this.#contentOf(made.tree),
          tags: [...version.tags],
          metadata: await metadataOf(store, version.metadata ?? made.metadata),
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

  /** A commit seen for the first time is the one that the shadow has there. */
  #commitOf(digest: Uint8Array, name: string, number: number): number {
    const key = Buffer.from(digest).toString('hex');
    const known = this.#commits.get(key) ?? this.shadow.artifacts.get(name)?.versions[number]?.commit ?? 0;
    this.#commits.set(key, known);
    return known;
  }

  async #contentOf(tree: Parameters<typeof entries>[1]): Promise<string> {
    const files: Record<string, number> = {};
    for await (const batch of entries(this.#stage.store, tree))
      for (const { key, size } of batch) files[Buffer.from(key).toString()] = size;
    return textOfFiles(files);
  }

  #context({ user, run }: By): Context {
    const { layout, store } = this.#stage;
    return {
      ...layout,
      store,
      author: user,
      host: 'here',
      command: 'test',
      run,
      now: () => (this.#time += 1000),
      folder: layout.root,
      artifactsFolder: 'artifacts',
    };
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#random(of.length)];
  }

  #name(): string {
    // Mostly what is there: the rest is soon told.
    const living = this.shadow.names();
    return this.#one(living.length > 0 && this.#random(4) > 0 ? living : NAMES);
  }

  #spec(name: string): Spec {
    const number = this.#random(4);
    const alias = this.#one(ALIASES);
    const { shadow } = this;
    const back = (steps: number) => {
      const numbers = Object.keys(shadow.live(name).versions).map(Number);
      const found = numbers.sort((a, b) => b - a)[steps];
      if (found === undefined) throw new Refused('VERSION_NOT_FOUND');
      return found;
    };
    const named = () => {
      const found = shadow.live(name).aliases[alias];
      if (found === undefined) throw new Refused('ALIAS_NOT_FOUND');
      return found;
    };
    switch (this.#random(8)) {
      case 0:
        return { text: `${name}:latest`, find: () => back(0) };
      case 1:
        return { text: `${name}~1`, find: () => back(1) };
      case 2:
        return { text: `${name}:${alias}`, find: named };
      default:
        return { text: `${name}:v${number}`, find: () => (shadow.version(name, number), number) };
    }
  }

  #action(context: Context, by: By): Action {
    const name = this.#name();
    const spec = this.#spec(name);
    const { shadow } = this;
    const version = () => shadow.version(name, spec.find());
    const operate = (work: () => void) => () => shadow.operate(by, work);
    switch (this.#random(17)) {
      case 0:
      case 1:
        return this.#commit(context, by, name);
      case 2:
      case 3:
        return this.#compose(context, by, name);
      case 4:
        return this.#part(context, by, name);
      case 5:
        return this.#finish(context, by, name);
      case 6: {
        const alias = this.#one(ALIASES);
        return {
          said: `alias ${spec.text} ${alias}`,
          does: () => putAliases(context, spec.text, [alias]),
          should: operate(() => {
            const number = spec.find();
            shadow.live(name).aliases[alias] = number;
          }),
        };
      }
      case 7: {
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
      case 8:
      case 9: {
        const [one, remove, artifact] = [this.#one(TAGS), this.#random(3) === 0, this.#random(3) === 0];
        const target = artifact ? name : spec.text;
        return {
          said: `tag ${target} ${one}${remove ? ' --remove' : ''}`,
          does: () => tag(context, { target, tags: [one], remove, artifact }),
          should: operate(() => {
            const tagged = artifact ? shadow.live(name) : version();
            const others = tagged.tags.filter((other) => other !== one);
            tagged.tags = remove ? others : [...others, one].sort();
          }),
        };
      }
      case 10: {
        const value = this.#random(3);
        const unset = this.#random(4) === 0;
        return {
          said: `meta ${spec.text} ${unset ? '--unset k' : `k=${value}`}`,
          does: () => changeMetadata(context, spec.text, unset ? { unset: ['k'] } : { set: { k: value } }),
          should: operate(() => {
            const { metadata } = version();
            if (unset && !('k' in metadata)) throw new Refused('METADATA_KEY_NOT_FOUND');
            if (unset) delete metadata['k'];
            else metadata['k'] = value;
          }),
        };
      }
      case 11: {
        const artifact = this.#random(2) === 0;
        const said = this.#one(['', 'one', 'two']);
        return {
          said: `describe ${artifact ? name : spec.text} "${said}"`,
          does: () => describe(context, artifact ? name : spec.text, said),
          should: operate(() => {
            (artifact ? shadow.live(name) : version()).description = said;
          }),
        };
      }
      case 12: {
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
      case 13:
        return this.#delete(context, by);
      case 14:
        return { said: 'undo', does: () => undo(context), should: () => shadow.undo(by, undefined) };
      case 15: {
        const newestUndo = [...shadow.log].reverse().find(({ undoes }) => undoes !== null);
        const operation = newestUndo?.id ?? 1;
        return this.#undo(context, by, operation, 'redo');
      }
      default: {
        const newestId = shadow.log.length;
        const below = this.#random(2) === 0 ? 4 : newestId + 2;
        return this.#undo(context, by, Math.max(0, newestId + 1 - this.#random(below)), 'undo');
      }
    }
  }

  #undo(context: Context, by: By, operation: number, word: 'undo' | 'redo'): Action {
    return {
      said: `${word}-number ${operation}`,
      does: () => undo(context, { operation }),
      should: () => this.shadow.undo(by, operation),
    };
  }

  #said(): Said {
    const aliases = this.#random(4) === 0 ? [this.#one(ALIASES)] : [];
    const tags = this.#random(4) === 0 ? [this.#one(TAGS)] : [];
    const metadata = this.#random(4) === 0 ? { k: this.#random(3), m: true } : undefined;
    return {
      text: [...aliases, ...tags, ...(metadata === undefined ? [] : [`k=${metadata.k}`])].join(' '),
      request: { aliases, tags, ...(metadata && { metadata }) },
      apply: (name, version, number) => {
        version.tags = [...new Set([...version.tags, ...tags])].sort();
        if (metadata !== undefined) version.metadata = { ...metadata };
        for (const alias of aliases) this.shadow.artifacts.get(name)!.aliases[alias] = number;
      },
    };
  }

  #commit(context: Context, by: By, name: string): Action {
    const content = this.#random(this.#stage.contents.length);
    const said = this.#said();
    const { shadow } = this;
    const request = { name, paths: [this.#stage.contents[content]], bind: false, ...said.request };
    return {
      said: `commit ${name} ${content} ${said.text}`,
      does: () => commit(context, request),
      should: () =>
        shadow.operate(by, () => {
          const { version, number } = shadow.put(name, { file: content + 1 });
          said.apply(name, version, number);
        }),
    };
  }

  /** Files to add and remove, and what to build on: what --add, --remove, --overwrite and --onto say. */
  #parts() {
    const { contents } = this.#stage;
    const add: Record<string, number> = {};
    for (let i = this.#random(3); i > 0; i--) add[this.#one(DESTS)] = 1 + this.#random(contents.length);
    const remove = Object.keys(add).length === 0 || this.#random(4) === 0 ? [this.#one(DESTS)] : [];
    const overwrite = Object.keys(add).length > 0 && this.#random(2) === 0;
    const onto = this.#random(2) === 0 ? this.#spec(this.#name()) : undefined;
    const additions = Object.entries(add).map(([dest, length]) => ({
      path: join(contents[length - 1], 'file'),
      dest,
    }));
    return {
      text: `${onto === undefined ? '' : `--onto ${onto.text} `}-${remove.join()} +${textOfFiles(add)}${overwrite ? ' !' : ''}`,
      request: { remove, overwrite, ...(onto && { onto: onto.text }), add: additions },
      onto: () => onto && this.shadow.version(onto.text.split(/[:~]/)[0], onto.find()),
      lay: (start: Files) => laid(start, { remove, add, overwrite }),
      /** What begins empty has nothing to remove, whatever it is called. */
      removesFromNothing: onto === undefined && remove.length > 0,
    };
  }

  #compose(context: Context, by: By, name: string): Action {
    const said = this.#said();
    const parts = this.#parts();
    const { shadow } = this;
    return {
      said: `compose ${name} ${parts.text} ${said.text}`,
      does: () => commit(context, { name, ...parts.request, ...said.request }),
      should: () =>
        shadow.operate(by, () => {
          if (parts.removesFromNothing) throw new Refused('USAGE');
          const files = parts.lay(filesOf(parts.onto()?.content ?? ''));
          const { version, number } = shadow.put(name, files);
          said.apply(name, version, number);
        }),
    };
  }

  #part(context: Context, by: By, name: string): Action {
    const id = this.#one(DRAFTS);
    const parts = this.#parts();
    const { shadow } = this;
    return {
      said: `part ${name}/${id} ${parts.text}`,
      does: () => commit(context, { name, part: id, ...parts.request }),
      should: () =>
        shadow.operate(by, () => {
          const onto = parts.onto();
          const draft = shadow.drafts.get(`${name}/${id}`);
          if (draft !== undefined && draft.became !== null) throw new Refused('DRAFT_FINISHED');
          if (draft !== undefined && onto !== undefined && draft.onto !== onto.commit)
            throw new Refused('DRAFT_CONFLICT');
          shadow.drafts.set(`${name}/${id}`, {
            files: parts.lay(draft?.files ?? filesOf(onto?.content ?? '')),
            onto: draft === undefined ? (onto?.commit ?? null) : draft.onto,
            became: null,
          });
        }),
    };
  }

  #finish(context: Context, by: By, name: string): Action {
    const id = this.#one(DRAFTS);
    const said = this.#said();
    const { shadow } = this;
    return {
      said: `finish ${name}/${id} ${said.text}`,
      does: () => commit(context, { name, finish: id, ...said.request }),
      should: () =>
        shadow.operate(by, () => {
          const draft = shadow.drafts.get(`${name}/${id}`);
          if (draft === undefined) throw new Refused('DRAFT_NOT_FOUND');
          if (draft.became === null) draft.became = shadow.put(name, draft.files).version.commit;
          const versions = Object.entries(shadow.artifacts.get(name)?.versions ?? {});
          const became = versions.find(([, { commit }]) => commit === draft.became);
          if (became === undefined) throw new Refused('VERSION_NOT_FOUND');
          said.apply(name, became[1], Number(became[0]));
        }),
    };
  }

  #delete(context: Context, by: By): Action {
    const [all, force, exceptAliased] = [this.#random(4) === 0, this.#random(2) === 0, this.#random(4) === 0];
    const targets = Array.from({ length: 1 + this.#random(2) }, () => this.#target(all));
    const { shadow } = this;
    const flags = `${all ? ' --all' : ''}${force ? ' --force' : ''}${exceptAliased ? ' --except-aliased' : ''}`;
    const request = { targets: targets.map((one) => one.text), all, force, exceptAliased };
    return {
      said: `delete ${request.targets.join(' ')}${flags}`,
      does: () => deleteVersions(context, request),
      should: () =>
        shadow.operate(by, () => {
          const meant = new Map<string, Set<number>>();
          for (const { name, find } of targets)
            meant.set(name, new Set([...(meant.get(name) ?? []), ...find()]));
          const spared = new Map(
            [...meant].map(([name, numbers]) => {
              const named = new Set(Object.values(shadow.live(name).aliases));
              const isNamed = [...numbers].some((one) => named.has(one));
              if (isNamed && !exceptAliased && !force) throw new Refused('VERSION_NAMED');
              return [name, exceptAliased ? new Set([...numbers].filter((one) => !named.has(one))) : numbers];
            }),
          );
          for (const [name, gone] of spared) {
            const { versions, aliases } = shadow.live(name);
            for (const one of gone) delete versions[one];
            for (const [alias, one] of Object.entries(aliases)) if (gone.has(one)) delete aliases[alias];
          }
        }),
    };
  }

  /** What may stand after `delete`: a version, a range, a name. */
  #target(all: boolean): { readonly text: string; readonly name: string; readonly find: () => number[] } {
    const { shadow } = this;
    const name = this.#name();
    const spec = this.#spec(name);
    const [first, last] = [this.#random(4), this.#random(5)];
    const numbers = () => Object.keys(shadow.live(name).versions).map(Number);
    const refuse = (code: string) => () => {
      shadow.live(name);
      throw new Refused(code);
    };
    const isBare = this.#random(8) < (all ? 7 : 1);
    if (isBare) return { text: name, name, find: all ? numbers : refuse('DELETE_UNCLEAR') };
    if (this.#random(2) === 0)
      return {
        text: spec.text,
        name,
        find: all ? refuse('USAGE') : () => (shadow.live(name), [spec.find()]),
      };
    const range = () => {
      const within = numbers().filter((one) => one >= first && one <= last);
      if (first > last) throw new Refused('SPEC_INVALID');
      if (within.length === 0) throw new Refused('VERSION_NOT_FOUND');
      return within;
    };
    return { text: `${name}:v${first}..v${last}`, name, find: all ? refuse('USAGE') : range };
  }
}

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
