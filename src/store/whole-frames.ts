/** Tells which frames may go on as they are stored, and whether objects are all there is in one. */
import { CODEC_NONE } from './compression.ts';
import type { Location } from './location.ts';
import { FRAME_RAW_MAX } from './pack-format.ts';

/** Shorter frames, as small commits leave them, are not worth keeping: in company their objects take less. */
const FRAME_RAW_MIN = FRAME_RAW_MAX / 4;

/** Longer ones than are made here, and any that gain nothing, are made anew as well. */
export function mayStay({ codec, rawBytes, storedBytes }: Location): boolean {
  const stays = rawBytes >= FRAME_RAW_MIN && rawBytes <= FRAME_RAW_MAX;
  return codec !== CODEC_NONE && stays && storedBytes < rawBytes;
}

/** The order of a frame's objects. What is empty begins where the next does, and comes before it. */
export function byPlaceInFrame(a: Location, b: Location): number {
  return a.inFrame - b.inFrame || a.bytes - b.bytes;
}

/** How much of their frame these places, in their order, fill without a gap: all of it, its beginning, or neither. */
export function filled(places: readonly Location[]): 'frame' | 'beginning' | 'stretch' {
  let end = 0;
  for (const { inFrame, bytes } of places) {
    if (inFrame !== end) return 'stretch';
    end += bytes;
  }
  return end === places[0].rawBytes ? 'frame' : 'beginning';
}
