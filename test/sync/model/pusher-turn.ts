/** What all steps of a pusher have in common: where it is, and how it goes on. */
import type { Step } from './explorer.ts';
import { POINTERS, PUSHERS } from './scene.ts';
import type { ScenePusher } from './scene.ts';
import { replaced, RESTING_SECOND, restingPusher } from './state.ts';
import type { Pusher, Second, State, World } from './state.ts';

export const PUSHER_AT = {
  start: 0,
  pointer: 1,
  condemned: 2,
  plan: 3,
  send: 4,
  swap: 5,
  uncertain: 6,
  /** It has told its user that the version is published. */
  done: 7,
  /** It has told its user that nothing is published. */
  over: 8,
  /** The same for the second pointer, of whoever has two. */
  secondPointer: 9,
  secondSwap: 10,
} as const;

/** One pusher at one state: what its steps read, and how they go on. */
export class Turn {
  readonly me: Pusher;
  readonly mine: ScenePusher;
  readonly name: string;
  /** Its version, as a set of one. */
  readonly version: number;
  readonly state: State;
  readonly index: number;
  readonly world: World;

  constructor(state: State, index: number, world: World) {
    this.state = state;
    this.index = index;
    this.world = world;
    this.me = state.pushers[index];
    this.mine = world.scene.pushers[index];
    this.name = PUSHERS[index];
    this.version = 2 << index;
  }

  get second() {
    return this.state.seconds[this.index];
  }

  get pointer() {
    return this.state.pointers[this.mine.pointer];
  }

  get pointerName() {
    return POINTERS[this.mine.pointer];
  }

  /** Everything whose idx can be synced now. */
  get indexed() {
    return this.state.packs.present | (this.world.scene.lost ?? 0);
  }

  step(act: string, change: Partial<Pusher>, state = this.state): Step<State> {
    const pusher = { ...state.pushers[this.index], ...change };
    return {
      actor: this.name,
      act,
      next: { ...state, pushers: replaced(state.pushers, this.index, pusher) },
    };
  }

  /** The same with what it knows of its second pointer. */
  stepOfTwo(act: string, change: Partial<Pusher>, of: Partial<Second>, state = this.state): Step<State> {
    const second = { ...state.seconds[this.index], ...of };
    return this.step(act, change, { ...state, seconds: replaced(state.seconds, this.index, second) });
  }

  end(act: string, at: number, state = this.state): Step<State> {
    return this.stepOfTwo(act, restingPusher(at), RESTING_SECOND, state);
  }
}

/** Where a pusher goes on that has read its pointers. */
export function afterPointers({ world }: Turn): number {
  return world.rules.pointerBeforeCondemned ? PUSHER_AT.condemned : PUSHER_AT.plan;
}

/** Begins again from the pointers, or gives up. */
export function again(turn: Turn, act: string, state = turn.state): Step<State> {
  const { me, world } = turn;
  if (me.retries === (world.scene.retries ?? 1)) return turn.end(`${act}; gives up`, PUSHER_AT.over, state);
  const at = world.rules.pointerBeforeCondemned ? PUSHER_AT.pointer : PUSHER_AT.condemned;
  const change = { at, retries: me.retries + 1, rest: 0, fresh: 0, epoch: 0, versions: 0 };
  return turn.stepOfTwo(`${act}; begins again`, change, RESTING_SECOND, state);
}
