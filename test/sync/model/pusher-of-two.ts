/** What a pusher does that publishes one version under two names in one push: both pointers are read, then both swapped. */
import type { Step } from './explorer.ts';
import { again, afterPointers, PUSHER_AT } from './pusher-turn.ts';
import type { Turn } from './pusher-turn.ts';
import { neededBy, objectNames, POINTERS } from './scene.ts';
import { liveIn, swapped } from './state.ts';
import type { State } from './state.ts';

/**
 * Step 1 and 3 for the second pointer. The content is one, so what was walked for the first is known: what was passed over
 * there, as live in its pointer, must be looked for all the same.
 */
export function readSecondPointer(turn: Turn): readonly Step<State>[] {
  const { state, world, mine, me, version, second } = turn;
  const { rules, scene } = world;
  const pointer = state.pointers[mine.also!];
  const name = POINTERS[mine.also!];
  if (!pointer.exists && rules.pointerCreatedFirst) {
    const next = swapped(state, scene, mine.also!, { exists: 1 });
    return [turn.step(`step 1: creates the pointer of ${name}, empty`, {}, next)];
  }
  if ((pointer.versions | pointer.tombstones) & version) {
    const act = `step 5: finds its version in ${name}`;
    if (second.firstDone) return [turn.end(`${act} too: done`, PUSHER_AT.done)];
    return [turn.stepOfTwo(act, { at: afterPointers(turn) }, { done: 1 })];
  }
  const needs = neededBy(scene, version);
  const passedOver = second.firstDone || rules.walkedForEach ? 0 : needs & ~me.rest;
  const rest = needs & ~liveIn(scene, pointer) & ~passedOver;
  const act = `step 1: reads the pointer of ${name}; ${objectNames(rest)} may be missing`;
  return [turn.stepOfTwo(act, { at: afterPointers(turn) }, { rest, fresh: 1 })];
}

/** Step 6, whatever becomes of the other one. */
export function swapFirst(turn: Turn): Step<State> {
  const { me, mine, second, pointerName } = turn;
  const at = PUSHER_AT.secondSwap;
  if (second.firstDone) return turn.step(`step 6: leaves ${pointerName} as it is`, { at });
  if (!me.fresh) return turn.step(`step 6: the swap of ${pointerName} is lost`, { at });
  return turn.stepOfTwo(
    `step 6: swaps the pointer of ${pointerName}`,
    { at },
    { firstDone: 1 },
    published(turn, mine.pointer),
  );
}

export function swapSecond(turn: Turn): readonly Step<State>[] {
  const { mine, second } = turn;
  const name = POINTERS[mine.also!];
  if (!second.done && !second.fresh) return [again(turn, `step 6: the swap of ${name} is lost`)];
  const next = second.done ? turn.state : published(turn, mine.also!);
  const act = second.done ? `step 6: leaves ${name} as it is` : `step 6: swaps the pointer of ${name}`;
  if (second.firstDone) return [turn.end(act, PUSHER_AT.done, next)];
  return [again(turn, act, next)];
}

function published({ state, world, version }: Turn, at: number): State {
  return swapped(state, world.scene, at, { exists: 1, versions: state.pointers[at].versions | version });
}
