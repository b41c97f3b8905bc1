/** Decides which frames that come from elsewhere are kept as they are stored, and are not compressed anew. */
import { CHUNK } from '#object';
import type { ObjectId } from '#object';
import { CODEC_ZSTD, isReadAlike } from './compression.ts';
import { isInline } from './location.ts';
import type { Location } from './location.ts';
import type { ArrivedFrame } from './object-store.ts';
import { FRAME_RAW_MAX } from './pack-format.ts';
import { isOneFrame } from './zstd-frame.ts';

/** Shorter ones, as small commits leave them, take less in company. */
const FRAME_RAW_MIN = FRAME_RAW_MAX / 4;
const SAVING_MIN = 0.05;

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
  const rawBytes = raw.length;
  const { codec } = objects[0].location;
  if (codec !== CODEC_ZSTD || rawBytes < FRAME_RAW_MIN || rawBytes > FRAME_RAW_MAX) return undefined;
  if (stored.length > rawBytes * (1 - SAVING_MIN)) return undefined;
  const ordered = [...objects].sort(
    (a, b) => a.location.inFrame - b.location.inFrame || a.location.bytes - b.location.bytes,
  );
  let end = 0;
  for (const { id, location } of ordered) {
    if (id.kind !== CHUNK || location.inFrame !== end) return undefined;
    end += location.bytes;
  }
  if (end !== rawBytes || !isOneFrame(stored, rawBytes)) return undefined;
  const ids = ordered.map(({ id }) => id);
  const lengths = ordered.map(({ location }) => location.bytes);
  const inline = ordered
    .filter(({ location: { bytes } }) => isInline({ kind: CHUNK, bytes }))
    .map(({ location: { inFrame, bytes } }) => Buffer.from(raw.subarray(inFrame, inFrame + bytes)));
  return { ids, lengths, rawBytes, codec, stored, inline };
}
