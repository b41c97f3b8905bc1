/** Tells a remote that was put back to an earlier state by the pointers that were seen there. */
import { ArtError } from '#base';
import { records } from '#repo';
import type { RecordSource } from '#store';
import { decodeSeen, remoteKeys, remoteOfKey } from '#version';
import type { ArtifactName } from '#version';
import { decodePointer } from './pointer.ts';
import type { Pointer } from './pointer.ts';

/** The pointers that were seen at `remote`, by artifact, as they were last. */
export async function seenPointers(
  source: RecordSource,
  remote: string,
): Promise<Map<ArtifactName, Pointer>> {
  const pointers = new Map<ArtifactName, Pointer>();
  for await (const { key, value } of records(source, remoteKeys.of(remote))) {
    const name = remoteOfKey(key).name as ArtifactName;
    pointers.set(
      name,
      decodePointer(decodeSeen(value).pointer, `the pointer of "${name}" seen at ${remote}`),
    );
  }
  return pointers;
}

/** What is to be said of a bucket with packs to which nothing leads. */
export function pointersGone(url: string): ArtError {
  return new ArtError(
    'REMOTE_CORRUPT',
    `${JSON.stringify(url)} has packs and no pointer that leads to them`,
    {
      hint: 'Bring back what lies below refs/ there; until then nothing is changed.',
    },
  );
}

/**
 * Raises REMOTE_REWRITTEN if the pointer that is there `now`, read after `before` was, is older. Whoever swaps a pointer
 * counts on: one that does not count further than another was there before it, or instead of it.
 */
export function requireNewer(
  now: Pointer | undefined,
  before: Pointer,
  { name, remote }: { readonly name: ArtifactName; readonly remote: string },
): void {
  const put = 'the remote was put back to an earlier state';
  if (now === undefined)
    throw new ArtError(
      'REMOTE_REWRITTEN',
      `"${name}" was seen at ${remote} and is not there any more: ${put}`,
    );
  if (now.seq < before.seq || (now.seq === before.seq && now.nonce !== before.nonce))
    throw new ArtError(
      'REMOTE_REWRITTEN',
      `"${name}" at ${remote} is older than when it was last seen: ${put}`,
    );
}
