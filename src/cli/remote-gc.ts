/** Runs gc at a remote and tells what it did, and what comes next. */
import { formatAge, formatBytes, formatCount } from '#base';
import type { RemoteGcResult } from '#sync';
import type { Invocation, Options } from './command.ts';
import { openRemote } from './remote-words.ts';
import { printable } from './text.ts';

interface Asked {
  readonly remote: string;
  readonly dryRun: boolean;
  /** Hours. */
  readonly minAge: number | undefined;
  readonly grace: number | undefined;
}

type Means = Pick<Invocation<Options>, 'out' | 'now' | 'env' | 'open'>;

const HOUR_MS = 60 * 60 * 1000;

export async function runRemoteGc(asked: Asked, means: Means): Promise<void> {
  const { out, now } = means;
  const result = await collected(asked, means);
  if (out.json) return out.document(documentOf(result));
  for (const line of linesOf(result, asked, now())) out.say(line);
  for (const reason of result.reasons) out.say(`  ${printable(reason)}`);
}

/** The keys of gc here first: what reads those reads these. */
function documentOf({ freed, kept, packs, reasons, due, ...rest }: RemoteGcResult) {
  const when = due === null ? null : new Date(due).toISOString();
  return { freed, kept, packs, expired: [], reasons, ...rest, due: when };
}

async function collected(
  { remote, dryRun, minAge, grace }: Asked,
  { now, env, open }: Means,
): Promise<RemoteGcResult> {
  const { collectRemote } = await import('#sync');
  await using repository = await open({ signed: true });
  await using bucket = await openRemote(repository.root, repository.remote(remote), { env, now });
  return await collectRemote(repository, {
    remote,
    bucket,
    dryRun,
    ...(minAge !== undefined && { minAgeMs: minAge * HOUR_MS }),
    ...(grace !== undefined && { graceMs: grace * HOUR_MS }),
  });
}

function linesOf(result: RemoteGcResult, { remote, dryRun }: Asked, nowMs: number): string[] {
  const { deleted, freed, condemned, condemnedBytes, copied, waiting, due, packs, kept } = result;
  const lines: string[] = [];
  const would = dryRun ? 'would be ' : '';
  const named = (count: number, bytes: number) => `${formatCount(count, 'pack')} (${formatBytes(bytes)})`;
  if (deleted > 0) lines.push(`${named(deleted, freed)} ${would}deleted`);
  if (condemned > 0) {
    const rest = copied > 0 ? `; ${formatBytes(copied)} of them ${would}copied into new packs` : '';
    lines.push(`${named(condemned, condemnedBytes)} ${would}condemned${rest}`);
  }
  if (due !== null) {
    const when = `${new Date(due).toISOString().slice(0, 16).replace('T', ' ')} UTC (${formatAge(due, nowMs)})`;
    lines.push(`${formatCount(waiting, 'condemned pack')} can be deleted from ${when}:`);
    lines.push(`run \`art gc --remote ${remote}\` again then`);
  }
  if (lines.length === 0) lines.push('nothing to free');
  lines.push(`${named(packs, kept)} in use at ${remote}`);
  return lines;
}
