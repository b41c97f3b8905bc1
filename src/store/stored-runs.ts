/** Cuts what is to be read into runs: frames of which every object is wanted, and stretches of all else. */
import type { Location } from './location.ts';
import { byPlaceInFrame, filled, mayStay } from './whole-frames.ts';

/** About what is read in one go: it is verified, and written by others, while it is still near. */
const STRETCH_BYTES = 1024 * 1024;
const STRETCH_OBJECTS = 128;
/** Frames of more objects are taken apart: no more ids than that wait for the rest of theirs. */
const FRAME_OBJECTS_MAX = 4096;

export interface Run {
  /** Which of the places, by number; those of one frame in its order. */
  readonly at: readonly number[];
  /** All there is in a frame, the beginning of one that goes on behind what was asked for, or neither. */
  readonly what: 'frame' | 'beginning' | 'stretch';
}

/** Every place in one run, mostly in their order. At most the last is a beginning. */
export function runsOf(locations: readonly Location[]): Run[] {
  const frames = framesOf(locations);
  const last = frames.findLast((frame) => frame !== undefined);
  const begun = last?.what === 'beginning' ? last : undefined;
  const runs: Run[] = [];
  let stretch: number[] = [];
  let bytes = 0;
  const endStretch = () => {
    if (stretch.length > 0) runs.push({ at: stretch, what: 'stretch' });
    stretch = [];
    bytes = 0;
  };
  for (const [i, frame] of frames.entries()) {
    if (frame !== undefined && frame === begun) continue;
    if (frame?.what === 'frame') {
      if (frame.first === i) runs.push(frame);
      continue;
    }
    stretch.push(i);
    bytes += locations[i].bytes;
    if (bytes >= STRETCH_BYTES || stretch.length >= STRETCH_OBJECTS) endStretch();
  }
  endStretch();
  if (begun !== undefined) runs.push(begun);
  return runs;
}

interface FrameOfPlaces extends Run {
  readonly at: number[];
  /** The one of its places that was asked for first. */
  readonly first: number;
  what: Run['what'];
}

/** For each place the frame that it is in, unless that is taken apart in any case. */
function framesOf(locations: readonly Location[]): (FrameOfPlaces | undefined)[] {
  const found = new Map<string, FrameOfPlaces>();
  const frames = locations.map((location, i) => {
    if (!mayStay(location)) return undefined;
    const key = `${location.pack}:${location.offset}`;
    const frame = found.get(key) ?? { at: [], first: i, what: 'stretch' };
    if (frame.first === i) found.set(key, frame);
    frame.at.push(i);
    return frame;
  });
  for (const frame of found.values()) {
    if (frame.at.length > FRAME_OBJECTS_MAX) continue;
    frame.at.sort((a, b) => byPlaceInFrame(locations[a], locations[b]));
    frame.what = filled(frame.at.map((i) => locations[i]));
  }
  return frames;
}
