/** Knows what a new version is added to: the artifact of its name, or one that begins. */
import {
  RENAMED_TO,
  allFates,
  decodeSeen,
  editArtifact,
  isDeleted,
  loadArtifact,
  newArtifact,
  parseTypeName,
  remoteKeys,
  remoteOfKey,
  withFates,
} from '#version';
import type { Artifact, Fate } from '#version';
import type { Naming } from './commit-plan.ts';
import type { Context } from './context.ts';
import { nameSince, records } from './operation.ts';
import type { Draft } from './operation.ts';

const DEFAULT_TYPE = 'dataset';

/** The artifact to add to. What was deleted goes on with its numbers, and with nothing of what was said of it. */
export async function begun(
  context: Context,
  draft: Draft,
  found: Artifact | undefined,
  naming: Naming,
): Promise<Artifact> {
  if (found === undefined) return beginning(context, draft, naming);
  if (!isDeleted(found)) return found;
  return editArtifact(found, { type: naming.type ?? found.state.type, description: '', tags: [] });
}

/**
 * An artifact without versions. What remotes know by this name was given up here, when its artifact was renamed: its
 * numbers stay those versions', and are never given to others.
 */
async function beginning({ author, now }: Context, draft: Draft, { name, type }: Naming): Promise<Artifact> {
  const artifact = newArtifact({ name, type: type ?? parseTypeName(DEFAULT_TYPE) });
  const fates = new Map<number, Fate>();
  const by = { who: author, when: now() };
  let next = 0;
  for await (const { key, value } of records(draft, remoteKeys.all)) {
    const { synced } = decodeSeen(value);
    if (remoteOfKey(key).name !== name || synced === null) continue;
    const common = await loadArtifact(draft, synced);
    next = Math.max(next, common.state.next);
    for (const [number, fate] of await allFates(draft, common)) {
      if (!fate.alive) fates.set(number, fate);
      else if (!fates.has(number)) {
        const { commit, bytes } = fate.version;
        fates.set(number, { alive: false, tombstone: { number, commit, bytes, ...by } });
      }
    }
  }
  if (fates.size === 0) return artifact;
  const to = await nameSince(draft, name);
  return withFates(draft, artifact, fates, { next, ...(to !== undefined && { ext: { [RENAMED_TO]: to } }) });
}
