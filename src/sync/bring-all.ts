/** Brings everything that versions hold and a remote had only promised. */
import { nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE, visitStrongLinks } from '#object';
import type { Digest, ObjectId } from '#object';
import type { RepositoryContext } from '#repo';
import { RecentDigests } from './recent-digests.ts';

const NODES_AT_ONCE = 64;
/** What is asked for in one go. */
const CHUNKS_AT_ONCE = 1000;

/** Reads all below `roots` through the context's store, which brings what it lacks. Raises PROMISE_BROKEN. */
export async function bringAll(context: RepositoryContext, roots: readonly Digest[]): Promise<void> {
  const done = new RecentDigests();
  const chunks: ObjectId[] = [];
  const bring = () => context.promises.bring(chunks.splice(0));
  const waiting = [...roots];
  while (waiting.length > 0) {
    throwIfAborted(context.signal);
    for (const bytes of await context.store.getNodes(waiting.splice(-NODES_AT_ONCE)))
      visitStrongLinks(bytes, (kind, digest) => {
        if (!done.add(digest)) return;
        if (kind === NODE) waiting.push(Uint8Array.from(digest));
        else chunks.push({ kind: CHUNK, digest: Uint8Array.from(digest) });
      });
    if (chunks.length >= CHUNKS_AT_ONCE) await bring();
    await nextTurn();
  }
  await bring();
}
