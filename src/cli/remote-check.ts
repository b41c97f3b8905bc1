/** `art remote check`: tries a store, and says in words what it may be used for. */
import { ERRORS } from '#base';
import type { Repository } from '#repo';
import type { Checked, Verdict } from '#sync';
import type { Output } from './output.ts';
import { openRemote } from './remote-words.ts';
import { alignRows, printable } from './text.ts';
import type { Environment } from './who.ts';

const MEANING: Record<Verdict, string> = {
  shared: 'many may push to it at once, and clean it',
  single: 'it would lose what several push at once',
  unusable: 'it does not keep what is put into it',
};

/** What a command ends with that found out such a thing by itself. */
const { exit: UNFIT } = ERRORS.REMOTE_UNSHARED;

/** Gives the exit status: that of REMOTE_UNSHARED for a store that must not be shared. */
export async function checkRemote(
  repository: Repository,
  name: string,
  setting: { readonly out: Output; readonly env: Environment; readonly now: () => number },
): Promise<number> {
  const { out, env, now } = setting;
  const { checkBucket, checkPacks, verdictOf } = await import('#sync');
  const remote = repository.remote(name);
  await using bucket = await openRemote(repository.root, remote, { env, now });
  const { signal } = repository.context;
  const packs = await checkPacks(repository, { remote: remote.name, bucket });
  const tried = await checkBucket(bucket, { depth: 'full', now, ...(signal && { signal }) });
  const checks = packs === undefined ? tried : [...tried, packs];
  const { name: called, url } = remote;
  return tellChecks({ name: called, url, verdict: verdictOf(checks), checks }, out);
}

/** What was tried at a remote, and what follows from it. */
export interface CheckedRemote {
  readonly name: string;
  readonly url: string;
  readonly verdict: Verdict;
  readonly checks: readonly Checked[];
}

/** A store that is not fit is a result like any other: which promises it does not keep is what was asked. */
export async function tellChecks(checked: CheckedRemote, out: Output): Promise<number> {
  const { name, verdict, checks } = checked;
  const status = verdict === 'shared' ? 0 : UNFIT;
  if (out.json) {
    out.document(checked);
    return status;
  }
  const rows = checks.map(({ check, ok, needed, detail }) => [
    ok
      ? out.style('green', 'ok')
      : out.style(needed === 'advice' ? 'yellow' : 'red', needed === 'advice' ? 'note' : 'fails'),
    check,
    printable(detail),
  ]);
  for (const line of alignRows(rows)) await out.line(line);
  if (verdict === 'shared') out.say(`${name} is fit for sharing: ${MEANING[verdict]}`);
  else {
    await out.line(`${name} is ${out.style('red', 'not fit for sharing')}: ${MEANING[verdict]}`);
    out.note('choose a store with conditional writes, or a folder that only one machine writes to');
  }
  return status;
}
