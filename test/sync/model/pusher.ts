/** A pusher: publishes one version under a name, as "Push(artifact)" says, from an index as stale as you like. */
import { has, neededBy, objectNames, PACKS, PUSHER_PACKS } from './scene.ts';
import type { Scene } from './scene.ts';
import { readSecondPointer, swapFirst, swapSecond } from './pusher-of-two.ts';
import { again, afterPointers, PUSHER_AT, Turn } from './pusher-turn.ts';
import { condemned, liveIn, objectsIn, packPut, swapped } from './state.ts';
import type { Pusher, State, World } from './state.ts';
import type { Step } from './explorer.ts';

/** What the pusher numbered `index` can do next. */
export function pusherSteps(state: State, index: number, world: World): readonly Step<State>[] {
  const turn = new Turn(state, index, world);
  switch (turn.me.at) {
    case PUSHER_AT.start:
      return syncIdx(turn);
    case PUSHER_AT.pointer:
      return readPointer(turn);
    case PUSHER_AT.condemned:
      return readCondemned(turn);
    case PUSHER_AT.plan:
      return plan(turn);
    case PUSHER_AT.send:
      return send(turn);
    case PUSHER_AT.swap:
      return swap(turn);
    case PUSHER_AT.uncertain:
      return readAgain(turn);
    case PUSHER_AT.secondPointer:
      return readSecondPointer(turn);
    case PUSHER_AT.secondSwap:
      return swapSecond(turn);
    default:
      return [];
  }
}

/** The cache of idx is from any time before: everything may happen between this and the rest. */
function syncIdx(turn: Turn): readonly Step<State>[] {
  const { pointerBeforeCondemned } = turn.world.rules;
  const at = pointerBeforeCondemned ? PUSHER_AT.pointer : PUSHER_AT.condemned;
  return [turn.step('caches the idx of all packs', { at, knows: turn.indexed })];
}

/**
 * Step 1: "New name: first create its pointer empty, if absent. [...] Read the pointer (tag e, value v) before anything
 * that informs reuse." Step 3: "Need = closure(new) minus (a) subtrees of versions live in the pointer value that will
 * be swapped". Step 5: "A new commit already in theirs takes their number".
 */
function readPointer(turn: Turn): readonly Step<State>[] {
  const { state, world, pointer, pointerName, mine, version } = turn;
  const { rules, scene } = world;
  if (!pointer.exists && rules.pointerCreatedFirst) {
    const next = swapped(state, scene, mine.pointer, { exists: 1 });
    return [turn.step(`step 1: creates the pointer of ${pointerName}, empty`, {}, next)];
  }
  const isThere = ((pointer.versions | pointer.tombstones) & version) !== 0;
  if (isThere && mine.also !== undefined) {
    const act = `step 5: finds its version in ${pointerName}`;
    return [turn.stepOfTwo(act, { at: PUSHER_AT.secondPointer, rest: 0 }, { firstDone: 1 })];
  }
  if (isThere) {
    return [turn.end(`step 5: finds its version in ${pointerName}: done`, PUSHER_AT.done)];
  }
  let there = liveIn(scene, pointer);
  if (!rules.onlyOwnPointer) for (const other of state.pointers) there |= liveIn(scene, other);
  if (!rules.frontierOfSwapped && scene.pointers[mine.pointer] === 'v0') there |= neededBy(scene, 1);
  const rest = neededBy(scene, version) & ~there;
  return [
    turn.step(`step 1: reads the pointer of ${pointerName}; ${objectNames(rest)} may be missing`, {
      at: mine.also !== undefined ? PUSHER_AT.secondPointer : afterPointers(turn),
      rest,
      fresh: 1,
      epoch: rules.condemnedNewerToo ? 0 : pointer.epoch,
      versions: rules.swapsConditional ? 0 : pointer.versions,
    }),
  ];
}

/** Step 2: "Read gc/condemned/* for epochs up to v's and any newer listed". */
function readCondemned(turn: Turn): readonly Step<State>[] {
  const { state, me, world } = turn;
  const { rules } = world;
  const listed = condemned(state.gc, rules.condemnedNewerToo ? undefined : me.epoch);
  const at = rules.pointerBeforeCondemned ? PUSHER_AT.plan : PUSHER_AT.pointer;
  const avoids = rules.condemnedNotReused ? me.avoids | listed : 0;
  return [turn.step('step 2: reads what is condemned', { at, avoids })];
}

/**
 * Step 2: "sync missing idx/*", or not: a stale index is the harder case. Step 3: "minus (b) objects found by idx in packs that
 * are listed now and not condemned. Journaled packs of a resumed push count only by (b)."
 */
function plan(turn: Turn): readonly Step<State>[] {
  const { state, me, mine, index, world, indexed } = turn;
  const { rules } = world;
  const own = PUSHER_PACKS[index].reduce((set, pack) => set | (1 << pack), 0);
  const steps = [me.knows, me.knows | indexed].map((knows) => {
    let usable = knows & ~me.avoids;
    if (!rules.journaledCountAsFound) usable |= knows & own;
    if (rules.listedNow) usable &= state.packs.present;
    let rest = (me.rest | turn.second.rest) & ~objectsIn(state.packs, usable);
    if (!rules.lackedCopiedOut) rest &= ~(mine.lacks ?? 0);
    const idx = knows === me.knows ? 'its cached idx' : 'fresh idx';
    if (rest === 0)
      return turn.step(`step 3: finds all it needs by ${idx}`, { at: PUSHER_AT.swap, knows, rest });
    const at = rules.packsBeforePointer ? PUSHER_AT.send : PUSHER_AT.swap;
    return turn.step(`step 3: must send ${objectNames(rest)}, by ${idx}`, { at, knows, rest });
  });
  return me.knows === (me.knows | indexed) ? steps.slice(0, 1) : steps;
}

/**
 * Step 4: "Upload packs, then idx. What a partial clone lacks and only a condemned pack holds is copied out by ranged
 * get and uploaded anew, or nothing is published."
 */
function send(turn: Turn): readonly Step<State>[] {
  const { state, me, mine, index, world } = turn;
  const lacked = me.rest & (mine.lacks ?? 0);
  if (lacked & ~objectsIn(state.packs, state.packs.present)) {
    return [turn.end('step 4: cannot copy out what it lacks; publishes nothing', PUSHER_AT.over)];
  }
  const put = packPut(state, world.rules, me.rest, PUSHER_PACKS[index][me.packsSent]);
  const change = {
    at: world.rules.packsBeforePointer ? PUSHER_AT.swap : PUSHER_AT.done,
    knows: me.knows | (1 << put.pack),
    packsSent: me.packsSent + 1,
    rest: 0,
  };
  const how = lacked ? `, ${objectNames(lacked)} of it copied out of another pack` : '';
  const next = { ...state, packs: put.packs };
  return [turn.step(`step 4: sends pack ${PACKS[put.pack]} of ${objectNames(me.rest)}${how}`, change, next)];
}

/** Step 6: "swap the pointer with tag e. Lost → go to 1 (uploaded packs stay usable). 409, 5xx, time-out → read again". */
function swap(turn: Turn): readonly Step<State>[] {
  const { state, me, mine, version, world, pointer, pointerName } = turn;
  const { scene, rules } = world;
  if (mine.also !== undefined) return [swapFirst(turn)];
  if (!me.fresh && rules.swapsConditional) return [again(turn, 'step 6: the swap is lost')];
  const versions = (me.fresh ? pointer.versions : me.versions) | version;
  const next = swapped(state, scene, mine.pointer, { exists: 1, versions });
  const published = `step 6: swaps the pointer of ${pointerName}`;
  const done =
    me.rest === 0
      ? turn.end(published, PUSHER_AT.done, next)
      : turn.step(published, { at: PUSHER_AT.send }, next);
  if (!scene.repliesLost) return [done];
  return [
    done,
    turn.step(`${published}, but hears no answer`, { at: PUSHER_AT.uncertain }, next),
    turn.step('step 6: its swap does not arrive, and it hears no answer', { at: PUSHER_AT.uncertain }),
  ];
}

/** Step 6: "if the pointer carries our nonce it succeeded; if it moved on, step 5 finds our commits there". */
function readAgain(turn: Turn): readonly Step<State>[] {
  if (!turn.world.rules.uncertainReadAgain) return [turn.end('takes silence for success', PUSHER_AT.done)];
  return [again(turn, 'does not know how its swap ended')];
}

/** Whether the pusher has told its user that the version is published. */
export function saidDone(pusher: Pusher): boolean {
  return pusher.at === PUSHER_AT.done;
}

/** Whether every pointer that the pusher numbered `index` published under lists its version, or a tombstone of it. */
export function isKept({ pointers }: State, scene: Scene, index: number): boolean {
  const { pointer, also = pointer } = scene.pushers[index];
  return [pointer, also].every((at) => has(pointers[at].versions | pointers[at].tombstones, index + 1));
}
