/** Tells which remotes have seen a change: taking it back here takes it back there at the next push. */
import { isArtError } from '#base';
import { loadArtifact, takeBack } from '#version';
import type { ArtifactName, Change } from '#version';
import type { Context } from './context.ts';
import { remotesOf } from './remote-standing.ts';

/** The remotes whose state, as last seen, has something of what the change to `name` did. */
export async function remotesThatSaw(
  { store, author: who, now }: Context,
  name: ArtifactName,
  change: Omit<Change, 'current'>,
): Promise<string[]> {
  const remotes: string[] = [];
  for (const [remote, { seen }] of await remotesOf(store, name)) {
    if (seen === null) continue;
    // Tried and dropped: what could be taken back there, or is in the way of that, was seen there.
    await using scratch = await store.begin();
    const current = await loadArtifact(scratch, seen);
    try {
      const { words } = await takeBack(scratch, { ...change, current }, { who, when: now() });
      if (words.length > 0) remotes.push(remote);
    } catch (error) {
      if (!isArtError(error, 'UNDO_REFUSED')) throw error;
      remotes.push(remote);
    }
  }
  return remotes;
}
