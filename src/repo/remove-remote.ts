/** Takes a remote away, unless bytes of what is kept here are there alone. */
import { ArtError } from '#base';
import type { ObjectId } from '#object';
import { findAbsent } from '#store';
import { promiseKeys, remoteKeys } from '#version';
import type { RepositoryContext } from './context.ts';
import { records } from './operation.ts';
import { dropRemote, getRemote } from './remotes.ts';
import type { RemoteEntry } from './remotes.ts';
import { rootsSince, versionRoots } from './roots.ts';
import { whereNeeded } from './where-needed.ts';

const NAMED_MAX = 3;

/**
 * Forgets what was seen there as well; nothing at the remote changes. What a version needs must be here; what only an undo or
 * a folder may need stays promised, should the remote be added again. Raises REMOTE_NOT_FOUND, REMOTE_NEEDED.
 */
export async function removeRemote(context: RepositoryContext, name: string): Promise<RemoteEntry> {
  const { disk, signal, onWarning } = context;
  const entry = getRemote(context, name);
  let promised = (await disk.getRecord(promiseKeys.of(name))) !== undefined;
  if (promised) {
    const needed = await findAbsent(disk, versionRoots, signal);
    if (needed.length > 0) throw await neededError(context, name, needed);
    const rest = await findAbsent(disk, rootsSince(-Infinity, { withoutRemote: name }), signal);
    promised = rest.length > 0;
    if (promised)
      onWarning?.(
        `some of what only an undo or a folder may need was at "${name}" alone: add it again to get at that`,
      );
  }
  await forget(context, name, { promised });
  dropRemote(context, name);
  return entry;
}

async function neededError(
  { disk }: RepositoryContext,
  remote: string,
  absent: readonly ObjectId[],
): Promise<ArtError> {
  const needed = await whereNeeded(disk, absent);
  const versions = [...new Set(needed.flatMap((one) => [...one.versions.keys()]))];
  const named = versions.slice(0, NAMED_MAX).join(', ') + (versions.length > NAMED_MAX ? ' and others' : '');
  return new ArtError('REMOTE_NEEDED', `bytes of ${named} are not here, and "${remote}" has promised them`, {
    hint: `Bring them first: \`art pull ${remote} --no-lazy\`.`,
  });
}

async function forget(
  { disk }: RepositoryContext,
  remote: string,
  { promised }: { readonly promised: boolean },
): Promise<void> {
  await using tx = await disk.begin();
  await tx.publish(async (locked) => {
    if (!promised) locked.setRecord(promiseKeys.of(remote), undefined);
    locked.setRecord(remoteKeys.bucket(remote), undefined);
    for (const prefix of [remoteKeys.of(remote), remoteKeys.pushingTo(remote)])
      for await (const { key } of records(locked, prefix)) locked.setRecord(key, undefined);
    for await (const { key } of records(locked, remoteKeys.allConflicts))
      if (key.endsWith(`/${remote}`)) locked.setRecord(key, undefined);
  });
}
