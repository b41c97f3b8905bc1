/** Looks whether the packs of a remote are all there, as long as their indexes say: what a push finds wanting it sends anew. */
import { isArtError } from '#base';
import { promisedAnything, type Repository } from '#repo';
import type { Checked } from './bucket.ts';
import type { SyncRequest } from './pull.ts';
import { RemoteSession } from './session.ts';

/** Undefined where no bucket of art is. What is found is remembered. Raises REMOTE_REPLACED, REMOTE_CORRUPT. */
export async function checkPacks(
  { context }: Repository,
  { remote, bucket }: Pick<SyncRequest, 'remote' | 'bucket'>,
): Promise<Checked | undefined> {
  const session = new RemoteSession(context, remote, bucket);
  try {
    const index = await session.openIndex();
    await index.refresh();
    const { count } = index.ailing;
    const pending = index.ailing.isPending({ promised: await promisedAnything(context.disk) });
    const what = `${count} ${count === 1 ? 'pack is' : 'packs are'} damaged or gone`;
    const detail = pending
      ? `${what}: the next push sends anew what they held and is here`
      : `${what}; what they held and is here was sent anew`;
    const whole = 'each is there, as long as its index says';
    return {
      check: 'packs',
      ok: !pending,
      detail: count === 0 ? whole : detail,
      needed: 'advice',
    };
  } catch (error) {
    if (isArtError(error, 'REMOTE_EMPTY')) return undefined;
    throw error;
  }
}
