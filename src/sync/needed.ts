/** Finds what a new state keeps alive and a remote's state does not: level by level, never into what both have. */
import { DigestTable, nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE, decodeCommit, nodeKindOf, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import type { NodeSource, ObjectStore } from '#store';
import { findLatest, listVersions } from '#version';
import type { Artifact } from '#version';
import { RecentDigests } from './recent-digests.ts';
import type { SavedArtifact } from './merge-artifacts.ts';

/** What may be missing there. The bytes of nodes are given along, as they were read already. */
export interface Needed {
  readonly ids: readonly ObjectId[];
  readonly nodes: readonly Uint8Array[] | undefined;
}

const NODES_AT_ONCE = 64;
const CHUNKS_AT_ONCE = 1000;
/** Of the remote's versions so many, the newest, are known to be whole there. */
const VERSIONS_KNOWN_MAX = 10_000;
const CHUNKS_KNOWN_MAX = 500_000;

/**
 * What `state` keeps alive and `there`, which the remote has, does not; nodes before what they name, and chunks in the
 * order of their paths. An object may come twice. What only older versions there have is among it: ask the index.
 * `found` is shared by all that is sent in one go: what was given before, for whichever artifact, is not given again. Only
 * that is shared. A node that was walked for one artifact is walked for the next too: what its pointer has of it may have
 * been passed over, and that says nothing of what the other pointer has. With `here` only what that has is walked and
 * given.
 */
export async function* neededObjects(
  source: NodeSource,
  state: SavedArtifact,
  there: Artifact | undefined,
  found: RecentDigests,
  options: { readonly signal?: AbortSignal; readonly here?: Pick<ObjectStore, 'missing'> } = {},
): AsyncGenerator<Needed, void, undefined> {
  const { here } = options;
  const walked = new RecentDigests();
  const live = await liveCommits(source, there);
  const latest = there === undefined ? undefined : await findLatest(source, there);
  const knownChunks = new DigestTable(256);
  let fresh = tableOf([state.saved]);
  let known = tableOf(there?.saved ? [there.saved] : []);
  while (fresh.size > 0) {
    const below = { fresh: new DigestTable(64), known: new DigestTable(64) };
    for (const page of pagesOf(known, NODES_AT_ONCE, (digest) => !fresh.has(digest))) {
      throwIfAborted(options.signal);
      for (const bytes of await source.getNodes(page))
        visitStrongLinks(bytes, (kind, digest) => {
          if (kind === NODE) below.known.add(digest);
          else if (knownChunks.size < CHUNKS_KNOWN_MAX) knownChunks.add(digest);
        });
    }
    const chunks = new DigestTable(64);
    const isNew = (digest: Digest) => !known.has(digest) && !live.has(digest) && !walked.has(digest);
    for (const named of pagesOf(fresh, NODES_AT_ONCE, isNew)) {
      throwIfAborted(options.signal);
      const page = (await present(here, named.map(nodeId))).map(({ digest }) => digest);
      const nodes = await source.getNodes(page);
      for (const [i, bytes] of nodes.entries()) {
        walked.add(page[i]);
        visitStrongLinks(bytes, (kind, digest) => {
          if (kind === NODE) below.fresh.add(digest);
          else if (!knownChunks.has(digest) && found.add(digest)) chunks.add(digest);
        });
        if (nodeKindOf(bytes) === 'commit')
          for (const tree of await treesBelow(source, bytes, live, latest?.commit)) below.known.add(tree);
      }
      const first = page.map((digest) => found.add(digest));
      const ids = page.map(nodeId);
      yield { ids: ids.filter((_, i) => first[i]), nodes: nodes.filter((_, i) => first[i]) };
      if (chunks.size >= CHUNKS_AT_ONCE) {
        yield* chunksNeeded(chunks, here);
        chunks.clear();
      }
      await nextTurn();
    }
    yield* chunksNeeded(chunks, here);
    ({ fresh, known } = below);
  }
}

async function* chunksNeeded(
  chunks: DigestTable,
  here: Pick<ObjectStore, 'missing'> | undefined,
): AsyncGenerator<Needed, void, undefined> {
  for (const page of pagesOf(chunks, CHUNKS_AT_ONCE)) {
    const ids = page.map((digest) => ({ kind: CHUNK, digest }) as const);
    yield { ids: await present(here, ids), nodes: undefined };
  }
}

function nodeId(digest: Digest): ObjectId {
  return { kind: NODE, digest };
}

/** Those of `ids` that `here` has; all without it. */
async function present(
  here: Pick<ObjectStore, 'missing'> | undefined,
  ids: readonly ObjectId[],
): Promise<readonly ObjectId[]> {
  if (here === undefined) return ids;
  const absent = new Set(await here.missing(ids));
  return ids.filter((id) => !absent.has(id));
}

async function liveCommits(source: NodeSource, there: Artifact | undefined): Promise<DigestTable> {
  const live = new DigestTable(256);
  if (there === undefined) return live;
  const newest = { newestFirst: true, limit: VERSIONS_KNOWN_MAX };
  for await (const batch of listVersions(source, there, newest))
    for (const { commit } of batch) live.add(commit);
  return live;
}

/** The trees that this commit's most resembles, of those that the remote has. */
async function treesBelow(
  source: NodeSource,
  bytes: Uint8Array,
  live: DigestTable,
  latest: Digest | undefined,
): Promise<Digest[]> {
  const commits = decodeCommit(bytes).parents.filter((parent) => live.has(parent));
  if (commits.length === 0 && latest !== undefined) commits.push(latest);
  const read = commits.length === 0 ? [] : await source.getNodes(commits);
  return read.map((commit) => decodeCommit(commit).tree);
}

function tableOf(digests: readonly Digest[]): DigestTable {
  const table = new DigestTable(16);
  for (const digest of digests) table.add(digest);
  return table;
}

// Copied: they outlive the table.
function* pagesOf(
  table: DigestTable,
  atOnce: number,
  wanted: (digest: Digest) => boolean = () => true,
): Generator<Digest[]> {
  let page: Digest[] = [];
  for (const digest of table) {
    if (!wanted(digest)) continue;
    page.push(Uint8Array.from(digest));
    if (page.length < atOnce) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
