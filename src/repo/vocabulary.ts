/** Lists the words that name things in a repository, for whoever is typing one of them. Changes nothing. */
import { formatCount, textOf, utf8 } from '#base';
import { shortHash } from '#object';
import { entries, prefixOf } from '#tree';
import { LATEST, findLatest, listVersions, loadArtifact, parseArtifactName } from '#version';
import type { ArtifactName } from '#version';
import type { Context } from './context.ts';
import { openDrafts } from './draft-records.ts';
import { artifactNames, getArtifact, getSpec } from './find.ts';
import { readMetadata } from './metadata.ts';
import { operations } from './operations.ts';
import { remotesOf } from './remote-standing.ts';
import { listRemotes } from './remotes.ts';
import { readWanted } from './wanted-files.ts';

/** A word, and what to say beside it. */
export interface Known {
  readonly word: string;
  readonly what: string;
}

/** Nobody reads through more; the rest is reached by typing on. */
const VERSIONS_MAX = 200;
const PATHS_MAX = 500;
const OPERATIONS_MAX = 50;
/** Artifacts whose versions are asked for their tags. */
const TAGGED_MAX = 50;

export class Vocabulary {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  artifacts(): Promise<readonly string[]> {
    return artifactNames(this.#context.store);
  }

  /** What may stand after `name:`: aliases, then numbers, the newest version's first. */
  async selectors(name: string): Promise<readonly Known[]> {
    const { store } = this.#context;
    const parsed = parseArtifactName(name);
    const artifact = await getArtifact(store, parsed);
    const latest = await findLatest(store, artifact);
    const newestFirst = [...artifact.state.aliases].sort(([, a], [, b]) => b - a);
    const found: Known[] = latest === undefined ? [] : [{ word: LATEST, what: `v${latest.number}` }];
    found.push(...newestFirst.map(([alias, number]) => ({ word: alias, what: `v${number}` })));
    const limit = VERSIONS_MAX;
    for await (const batch of listVersions(store, artifact, { newestFirst: true, limit })) {
      for (const { number, tags } of batch) {
        const named = newestFirst.filter(([, other]) => other === number).map(([alias]) => alias);
        const labels = [...named, ...tags.map((tag) => `#${tag}`)];
        found.push({ word: `v${number}`, what: labels.join(', ') });
      }
    }
    return [...found, ...(await this.#seenThere(parsed))];
  }

  /** `origin/best` and the like: the aliases at remotes as last seen. */
  async #seenThere(name: ArtifactName): Promise<Known[]> {
    const { store } = this.#context;
    const found: Known[] = [];
    for (const [remote, { seen }] of await remotesOf(store, name)) {
      if (seen === null) continue;
      const artifact = await loadArtifact(store, seen);
      const latest = await findLatest(store, artifact);
      if (latest !== undefined) found.push({ word: `${remote}/${LATEST}`, what: `v${latest.number}` });
      for (const [alias, number] of artifact.state.aliases)
        found.push({ word: `${remote}/${alias}`, what: `v${number}` });
    }
    return found;
  }

  /** The aliases that may be put, moved or removed by hand. */
  async aliases(name: string): Promise<readonly Known[]> {
    const artifact = await getArtifact(this.#context.store, parseArtifactName(name));
    const newestFirst = [...artifact.state.aliases].sort(([, a], [, b]) => b - a);
    return newestFirst.map(([alias, number]) => ({ word: alias, what: `v${number}` }));
  }

  /** What may stand after `name@`: the starts of hashes, the newest version's first. */
  async hashes(name: string): Promise<readonly Known[]> {
    const { store } = this.#context;
    const artifact = await getArtifact(store, parseArtifactName(name));
    const found: Known[] = [];
    for await (const batch of listVersions(store, artifact, { newestFirst: true, limit: VERSIONS_MAX }))
      for (const { number, commit } of batch) found.push({ word: shortHash(commit), what: `v${number}` });
    return found;
  }

  /** The types in use. */
  async types(): Promise<readonly string[]> {
    const { store } = this.#context;
    const types = new Set<string>();
    for (const name of await artifactNames(store)) types.add((await getArtifact(store, name)).state.type);
    return [...types].sort();
  }

  /** The tags in use on artifacts and on their newest versions. */
  async tags(): Promise<readonly string[]> {
    const { store } = this.#context;
    const tags = new Set<string>();
    for (const name of (await artifactNames(store)).slice(0, TAGGED_MAX)) {
      const artifact = await getArtifact(store, name);
      for (const tag of artifact.state.tags) tags.add(tag);
      for await (const batch of listVersions(store, artifact, { newestFirst: true, limit: VERSIONS_MAX }))
        for (const version of batch) for (const tag of version.tags) tags.add(tag);
    }
    return [...tags].sort();
  }

  /** Paths in a version that begin with `prefix`, folders as `train/` and not what is in them. */
  async paths(spec: string, prefix: string): Promise<readonly string[]> {
    const { store } = this.#context;
    const { commit } = await getSpec(store, spec);
    const found: string[] = [];
    let from: Uint8Array | undefined;
    do {
      from = await pathsFrom(from);
      // Past a folder the walk begins anew: what is in it may be a million files.
    } while (from !== undefined && found.length < PATHS_MAX);
    return found;

    /** Adds paths until a batch ends inside a folder; gives the first key after that folder. */
    async function pathsFrom(start: Uint8Array | undefined): Promise<Uint8Array | undefined> {
      for await (const batch of entries(store, commit.tree, { from: start, prefix: prefixOf(prefix) })) {
        let inside: string | undefined;
        for (const { key } of batch) {
          const path = textOf(key, 'path');
          const slash = path.indexOf('/', prefix.lastIndexOf('/') + 1);
          inside = slash < 0 ? undefined : path.slice(0, slash + 1);
          if ((inside ?? path) !== found.at(-1)) found.push(inside ?? path);
        }
        // `0` is the character after `/`.
        if (inside !== undefined) return utf8(`${inside.slice(0, -1)}0`);
        if (found.length >= PATHS_MAX) return undefined;
      }
      return undefined;
    }
  }

  /** The artifacts bound to folders in `art.toml`. */
  bound(): readonly Known[] {
    const { bindings } = readWanted(this.#context.root);
    return [...bindings.values()].map(({ name, path }) => ({ word: name, what: path }));
  }

  /** The newest operations that are in effect. */
  async operations(): Promise<readonly Known[]> {
    const found: Known[] = [];
    for await (const { number, user, command, undone } of operations(this.#context.store)) {
      if (!undone) found.push({ word: String(number), what: `${user}: ${command}` });
      if (found.length === OPERATIONS_MAX) break;
    }
    return found;
  }

  /** The drafts of an artifact that are open. */
  async drafts(name: string): Promise<readonly Known[]> {
    const found: Known[] = [];
    for await (const { id, files } of openDrafts(this.#context.store, parseArtifactName(name)))
      found.push({ word: id, what: formatCount(files, 'file') });
    return found;
  }

  /** The keys of a version's metadata, with their values. */
  async metadataKeys(spec: string): Promise<readonly Known[]> {
    const { metadata } = await readMetadata(this.#context, spec);
    return Object.entries(metadata).map(([word, value]) => ({ word, what: JSON.stringify(value) }));
  }

  remotes(): readonly Known[] {
    return listRemotes(this.#context).map(({ name, url }) => ({ word: name, what: url }));
  }
}
