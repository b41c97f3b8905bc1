/** Finds the operation by which a version went away, so that it can be named to whoever misses it. */
import { equalBytes, isArtError } from '#base';
import type { Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import { artifactOfKey, findVersion, loadArtifact, recordKeys } from '#version';
import { operations } from './operations.ts';

/** The newest operation after which `number` was gone; undefined if none is known any more. */
async function removedBy(
  source: RecordSource & NodeSource,
  commit: Digest,
  number: number,
): Promise<number | undefined> {
  for await (const { number: operation, changes } of operations(source)) {
    for (const { ref, before, after } of changes) {
      if (artifactOfKey(ref) === undefined || before === null || after === null) continue;
      if ((await has(source, before, commit, number)) && !(await has(source, after, commit, number)))
        return operation;
    }
  }
  return undefined;
}

/** How to have such a version again, as a hint; nothing if that is not known. */
export async function hintToBringBack(
  source: RecordSource & NodeSource,
  commit: Digest,
  number: number,
): Promise<{ readonly hint?: string }> {
  const operation = await removedBy(source, commit, number);
  if (operation === undefined) return {};
  const isOthers = (await source.getRecord(recordKeys.merged(operation))) !== undefined;
  return {
    hint: isOthers
      ? `Others deleted it. Name another version; \`art undo ${operation}\` would take back all that came with that pull.`
      : `\`art undo ${operation}\` brings it back.`,
  };
}

async function has(source: NodeSource, state: Digest, commit: Digest, number: number): Promise<boolean> {
  try {
    const version = await findVersion(source, await loadArtifact(source, state), number);
    return version !== undefined && equalBytes(version.commit, commit);
  } catch (error) {
    // Freed by gc: what is older cannot be undone either.
    if (isArtError(error, 'OBJECT_NOT_FOUND')) return false;
    throw error;
  }
}
