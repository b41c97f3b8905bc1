/** Remembers folders that hold part of a version, and keeps them from being taken for all of it. */
import { ArtError, utf8 } from '#base';
import type { Digest } from '#object';
import { MapBuilder, graft } from '#tree';
import type { TreeIo } from '#tree';
import type { Binding, Held } from '#version';
import type { CommitPlan } from './commit-plan.ts';

/** Raises PARTIAL_FOLDER if what the folder lacks of its own artifact would vanish from the next version. */
export function refusePartial({ name, folder }: CommitPlan, held: Held | undefined): void {
  if (held === undefined || !held.partial || held.artifact !== name) return;
  const shown = JSON.stringify(folder);
  throw new ArtError(
    'PARTIAL_FOLDER',
    `${shown} holds only part of "${name}:v${held.number}", and the next version would lose the rest`,
    {
      hint: `\`art commit ${name} --onto ${name}:v${held.number} --add .=PATH --overwrite\` keeps the rest; \`art checkout ${name} PATH\` fetches it.`,
    },
  );
}

/** Raises BINDING_CONFLICT if the bound folder `dir` would hold only part of a version. */
export function refusePartOf(dir: string, binding: Binding | undefined): void {
  if (binding === undefined) return;
  throw new ArtError(
    'BINDING_CONFLICT',
    `${JSON.stringify(dir)} is bound to "${binding.name}" and would then hold only part of it`,
    { hint: 'Name another folder for part of a version.' },
  );
}

/**
 * What a folder holds once `paths` (prefixes; none for everything) of the version `wanted` were put there: these, and
 * whatever it held besides. So what was never put there is no change, and what was put there of another version is none
 * either.
 */
export async function heldPart(
  io: TreeIo,
  before: Held | undefined,
  wanted: Digest,
  paths: readonly string[],
): Promise<Digest> {
  if (paths.length === 0) return wanted;
  const start = before?.tree ?? new MapBuilder(io).finish().digest;
  return (await graft(io, start, wanted, paths.map(utf8))).digest;
}
