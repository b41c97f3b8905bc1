/** Reads every pointer of a bucket, and fences them: swaps an epoch into each, so that older plans cannot be published. */
import { ArtError, isArtError } from '#base';
import { bytesBody, readAll } from './bucket.ts';
import type { Tag } from './bucket.ts';
import type { GcSite } from './remote-gc-site.ts';
import { ALL_POINTERS, isProbe } from './keys.ts';
import { POINTER_BYTES_MAX, decodePointer, encodePointer, newNonce } from './pointer.ts';
import type { Pointer } from './pointer.ts';
import { pauseBeforeTry } from './swap-pointer.ts';

export interface PointerAt {
  readonly key: string;
  readonly tag: Tag;
  readonly pointer: Pointer;
}

const POINTERS_AT_ONCE = 8;
/** How often a swap of unknown outcome that turns out as nothing is tried again. */
const TRIES = 8;

/** The keys of all pointers, listed anew, a few at a time. */
export async function* pointerKeys({ bucket, options }: GcSite): AsyncGenerator<readonly string[]> {
  let page: string[] = [];
  for await (const { key } of bucket.list(ALL_POINTERS, options)) {
    if (isProbe(key)) continue;
    page.push(key);
    if (page.length < POINTERS_AT_ONCE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * The pointer at `key`, or undefined if somebody took it away by hand. Raises REMOTE_CORRUPT: what a damaged one keeps
 * alive nobody can tell.
 */
export async function readPointerAt(
  { bucket, options }: GcSite,
  key: string,
): Promise<PointerAt | undefined> {
  const got = await bucket.get(key, options);
  if (got === undefined) return undefined;
  const bytes = (await readAll(got.body, POINTER_BYTES_MAX)) ?? new Uint8Array(0);
  return { key, tag: got.tag, pointer: decodePointer(bytes, `${key} in ${bucket.url}`) };
}

/**
 * Brings every pointer to `epoch`, also those that are empty: whoever read one before must read it again, and with it
 * what is condemned. Gives how many were swapped.
 */
export async function fence(site: GcSite, epoch: number): Promise<number> {
  let swapped = 0;
  for await (const keys of pointerKeys(site)) {
    const fenced = await Promise.all(keys.map((key) => fenceOne(site, key, epoch)));
    swapped += fenced.filter(Boolean).length;
  }
  return swapped;
}

async function fenceOne(site: GcSite, key: string, epoch: number): Promise<boolean> {
  const { bucket, options, context } = site;
  for (let attempt = 1, unheard = 0; ; attempt++) {
    const at = await readPointerAt(site, key);
    if (at === undefined || at.pointer.epoch >= epoch) return attempt > 1;
    const { seq } = at.pointer;
    const next = { ...at.pointer, seq: seq + 1, epoch, writer: context.author, nonce: newNonce() };
    try {
      if ((await bucket.putIfTag(key, bytesBody(encodePointer(next)), at.tag, options)) !== undefined)
        return true;
    } catch (error) {
      if (!isArtError(error, 'REMOTE_UNCERTAIN') || ++unheard === TRIES) throw error;
    }
    // A pusher was faster. Each time somebody has moved on, so there is no limit.
    await pauseBeforeTry(attempt, context.signal);
  }
}

/** Turns a refusal to write into what is to be done about it. */
export function writeDenied(error: unknown): unknown {
  if (!isArtError(error, 'REMOTE_DENIED')) return error;
  return new ArtError('REMOTE_DENIED', error.message, {
    cause: error,
    hint: 'gc needs credentials that may list, read, put and delete; `--dry-run` needs to read only.',
  });
}
