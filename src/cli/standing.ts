/** Tells people how artifacts stand against remotes, as those were last seen. */
import { formatCount } from '#base';
import type { RemoteStanding, Repository } from '#repo';
import type { Output } from './output.ts';
import { printable } from './text.ts';

const LINES_MAX = 20;

/** One line for each artifact and remote that are not alike; of all artifacts those first in order. */
export async function tellStandings(repository: Repository, out: Output, name?: string): Promise<void> {
  let lines = 0;
  for await (const standing of repository.standings(name)) {
    const text = standingText(standing);
    if (text === undefined) continue;
    if (++lines > LINES_MAX) return out.note('and more; name one to see how it stands');
    out.note(name === undefined ? `${printable(standing.name)}: ${text}` : text);
  }
}

function standingText({ remote, ahead, behind, unpushed }: RemoteStanding): string | undefined {
  if (remote === null) return ahead === 0 ? undefined : `${formatCount(ahead, 'version')} at no remote yet`;
  const counts = [
    ...(ahead > 0 ? [`${formatCount(ahead, 'version')} ahead of`] : []),
    ...(behind > 0 ? [`${formatCount(behind, 'version')} behind`] : []),
  ];
  const parts = [
    ...(counts.length > 0 ? [`${counts.join(', ')} ${remote}, as it was last seen`] : []),
    ...(unpushed.length > 0 ? [`${unpushed.join(', ')} not pushed to ${remote}`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
