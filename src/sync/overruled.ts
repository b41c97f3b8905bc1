/** Names what both sides changed differently and of which only ours is kept: nothing that was said is dropped unsaid. */
import { equalBytes } from '#base';
import type { History } from './merge.ts';
import { aliveAt } from './merge.ts';

interface Sides {
  readonly base: History | undefined;
  readonly ours: History;
  readonly theirs: History;
}

/** Descriptions and times to live of the artifact `name` and its versions, in words. */
export function overruledWords({ base, ours, theirs }: Sides, name: string): string[] {
  const words: string[] = [];
  if (bothChanged(base?.description ?? '', ours.description, theirs.description))
    words.push(`the description of "${name}"`);
  for (const number of ours.fates.keys()) {
    const [mine, its] = [aliveAt(ours, number), aliveAt(theirs, number)];
    if (mine === undefined || its === undefined || !equalBytes(mine.commit, its.commit)) continue;
    const before = aliveAt(base, number);
    if (bothChanged(before?.description, mine.description, its.description))
      words.push(`the description of "${name}:v${number}"`);
    if (bothChanged(before?.ttl ?? null, mine.ttl, its.ttl))
      words.push(`the time to live of "${name}:v${number}"`);
  }
  return words;
}

function bothChanged(before: unknown, mine: unknown, its: unknown): boolean {
  return mine !== its && mine !== before && its !== before;
}
