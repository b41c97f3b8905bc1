/** Looks, whenever a remote is met, whether it still has what local versions were built on and is not here. */
import { DigestTable, isArtError, nextTurn } from '#base';
import { CHUNK, NODE, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import { allRecords } from '#repo';
import type { RepositoryContext } from '#repo';
import type { ObjectStore } from '#store';
import { decodeReliance, findVersionOfCommit, promiseKeys } from '#version';
import type { Artifact, ArtifactName } from '#version';

const NODES_AT_ONCE = 64;
const IDS_AT_ONCE = 1000;

/**
 * Looks at each version (of `names`) that was made over promised objects since the remote was last met, and tries anew what was lost
 * before. Raises PROMISE_BROKEN naming the versions and paths that lack something.
 */
export async function checkReliance(
  { disk, promises }: RepositoryContext,
  names?: readonly ArtifactName[],
): Promise<void> {
  await promises.mend();
  for (const { key, value } of await allRecords(disk, promiseKeys.relied)) {
    const [name] = decodeReliance(value).version.split(':');
    if (names !== undefined && !names.some((asked) => asked === name)) continue;
    for await (const ids of absentBelow(disk, promiseKeys.commitOf(key))) await promises.check(ids);
  }
}

/** A remote has all of these artifacts now: their versions need not be looked at any more. */
export async function settleReliance(
  { disk }: RepositoryContext,
  artifacts: readonly Artifact[],
): Promise<void> {
  const settled: string[] = [];
  for (const { key } of await allRecords(disk, promiseKeys.relied)) {
    for (const artifact of artifacts)
      if (await findVersionOfCommit(disk, artifact, promiseKeys.commitOf(key))) settled.push(key);
  }
  if (settled.length === 0) return;
  await using tx = await disk.begin();
  await tx.publish(async (locked) => {
    for (const key of settled) locked.setRecord(key, undefined);
  });
}

/** What is named below `root` and is not here, in pages; what only that names is not known. */
async function* absentBelow(store: ObjectStore, root: Digest): AsyncGenerator<ObjectId[], void> {
  const entered = { [CHUNK]: new DigestTable(256), [NODE]: new DigestTable(64) };
  const waiting: Digest[] = [root];
  let absent: ObjectId[] = [];
  while (waiting.length > 0) {
    const named: ObjectId[] = [];
    for (const bytes of await readPresent(store, waiting.splice(-NODES_AT_ONCE)))
      visitStrongLinks(bytes, (kind, digest) => {
        if (entered[kind].add(digest)) named.push({ kind, digest: Uint8Array.from(digest) });
      });
    const missing = await store.missing(named);
    const gone = new Set(missing);
    absent.push(...missing);
    for (const id of named) if (id.kind === NODE && !gone.has(id)) waiting.push(id.digest);
    while (absent.length >= IDS_AT_ONCE) {
      yield absent.slice(0, IDS_AT_ONCE);
      absent = absent.slice(IDS_AT_ONCE);
    }
    await nextTurn();
  }
  if (absent.length > 0) yield absent;
}

// A version that was deleted since is no longer here: nothing relies on anything.
async function readPresent(store: ObjectStore, digests: readonly Digest[]): Promise<Uint8Array[]> {
  try {
    return await store.getNodes(digests);
  } catch (error) {
    if (!isArtError(error, 'OBJECT_NOT_FOUND')) throw error;
    return [];
  }
}
