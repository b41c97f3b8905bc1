/** Finds which versions need given objects, and which of their files. */
import { isArtError, toHex } from '#base';
import {
  CHUNK,
  CHUNK_BYTES_MAX,
  FILE,
  NODE,
  decodeCommit,
  decodeFileNode,
  decodeTreeNode,
  fileRowDigest,
  isDigest,
} from '#object';
import type { Digest, ObjectId, ObjectKind } from '#object';
import type { NodeSource, ObjectStore } from '#store';
import { pathOfKey } from '#tree';
import { listVersions } from '#version';
import type { ArtifactName, Version } from '#version';
import { artifactNames, getArtifact } from './find.ts';

/** Where one object is needed: at most NAMED_MAX of each. */
export interface Needed {
  /** Their commits, by NAME:vN. */
  readonly versions: ReadonlyMap<string, Digest>;
  /** Of files in those versions; for a node of a tree, the first that it is missed for. */
  readonly paths: ReadonlySet<string>;
}

const NAMED_MAX = 100;

/**
 * Looks through every version for what needs `ids`, reading only what `store` has; gives it in the order asked. What
 * cannot be read is passed over: it is told elsewhere.
 */
export async function whereNeeded(store: ObjectStore, ids: readonly ObjectId[]): Promise<Needed[]> {
  const search = new Search(store, ids);
  let names: readonly ArtifactName[] = [];
  await asFarAsKnown(async () => (names = await artifactNames(store)));
  for (const name of names) {
    await asFarAsKnown(async () => {
      for await (const batch of listVersions(store, await getArtifact(store, name)))
        for (const version of batch) await search.version(version, `${name}:v${version.number}`);
    });
  }
  return ids.map((id) => search.found.get(nameOf(id))!);
}

// Where the names themselves, or the versions of one, cannot be read, what is known is told.
async function asFarAsKnown(look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!isArtError(error)) throw error;
  }
}

class Search {
  readonly found: ReadonlyMap<string, { versions: Map<string, Digest>; paths: Set<string> }>;
  readonly #source: NodeSource;
  #version = '';
  #commit: Digest = new Uint8Array(0);

  constructor(source: NodeSource, ids: readonly ObjectId[]) {
    this.#source = source;
    this.found = new Map(ids.map((id) => [nameOf(id), { versions: new Map(), paths: new Set() }]));
  }

  async version({ commit, metadata: said }: Version, name: string): Promise<void> {
    this.#version = name;
    this.#commit = commit;
    this.#note(NODE, commit);
    const bytes = await this.#read(commit);
    const { tree, metadata } = bytes === undefined ? {} : decodeCommit(bytes);
    for (const placed of [said, metadata])
      if (placed !== undefined && isDigest(placed)) this.#note(NODE, placed);
    if (tree !== undefined) await this.#tree(tree, '');
  }

  async #tree(digest: Digest, from: string): Promise<void> {
    this.#note(NODE, digest, from);
    const bytes = await this.#read(digest);
    if (bytes === undefined) return;
    const node = decodeTreeNode(bytes);
    for (let row = 0; row < node.rows; row++) {
      const path = pathOfKey(node.keys.at(row));
      if (node.kind === 'inner') await this.#tree(node.digestAt(row), path);
      else if (node.kindAt(row) !== FILE) continue;
      else if (node.sizeAt(row) > CHUNK_BYTES_MAX) await this.#file(node.digestAt(row), path);
      else this.#note(CHUNK, node.digestAt(row), path);
    }
  }

  async #file(digest: Digest, path: string): Promise<void> {
    this.#note(NODE, digest, path);
    const bytes = await this.#read(digest);
    if (bytes === undefined) return;
    const node = decodeFileNode(bytes);
    for (let row = 0; row < node.rows; row++) {
      const child = fileRowDigest(node, row);
      if (node.level === 0) this.#note(CHUNK, child, path);
      else await this.#file(child, path);
    }
  }

  async #read(digest: Digest): Promise<Uint8Array | undefined> {
    try {
      return (await this.#source.getNodes([digest]))[0];
    } catch (error) {
      if (!isArtError(error)) throw error;
      return undefined;
    }
  }

  #note(kind: ObjectKind, digest: Digest, path = ''): void {
    const found = this.found.get(nameOf({ kind, digest }));
    if (found === undefined) return;
    if (found.versions.size < NAMED_MAX) found.versions.set(this.#version, this.#commit);
    if (path !== '' && found.paths.size < NAMED_MAX) found.paths.add(path);
  }
}

function nameOf({ kind, digest }: ObjectId): string {
  return `${kind}${toHex(digest)}`;
}
