/** `art remote check`: tries a store, and says in words what it may be used for. */
import { ArtError } from '#base';
import type { Repository } from '#repo';
import type { Verdict } from '#sync';
import type { Output } from './output.ts';
import { openRemote } from './remote-words.ts';
import { alignRows, printable } from './text.ts';
import type { Environment } from './who.ts';

const MEANING: Record<Verdict, string> = {
  shared: 'many may push to it at once, and clean it',
  single: 'it would lose what several push at once',
  unusable: 'it does not keep what is put into it',
};

/** Ends with REMOTE_UNSHARED, after all was told, for a store that must not be shared. */
export async function checkRemote(
  repository: Repository,
  name: string,
  setting: { readonly out: Output; readonly env: Environment; readonly now: () => number },
): Promise<void> {
  const { out, env, now } = setting;
  const { checkBucket, verdictOf } = await import('#sync');
  const remote = repository.remote(name);
  await using bucket = await openRemote(repository.root, remote, { env, now });
  const { signal } = repository.context;
  const checks = await checkBucket(bucket, { depth: 'full', now, ...(signal && { signal }) });
  const verdict = verdictOf(checks);
  if (out.json) await out.document({ name: remote.name, url: remote.url, verdict, checks });
  else {
    const rows = checks.map(({ check, ok, needed, detail }) => [
      ok
        ? out.style('green', 'ok')
        : out.style(needed === 'advice' ? 'yellow' : 'red', needed === 'advice' ? 'note' : 'fails'),
      check,
      printable(detail),
    ]);
    for (const line of alignRows(rows)) await out.line(line);
    if (verdict === 'shared') out.say(`${remote.name} is fit for sharing: ${MEANING[verdict]}`);
  }
  if (verdict === 'shared') return;
  throw new ArtError(
    'REMOTE_UNSHARED',
    `${JSON.stringify(remote.url)} is not fit for sharing: ${MEANING[verdict]}`,
    {
      hint: 'Choose a store with conditional writes, or a folder that only one machine writes to.',
    },
  );
}
