/** Finds the chunks that need not be kept here, as they can be had again from somewhere else. */
import { DigestTable } from '#base';
import type { BloomFilter } from '#base';
import { CHUNK, decodeCommit } from '#object';
import type { Digest, ObjectId } from '#object';
import { walkClosure } from './closure.ts';
import type { ClosureVisitor } from './closure.ts';
import type { LevelStore } from './level-store.ts';
import type { Roots } from './object-store.ts';
import { objectKey } from './records.ts';

/** What can be had again from somewhere else. */
export interface Elsewhere {
  /** Commits that are there with all below them. What other commits, or folders that hold none of these, need stays. */
  readonly commits: Roots;
  /** Which of `ids`, at most 1,000 chunks, are there for certain. The database may be closed meanwhile. */
  prove(ids: readonly ObjectId[]): Promise<readonly ObjectId[]>;
}

export interface SpareOptions {
  readonly elsewhere: Elsewhere;
  readonly roots: Roots;
  /** Empty, with room for every chunk here. */
  readonly needed: BloomFilter;
  /** Told of what is broken below `roots`. */
  readonly visitor: ClosureVisitor;
  pause(): Promise<void>;
}

const PROVED_AT_ONCE = 1000;
/** So many chunks are found in one go: 32 bytes each. */
const SPARE_MAX = 1_000_000;

/** The database must be pinned. `isAll` tells whether there may be more. */
export async function findSpare(
  store: LevelStore,
  { elsewhere, roots, needed, visitor, pause }: SpareOptions,
): Promise<{ readonly chunks: DigestTable; readonly isAll: boolean }> {
  const { database, packReader } = store;
  const commits = new DigestTable();
  // What a folder holds is named by its tree.
  const trees = new DigestTable();
  for await (const commit of elsewhere.commits(store)) {
    commits.add(commit);
    const [bytes] = await store.getNodes([commit]);
    trees.add(decodeCommit(bytes!).tree);
    await pause();
  }

  const nodes = new DigestTable();
  await walkClosure(database, packReader, without(trees, roots(store)), {
    ...visitor,
    enter: (digest) => !commits.has(digest) && nodes.add(digest),
    chunk: (digest) => needed.add(digest),
  });
  const candidates = new DigestTable();
  await walkClosure(database, packReader, commits, {
    ...visitor,
    enter: (digest) => !nodes.has(digest) && nodes.add(digest),
    chunk: (digest) => {
      if (candidates.size >= SPARE_MAX || needed.has(digest) || candidates.has(digest)) return;
      if (database.table.getSync(objectKey(CHUNK, digest)) !== undefined) candidates.add(digest);
    },
    broken: () => {},
  });

  const chunks = new DigestTable();
  for (const ids of pagesOf(candidates)) {
    await pause();
    for (const { digest } of await database.aside(() => elsewhere.prove(ids))) chunks.add(digest);
  }
  return { chunks, isAll: candidates.size < SPARE_MAX };
}

async function* without(table: DigestTable, digests: ReturnType<Roots>): AsyncGenerator<Digest, void> {
  for await (const digest of digests) if (!table.has(digest)) yield digest;
}

// Copied: they outlive the table.
function* pagesOf(table: DigestTable): Generator<ObjectId[]> {
  let page: ObjectId[] = [];
  for (const digest of table) {
    page.push({ kind: CHUNK, digest: Uint8Array.from(digest) });
    if (page.length < PROVED_AT_ONCE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
