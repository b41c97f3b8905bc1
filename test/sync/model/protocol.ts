/** The protocol as a model: pushers, a deleter and collectors over one bucket, in every order there is. */
import { collectorSteps } from './collector.ts';
import { deleterSteps } from './deleter.ts';
import type { Model } from './explorer.ts';
import { isKept, pusherSteps, saidDone } from './pusher.ts';
import { FULL } from './rules.ts';
import { objectNames, POINTERS, PUSHERS } from './scene.ts';
import type { Scene } from './scene.ts';
import {
  condemned,
  firstState,
  liveIn,
  objectsIn,
  readState,
  settled,
  wordsOf,
  writeState,
} from './state.ts';
import type { State, World } from './state.ts';

const COPIES = 0b1100_0000;
const FIRST_PACKS = 0b11;

/** Tells the story of `scene` under `rules`. */
export function protocol(scene: Scene, rules = FULL): Model<State> {
  const world: World = { scene, rules };
  const live = (state: State) => state.pointers.reduce((sum, pointer) => sum | liveIn(scene, pointer), 0);
  return {
    first: firstState(scene),
    words: wordsOf(scene),
    write: (state, words) => writeState(settled(state, world), words, scene),
    read: (words) => readState(words, scene),
    steps: (state) => [
      ...state.pushers.flatMap((_, index) => pusherSteps(state, index, world)),
      ...deleterSteps(state, world),
      ...state.collectors.flatMap((_, index) => collectorSteps(state, index, world)),
    ],
    broken: (state) => dataMissing(state, scene) ?? pushForgotten(state, scene),
    sights: {
      'both pushers have published': ({ pushers }) => pushers.every(saidDone),
      'every pack is deleted': ({ packs }) => packs.present === 0,
      'published again after all was deleted': ({ packs, pointers }) =>
        (packs.present & FIRST_PACKS) === 0 && pointers.some(({ versions }) => versions !== 0),
      'a live object is held by a copy of gc alone': (state) =>
        (live(state) & ~objectsIn(state.packs, state.packs.present & ~COPIES)) !== 0,
      'a live object is held by a condemned pack alone': (state) =>
        (live(state) & ~objectsIn(state.packs, state.packs.present & ~condemned(state.gc))) !== 0,
      'two epochs are swept': ({ gc }) => gc.epoch === 2 && gc.phase === 0,
    },
  };
}

/** I2: what a pointer lists can be fetched. */
function dataMissing({ pointers, packs }: State, scene: Scene): string | undefined {
  const held = objectsIn(packs, packs.present);
  const index = pointers.findIndex((pointer) => (liveIn(scene, pointer) & ~held) !== 0);
  if (index < 0) return undefined;
  const missing = liveIn(scene, pointers[index]) & ~held;
  return `LOST: ${POINTERS[index]} is live, and no pack holds ${objectNames(missing)}`;
}

/** What was reported as published is listed, or somebody has deleted it by name. */
function pushForgotten(state: State, scene: Scene): string | undefined {
  const index = state.pushers.findIndex((pusher, each) => saidDone(pusher) && !isKept(state, scene, each));
  return index < 0
    ? undefined
    : `LOST: ${PUSHERS[index]} was told that v${index + 1} is published, and it is not`;
}
