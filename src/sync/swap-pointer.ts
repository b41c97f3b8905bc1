/** Moves an artifact's pointer from one value to the next, if nobody else did. */
import { ArtError, isArtError, sleep } from '#base';
import type { ArtifactName } from '#version';
import { bytesBody } from './bucket.ts';
import { pointerKey } from './keys.ts';
import { encodePointer, newNonce } from './pointer.ts';
import type { Pointer } from './pointer.ts';
import type { RemoteSession, SeenPointer } from './session.ts';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 5000;
/** How often an unknown outcome that turns out as nothing is tried again. */
const TRIES = 8;

/** The pointer of a name, made empty if there is none: from then on it is a name like any other. */
export async function pointerOrNew(session: RemoteSession, name: ArtifactName): Promise<SeenPointer> {
  for (let attempt = 1; ; attempt++) {
    const found = await session.pointer(name);
    if (found !== undefined) return found;
    const { author } = session.context;
    const pointer = { state: null, seq: 0, epoch: 0, writer: author, nonce: newNonce(), packs: [] };
    const bytes = encodePointer(pointer);
    try {
      const tag = await session.bucket.putIfAbsent(pointerKey(name), bytesBody(bytes), session.options);
      if (tag !== undefined) return { tag, bytes, pointer };
    } catch (error) {
      // Looked at again above: whoever made it, it is there or not.
      if (!isArtError(error, 'REMOTE_UNCERTAIN') || attempt === TRIES) throw error;
    }
    if (attempt === TRIES)
      throw new ArtError('REMOTE_FAILED', `${session.bucket.url} does not keep the pointer of "${name}"`);
    await pauseBeforeTry(attempt, session.context.signal);
  }
}

/** The new value, or undefined if somebody else was first. An unknown outcome is looked up by the nonce. */
export async function swapPointer(
  session: RemoteSession,
  name: ArtifactName,
  from: SeenPointer,
  to: Pick<Pointer, 'state' | 'packs'>,
): Promise<SeenPointer | undefined> {
  const { seq, epoch } = from.pointer;
  const { author } = session.context;
  const pointer = { ...to, seq: seq + 1, epoch, writer: author, nonce: newNonce() };
  const bytes = encodePointer(pointer);
  for (let attempt = 1; ; attempt++) {
    try {
      const tag = await session.bucket.putIfTag(
        pointerKey(name),
        bytesBody(bytes),
        from.tag,
        session.options,
      );
      return tag === undefined ? undefined : { tag, bytes, pointer };
    } catch (error) {
      if (!isArtError(error, 'REMOTE_UNCERTAIN')) throw error;
      const now = await session.pointer(name);
      if (now?.pointer.nonce === pointer.nonce) return now;
      if (now?.tag !== from.tag) return undefined; // What we sent may lie below: merging finds it.
      if (attempt === TRIES) throw error;
      await pauseBeforeTry(attempt, session.context.signal);
    }
  }
}

/** Waits longer each time, never two processes alike. */
export function pauseBeforeTry(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const most = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(attempt, 10));
  return sleep(PAUSE_MIN_MS + Math.random() * (most - PAUSE_MIN_MS), signal);
}
