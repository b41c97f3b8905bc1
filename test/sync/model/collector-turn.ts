/** One collector at one state: where it stands, in which order it goes on, and how it takes a step. */
import type { Step } from './explorer.ts';
import type { Rules } from './rules.ts';
import { replaced } from './state.ts';
import type { Collector, State, World } from './state.ts';

export const COLLECTOR_AT = {
  rest: 0,
  listNames: 1,
  mark: 2,
  copy: 3,
  condemn: 4,
  listNamesToFence: 5,
  fence: 6,
  listNamesAgain: 7,
  markAgain: 8,
  check: 9,
  delete: 10,
} as const;

export class CollectorTurn {
  readonly state: State;
  readonly index: number;
  readonly world: World;
  readonly me: Collector;
  readonly name: string;

  constructor(state: State, index: number, world: World) {
    this.state = state;
    this.index = index;
    this.world = world;
    this.me = state.collectors[index];
    this.name = world.scene.collectors === 1 ? 'gc' : `gc ${index + 1}`;
  }

  step(act: string, change: Partial<Collector>, state = this.state): Step<State> {
    const collectors = replaced(state.collectors, this.index, { ...this.me, ...change });
    return { actor: this.name, act, next: { ...state, collectors } };
  }
}

/** Where steps 3, 5, 6 and 7 begin, in the order in which the rules put them. */
function road(rules: Rules): readonly number[] {
  const { condemn, listNamesToFence: fence, listNamesAgain: mark, check } = COLLECTOR_AT;
  let stations: readonly number[] = [condemn, fence, mark, check];
  if (!rules.fenceAfterCondemned) stations = [fence, condemn, mark, check];
  if (!rules.fenceBeforeMark) stations = [condemn, mark, fence, check];
  return stations.filter((at) => (at !== fence || rules.fence) && (at !== mark || rules.secondMark));
}

/** The station after the one that began at `at`. */
export function after(at: number, { rules }: World): number {
  const stations = road(rules);
  return stations[stations.indexOf(at) + 1];
}
