/** A collector: one process that runs gc as "Gc" says, step by step, taking over what another one began. */
import { condemn, copy } from './collector-condemn.ts';
import { check, remove } from './collector-sweep.ts';
import { after, COLLECTOR_AT, CollectorTurn } from './collector-turn.ts';
import type { Step } from './explorer.ts';
import { has, objectNames, packNames, POINTERS } from './scene.ts';
import { listedNames, liveIn, PHASE, swapped } from './state.ts';
import type { State, World } from './state.ts';

/** What the collector numbered `index` can do next. */
export function collectorSteps(state: State, index: number, world: World): readonly Step<State>[] {
  const turn = new CollectorTurn(state, index, world);
  switch (turn.me.at) {
    case COLLECTOR_AT.rest:
      return begin(turn);
    case COLLECTOR_AT.listNames:
      return [listNames(turn, 'step 2', COLLECTOR_AT.mark)];
    case COLLECTOR_AT.mark:
      return [mark(turn, 'step 2', COLLECTOR_AT.copy)];
    case COLLECTOR_AT.copy:
      return copy(turn);
    case COLLECTOR_AT.condemn:
      return condemn(turn);
    case COLLECTOR_AT.listNamesToFence:
      return [listNames(turn, 'step 5', COLLECTOR_AT.fence)];
    case COLLECTOR_AT.fence:
      return [fence(turn)];
    case COLLECTOR_AT.listNamesAgain:
      return [listNames(turn, 'step 6', COLLECTOR_AT.markAgain)];
    case COLLECTOR_AT.markAgain:
      return [mark(turn, 'step 6', after(COLLECTOR_AT.listNamesAgain, world))];
    case COLLECTOR_AT.check:
      return [check(turn)];
    default:
      return [remove(turn)];
  }
}

/** Step 1: "list packs". And: "Any step may be repeated by another process": gc/state says where to go on. */
function begin(turn: CollectorTurn): readonly Step<State>[] {
  const { state, world } = turn;
  const { phase, epoch } = state.gc;
  if (phase === PHASE.condemned) {
    return [turn.step(`takes over epoch ${epoch}, condemned`, { at: COLLECTOR_AT.listNamesToFence, epoch })];
  }
  if (phase === PHASE.fenced) {
    return [turn.step(`takes over epoch ${epoch}, fenced`, { at: COLLECTOR_AT.listNamesAgain, epoch })];
  }
  if (epoch === world.scene.rounds) return [];
  const listed = state.packs.present;
  const change = { at: COLLECTOR_AT.listNames, epoch: epoch + 1, listed };
  const packs = { ...state.packs, renewed: 0 };
  return [turn.step(`step 1: lists the packs: ${packNames(listed) || 'none'}`, change, { ...state, packs })];
}

/** Steps 2, 5 and 6: "LIST refs/", each time anew. */
function listNames(turn: CollectorTurn, step: string, at: number): Step<State> {
  const { me, state, world } = turn;
  const { fenceListsAnew, markListsAnew } = world.rules;
  const anew = { [COLLECTOR_AT.fence]: fenceListsAnew, [COLLECTOR_AT.markAgain]: markListsAnew }[at] ?? true;
  const names = anew ? listedNames(state) : me.names;
  const marked = at === COLLECTOR_AT.fence ? me.marked : 0;
  return turn.step(`${step}: lists the pointers`, { at, names, marked, index: 0 });
}

/** Steps 2 and 6: "read every pointer, mark". */
function mark(turn: CollectorTurn, step: string, then: number): Step<State> {
  const { me, state, world } = turn;
  const pointer = state.pointers[me.index];
  const marked = has(me.names, me.index) ? me.marked | liveIn(world.scene, pointer) : me.marked;
  const last = me.index === state.pointers.length - 1;
  const change = last ? { at: then, index: 0, marked } : { index: me.index + 1, marked };
  return turn.step(`${step}: reads ${POINTERS[me.index]}; marked: ${objectNames(marked)}`, change);
}

/** Step 5: "swap gc epoch = E into every pointer"; a swap that is lost is tried again, so that it lands at one instant. */
function fence(turn: CollectorTurn): Step<State> {
  const { me, state, world } = turn;
  const { rules, scene } = world;
  const pointer = state.pointers[me.index];
  const skipped = !has(me.names, me.index) || (!rules.fenceEmpty && pointer.versions === 0);
  const epoch = Math.max(me.epoch, pointer.epoch);
  const fenced = skipped ? state : swapped(state, scene, me.index, { epoch });
  const act = `step 5: ${skipped ? 'passes over' : 'fences'} ${POINTERS[me.index]}`;
  if (me.index < state.pointers.length - 1) return turn.step(act, { index: me.index + 1 }, fenced);

  const { gc } = fenced;
  const first = gc.phase === PHASE.condemned && gc.epoch === me.epoch;
  const next = first ? { ...fenced, gc: { ...gc, phase: PHASE.fenced } } : fenced;
  return turn.step(act, { at: after(COLLECTOR_AT.listNamesToFence, world), index: 0 }, next);
}
