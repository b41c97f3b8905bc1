/** Decides which frames that come from elsewhere are kept as they are stored, and are not compressed anew. */
import { CHUNK } from '#object';
import type { ObjectId } from '#object';
import { isReadAlike } from './compression.ts';
import { isInline } from './location.ts';
import type { Location } from './location.ts';
import type { ArrivedFrame } from './object-store.ts';
import { byPlaceInFrame, filled, mayStay } from './whole-frames.ts';
import { isOneFrame } from './zstd-frame.ts';

type Placed = readonly { readonly id: ObjectId; readonly location: Location }[];

/**
 * The frame that is `stored` and holds `raw`, if it may be kept: `objects` are some of it, each verified, and have to be all
 * there is in it; and whatever Node reads it later must find the same there.
 */
export async function arrivedFrame(
  stored: Uint8Array,
  raw: Uint8Array,
  objects: Placed,
): Promise<ArrivedFrame | undefined> {
  const frame = wholeFrame(stored, raw, objects);
  return frame !== undefined && (await isReadAlike(stored, raw)) ? frame : undefined;
}

/** As far as can be told without decompressing it. */
export function wholeFrame(stored: Uint8Array, raw: Uint8Array, objects: Placed): ArrivedFrame | undefined {
  const ordered = [...objects].sort((a, b) => byPlaceInFrame(a.location, b.location));
  const places = ordered.map(({ location }) => location);
  const ids = ordered.map(({ id }) => id);
  if (!mayStay(places[0]) || filled(places) !== 'frame') return undefined;
  if (ids.some(({ kind }) => kind !== CHUNK) || !isOneFrame(stored, raw.length)) return undefined;
  const lengths = places.map(({ bytes }) => bytes);
  const inline = places
    .filter(({ bytes }) => isInline({ kind: CHUNK, bytes }))
    .map(({ inFrame, bytes }) => Buffer.from(raw.subarray(inFrame, inFrame + bytes)));
  return { ids, lengths, rawBytes: raw.length, codec: places[0].codec, stored, inline };
}
