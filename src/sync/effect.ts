/** Says what a new state of an artifact has, and no longer has, beside the one before. */
import type { NodeSource } from '#store';
import { RENAMED_TO, changedNumbers, findVersion } from '#version';
import type { Artifact, ArtifactName } from '#version';

/** Versions that are no more, as they were deleted or taken back, or renamed. */
export interface DeletedVersions {
  readonly name: string;
  /** What they are called now, if they were renamed. */
  readonly renamedTo: string | null;
  readonly numbers: readonly number[];
}

/** An alias that was moved, or taken away. */
export interface MovedAlias {
  readonly name: string;
  readonly alias: string;
  /** `v3`. */
  readonly from: string;
  readonly to: string | null;
}

/** What somebody gets, and what they lose. */
export interface Effect {
  /** How many versions they lacked. */
  readonly versions: number;
  /** Numbers that are gone, ascending. */
  readonly deleted: readonly number[];
}

export async function effectOf(
  source: NodeSource,
  { before, after }: { readonly before: Artifact | undefined; readonly after: Artifact },
): Promise<Effect> {
  let versions = 0;
  const deleted: number[] = [];
  for (const number of await changedNumbers(source, before, after)) {
    const had = before && (await findVersion(source, before, number));
    const has = await findVersion(source, after, number);
    if (had === undefined && has !== undefined) versions++;
    if (had !== undefined && has === undefined) deleted.push(number);
  }
  return { versions, deleted: deleted.sort((a, b) => a - b) };
}

/** What is gone from `name`, in words of results; nothing if nothing is. */
export function deletedFrom(name: ArtifactName, after: Artifact, { deleted }: Effect): DeletedVersions[] {
  if (deleted.length === 0) return [];
  const to = after.state.versionCount === 0 ? after.state.ext[RENAMED_TO] : undefined;
  return [{ name, renamedTo: typeof to === 'string' ? to : null, numbers: deleted }];
}

/** Aliases that name another version than before, or none; not those of versions that are gone. */
export function movedAliases(
  name: ArtifactName,
  { before, after }: { readonly before: Artifact; readonly after: Artifact },
  { deleted }: Effect,
): MovedAlias[] {
  const gone = new Set(deleted);
  return [...before.state.aliases].flatMap(([alias, from]) => {
    const to = after.state.aliases.get(alias);
    if (to === from || (to === undefined && gone.has(from))) return [];
    return [{ name, alias, from: `v${from}`, to: to === undefined ? null : `v${to}` }];
  });
}
