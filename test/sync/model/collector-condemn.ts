/** Step 3 of gc: copies the live objects of packs worth it, and condemns packs by putting condemned(E) if absent. */
import { after, COLLECTOR_AT } from './collector-turn.ts';
import type { CollectorTurn } from './collector-turn.ts';
import type { Step } from './explorer.ts';
import { bits, collectorPack, has, objectNames, PACKS, packNames, subsets } from './scene.ts';
import type { PackSet } from './scene.ts';
import { condemned, objectsIn, packPut, PHASE } from './state.ts';
import type { Collector, GcKeys, State } from './state.ts';

/**
 * Packs "whose live objects have been copied into new packs (mostly dead, or under 4 MiB)": any one that has dead objects
 * or is condemned may be, and any two together.
 */
export function copy(turn: CollectorTurn): readonly Step<State>[] {
  const { me, state, index, world } = turn;
  const { rules, scene } = world;
  const at = rules.fenceAfterCondemned ? COLLECTOR_AT.condemn : COLLECTOR_AT.listNamesToFence;
  const steps = [turn.step('step 3: copies nothing', { at })];
  const name = collectorPack(scene, index, me.epoch);
  if (name === undefined) return steps;
  for (const set of subsets(me.listed & state.packs.present)) {
    if (!isWorthCopying(turn, set)) continue;
    const objects = objectsIn(state.packs, set) & me.marked;
    const { packs, pack } = packPut(state, rules, objects, name);
    const act = `step 3: copies ${objectNames(objects)} of ${packNames(set)} into pack ${PACKS[pack]}`;
    steps.push(turn.step(act, { at, copied: set }, { ...state, packs }));
  }
  return steps;
}

function isWorthCopying({ me, state }: CollectorTurn, set: PackSet): boolean {
  const objects = objectsIn(state.packs, set);
  const size = [...bits(set)].length;
  const small = size === 2 || (objects & ~me.marked) !== 0 || (set & condemned(state.gc)) !== 0;
  return size <= 2 && small && (objects & me.marked) !== 0;
}

/** "write condemned(E) = packs [...] that are unreachable, or whose live objects have been copied". */
export function condemn(turn: CollectorTurn): readonly Step<State>[] {
  const { me, state, world } = turn;
  if (!has(state.gc.written, me.epoch)) return choices(turn).map((set) => write(turn, set));
  const act = `step 3: finds condemned(${me.epoch}) written`;
  const at = after(COLLECTOR_AT.condemn, world);
  if (world.rules.condemnedAdopted) return [turn.step(act, { at, ...remembered(turn, 0) })];
  return choices(turn).map((set) =>
    turn.step(`${act}, and goes on with its own`, { at, ...remembered(turn, set) }),
  );
}

/** Every choice of packs to condemn: some are spared for their age or a lease, which the model leaves open. */
function choices({ me, state }: CollectorTurn): readonly PackSet[] {
  let fit = me.copied;
  for (const pack of bits(me.listed)) if (!(objectsIn(state.packs, 1 << pack) & me.marked)) fit |= 1 << pack;
  const leftOver = condemned(state.gc) & state.packs.present;
  return [...subsets(fit & ~condemned(state.gc)), ...(leftOver ? [0] : [])];
}

function write(turn: CollectorTurn, set: PackSet): Step<State> {
  const { me, state, world } = turn;
  const gc: GcKeys = {
    condemned1: me.epoch === 1 ? set : state.gc.condemned1,
    condemned2: me.epoch === 2 ? set : state.gc.condemned2,
    written: state.gc.written | (1 << me.epoch),
    phase: PHASE.condemned,
    epoch: me.epoch,
  };
  const change = { at: after(COLLECTOR_AT.condemn, world), ...remembered(turn, set) };
  return turn.step(`step 3: condemns ${packNames(set) || 'nothing new'}`, change, { ...state, gc });
}

/** What the later steps still need of the earlier ones: nothing, but for rules that are switched off. */
function remembered({ me, world }: CollectorTurn, set: PackSet): Partial<Collector> {
  const { condemnedAdopted, keptUntilCopied, secondMark, fenceListsAnew } = world.rules;
  return {
    index: 0,
    listed: condemnedAdopted ? 0 : set,
    copied: keptUntilCopied ? 0 : me.copied,
    marked: secondMark ? 0 : me.marked,
    names: fenceListsAnew ? 0 : me.names,
  };
}
