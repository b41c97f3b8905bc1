/** Keeps a folder that holds part of a version from being taken for all of it. */
import { ArtError } from '#base';
import type { Held } from '#version';
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
