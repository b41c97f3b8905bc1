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

interface Sides {
  readonly before: Artifact | undefined;
  readonly after: Artifact;
}

export async function effectOf(source: NodeSource, { before, after }: Sides): Promise<Effect> {
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

/** What is gone from `name`, in words of results; nothing if nothing is. A rename counts in the step that brings it. */
export function deletedFrom(
  name: ArtifactName,
  { before, after }: Sides,
  { deleted }: Pick<Effect, 'deleted'>,
): DeletedVersions[] {
  if (deleted.length === 0) return [];
  const to = after.state.ext[RENAMED_TO];
  const isNew = typeof to === 'string' && to !== before?.state.ext[RENAMED_TO];
  return [{ name, renamedTo: isNew ? to : null, numbers: deleted }];
}

/** What others took away here, and which aliases they moved; a version that only got another number is neither. */
export async function lossOf(
  source: NodeSource,
  name: ArtifactName,
  { before, after }: Sides & { readonly before: Artifact },
  renumbered: ReadonlyMap<number, number>,
): Promise<{ readonly deleted: readonly DeletedVersions[]; readonly moved: readonly MovedAlias[] }> {
  const { deleted } = await effectOf(source, { before, after });
  const gone = new Set(deleted.filter((number) => !renumbered.has(number)));
  const moved = [...before.state.aliases].flatMap(([alias, number]) => {
    const from = renumbered.get(number) ?? number;
    const to = after.state.aliases.get(alias);
    if (to === from || (to === undefined && gone.has(from))) return [];
    return [{ name, alias, from: `v${from}`, to: to === undefined ? null : `v${to}` }];
  });
  return { deleted: deletedFrom(name, { before, after }, { deleted: [...gone] }), moved };
}
