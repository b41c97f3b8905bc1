/** Steps 7 to 9 of gc: looks at every condemned pack first, deletes those that nobody needs, and says that it has swept. */
import { COLLECTOR_AT } from './collector-turn.ts';
import type { CollectorTurn } from './collector-turn.ts';
import type { Step } from './explorer.ts';
import { bits, has, objectNames, PACKS } from './scene.ts';
import type { PackSet } from './scene.ts';
import { condemned, objectsIn, PHASE, RESTING_COLLECTOR } from './state.ts';
import type { State } from './state.ts';

/**
 * Step 7: "each condemned pack of which every marked object has a copy in a pack that is neither condemned nor missing,
 * verified by ranged read". Step 8: "what must stay stays condemned". From here on `listed` is what will be deleted.
 */
export function check(turn: CollectorTurn): Step<State> {
  const { me, state } = turn;
  const doomed = me.index === 0 ? doomedBy(turn) : me.listed;
  const pack = [...bits(doomed)].find((each) => each >= me.index);
  if (pack === undefined) {
    if (doomed === 0) return swept(turn);
    return deleteFirst(turn, doomed);
  }
  const change = { index: pack + 1, listed: doomed };
  const kept = objectsIn(state.packs, 1 << pack) & me.marked & ~copiesElsewhere(turn, pack);
  if (!kept || isDeletedUnseen(turn, pack))
    return turn.step(`step 7: finds that nobody needs ${PACKS[pack]}`, change);
  return turn.step(`step 8: keeps ${PACKS[pack]} for ${objectNames(kept)}`, {
    ...change,
    listed: doomed & ~(1 << pack),
  });
}

/** What the epochs condemn that were fenced before this mark: later ones are still to be fenced, and to be marked for. */
function doomedBy({ me, state, world }: CollectorTurn): PackSet {
  const { rules } = world;
  const all = condemned(state.gc, rules.sweptAfterItsFence ? me.epoch : undefined);
  return (rules.condemnedAdopted ? all : me.listed) & state.packs.present;
}

function copiesElsewhere({ state, world }: CollectorTurn, pack: number): number {
  const { copyVerified, copyNotCondemned } = world.rules;
  const others = copyVerified ? state.packs.present : 0xff;
  return objectsIn(state.packs, others & ~(copyNotCondemned ? condemned(state.gc) : 1 << pack));
}

function isDeletedUnseen({ me, world }: CollectorTurn, pack: number): boolean {
  return !world.rules.keptUntilCopied && has(me.copied, pack);
}

/** Step 7: "delete (idx, then pack, by tag where possible)". */
export function remove(turn: CollectorTurn): Step<State> {
  return turn.me.listed === 0 ? swept(turn) : deleteFirst(turn, turn.me.listed);
}

function deleteFirst(turn: CollectorTurn, doomed: PackSet): Step<State> {
  const { state, world } = turn;
  const { packs } = state;
  const [pack] = bits(doomed);
  const other = world.rules.deletesConditional && has(packs.renewed, pack);
  const present = other ? packs.present : packs.present & ~(1 << pack);
  const act = other
    ? `step 7: finds ${PACKS[pack]} put again, and leaves it`
    : `step 7: deletes pack ${PACKS[pack]}`;
  const change = { at: COLLECTOR_AT.delete, index: 0, marked: 0, names: 0, listed: doomed & ~(1 << pack) };
  return turn.step(act, change, { ...state, packs: { ...packs, present } });
}

/** Step 9: "state SWEPT". */
function swept(turn: CollectorTurn): Step<State> {
  const { me, state, world } = turn;
  const { condemnedKept, staysCondemned } = world.rules;
  const left = (set: PackSet) =>
    set & (condemnedKept ? 0xff : state.packs.present) & (staysCondemned ? 0xff : ~state.packs.present);
  const gc = {
    ...state.gc,
    condemned1: left(state.gc.condemned1),
    condemned2: left(state.gc.condemned2),
    phase: state.gc.epoch === me.epoch ? PHASE.swept : state.gc.phase,
  };
  return turn.step(`step 9: has swept epoch ${me.epoch}`, RESTING_COLLECTOR, { ...state, gc });
}
