/** Settles conflicts over aliases: what somebody says an alias is here, the next push or pull takes. */
import type { LockedStore } from '#store';
import { decodeConflicts, encodeConflicts, remoteKeys } from '#version';
import type { ArtifactName } from '#version';

const REMOTES_MAX = 1000;

/** Notes that somebody has just said what `aliases` of `name` are. */
export async function settleConflicts(
  locked: LockedStore,
  name: ArtifactName,
  aliases: readonly string[],
): Promise<void> {
  const rows = await locked.listRecords(remoteKeys.conflictsOf(name), { limit: REMOTES_MAX });
  for (const { key, value } of rows) {
    const conflicts = decodeConflicts(value);
    const settled = conflicts.map((one) => (aliases.includes(one.alias) ? { ...one, settled: true } : one));
    locked.setRecord(key, encodeConflicts(settled));
  }
}
