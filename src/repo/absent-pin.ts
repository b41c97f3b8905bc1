/** Says of a version that `art.lock` wants, and that is not here, what became of it and where it can be had. */
import { ArtError, equalBytes } from '#base';
import { findTombstone, findVersionOfCommit, loadArtifact } from '#version';
import type { ArtifactName, Pin } from '#version';
import type { Context } from './context.ts';
import { cidOf } from './look.ts';
import { findArtifact } from './operation.ts';
import { remotesOf } from './remote-standing.ts';
import { listRemotes } from './remotes.ts';
import { hintToBringBack } from './removed-by.ts';

/** VERSION_NOT_FOUND for the pin of `name`. */
export async function absentPin(context: Context, name: ArtifactName, pin: Pin): Promise<ArtError> {
  const { commit, number } = pin;
  const { store } = context;
  const artifact = await findArtifact(store, name);
  const tombstone = artifact && number !== null ? await findTombstone(store, artifact, number) : undefined;
  if (number !== null && tombstone !== undefined && equalBytes(tombstone.commit, commit)) {
    const day = new Date(tombstone.when).toISOString().slice(0, 10);
    return new ArtError(
      'VERSION_NOT_FOUND',
      `art.lock wants "${name}:v${number}", which was deleted by ${tombstone.who} on ${day}`,
      await hintToBringBack(store, commit, number),
    );
  }
  const shown = `"${name}" at ${cidOf(commit)}${number === null ? '' : ` (v${number} when it was pinned)`}`;
  const hint = await whereToFetch(context, name, pin);
  return new ArtError('VERSION_NOT_FOUND', `art.lock wants ${shown}, which is not here`, { hint });
}

async function whereToFetch(context: Context, name: ArtifactName, { commit, number }: Pin): Promise<string> {
  const { store } = context;
  for (const [remote, { seen }] of await remotesOf(store, name)) {
    const there = seen === null ? undefined : await loadArtifact(store, seen);
    if (there && (await findVersionOfCommit(store, there, commit, number)))
      return `The remote "${remote}" has it: \`art pull ${remote} ${name}\`.`;
  }
  const remotes = listRemotes(context).map((remote) => remote.name);
  if (remotes.length === 0)
    return `No remote is set up here that could have it: \`art remote add origin URL\`, then \`art pull\`.`;
  if (remotes.length === 1) return `Perhaps "${remotes[0]}" has it: \`art pull ${remotes[0]} ${name}\`.`;
  return `Perhaps one of ${remotes.join(', ')} has it: \`art pull REMOTE ${name}\`.`;
}
