/** Everything that the bucket and the actors hold at one instant, in sets of packs, objects and versions. */
import { interned } from './interned.ts';
import { neededBy, X, Y } from './scene.ts';
import type { Objects, PackSet, Scene, ScenePusher } from './scene.ts';
import type { Rules } from './rules.ts';

export interface Packs {
  readonly present: PackSet;
  /** The packs that hold X or did; an idx in somebody's cache outlives its pack. */
  readonly x: PackSet;
  readonly y: PackSet;
  /** Where names are not unique: packs put again since gc listed them. */
  readonly renewed: PackSet;
}

/** The keys below `gc/`. */
export interface GcKeys {
  readonly condemned1: PackSet;
  readonly condemned2: PackSet;
  /** The epochs whose condemned key exists, a bit each. */
  readonly written: number;
  readonly phase: number;
  readonly epoch: number;
}

export const PHASE = { swept: 0, condemned: 1, fenced: 2 } as const;

export interface Pointer {
  readonly exists: number;
  /** The live versions, a bit each. */
  readonly versions: number;
  readonly tombstones: number;
  readonly epoch: number;
}

/** A pusher; `fresh`: the pointer still has the tag that this actor read. Tags never repeat, so that is all of a tag. */
export interface Pusher {
  readonly at: number;
  /** The packs whose idx it has cached. */
  readonly knows: PackSet;
  /** The packs it has read to be condemned. */
  readonly avoids: PackSet;
  readonly packsSent: number;
  /** What it must still find or send. */
  readonly rest: Objects;
  readonly fresh: number;
  readonly retries: number;
  /** The epoch that the pointer had. */
  readonly epoch: number;
  /** The versions that the pointer had. */
  readonly versions: number;
}

/** What a pusher of two pointers knows of the second one; it is `done` there, or with the first, once it has swapped it. */
export interface Second {
  readonly rest: Objects;
  readonly fresh: number;
  readonly done: number;
  readonly firstDone: number;
}

export interface Deleter {
  readonly at: number;
  readonly fresh: number;
  readonly done: number;
}

export interface Collector {
  readonly at: number;
  readonly epoch: number;
  /** The pointer or the pack that comes next. */
  readonly index: number;
  readonly listed: PackSet;
  /** The pointers that were listed. */
  readonly names: number;
  readonly marked: Objects;
  /** The packs whose live objects it has copied. */
  readonly copied: PackSet;
}

export interface State {
  readonly packs: Packs;
  readonly gc: GcKeys;
  readonly pointers: readonly Pointer[];
  readonly pushers: readonly Pusher[];
  /** Of each pusher, whether it has a second pointer or not. */
  readonly seconds: readonly Second[];
  readonly deleter: Deleter;
  readonly collectors: readonly Collector[];
}

/** What does not change while the story goes on. */
export interface World {
  readonly scene: Scene;
  readonly rules: Rules;
}

export function firstState(scene: Scene): State {
  const holding = (object: Objects) =>
    scene.packs.reduce((set, objects, pack) => (objects & object ? set | (1 << pack) : set), 0);
  const all = (1 << scene.packs.length) - 1;
  return {
    packs: { present: all & ~(scene.lost ?? 0), x: holding(X), y: holding(Y), renewed: 0 },
    gc: { condemned1: 0, condemned2: 0, written: 0, phase: PHASE.swept, epoch: 0 },
    pointers: scene.pointers.map((kind) => ({
      exists: Number(kind !== 'absent'),
      versions: Number(kind === 'v0'),
      tombstones: 0,
      epoch: 0,
    })),
    pushers: scene.pushers.map(() => restingPusher(0)),
    seconds: scene.pushers.map(() => RESTING_SECOND),
    deleter: { at: 0, fresh: 0, done: 0 },
    collectors: Array.from({ length: scene.collectors }, () => RESTING_COLLECTOR),
  };
}

export function restingPusher(at: number): Pusher {
  return {
    at,
    knows: 0,
    avoids: 0,
    packsSent: 0,
    rest: 0,
    fresh: 0,
    retries: 0,
    epoch: 0,
    versions: 0,
  };
}

export const RESTING_SECOND: Second = { rest: 0, fresh: 0, done: 0, firstDone: 0 };

export const RESTING_COLLECTOR: Collector = {
  at: 0,
  epoch: 0,
  index: 0,
  listed: 0,
  names: 0,
  marked: 0,
  copied: 0,
};

/** The objects that at least one of `packs` holds. */
export function objectsIn({ x, y }: Packs, packs: PackSet): Objects {
  return ((x & packs) !== 0 ? X : 0) | ((y & packs) !== 0 ? Y : 0);
}

/** All packs condemned in epochs up to `epoch`. */
export function condemned({ condemned1, condemned2 }: GcKeys, epoch = 2): PackSet {
  return (epoch >= 1 ? condemned1 : 0) | (epoch >= 2 ? condemned2 : 0);
}

/** The objects that a pointer keeps alive. */
export function liveIn(scene: Scene, pointer: Pointer): Objects {
  return neededBy(scene, pointer.versions);
}

/** The pointers that a listing shows. */
export function listedNames({ pointers }: State): number {
  return pointers.reduce((set, { exists }, index) => set | (exists << index), 0);
}

/** Puts a new value into a pointer: whoever read an earlier one holds a stale tag from now on. */
export function swapped(state: State, scene: Scene, at: number, value: Partial<Pointer>): State {
  const { pushers, deleter } = state;
  return {
    ...state,
    pointers: replaced(state.pointers, at, { ...state.pointers[at], ...value }),
    pushers: pushers.map((pusher, i) =>
      pusher.fresh && scene.pushers[i].pointer === at ? { ...pusher, fresh: 0 } : pusher,
    ),
    seconds: state.seconds.map((second, i) =>
      second.fresh && scene.pushers[i].also === at ? { ...second, fresh: 0 } : second,
    ),
    deleter: deleter.fresh && scene.deleter.pointer === at ? { ...deleter, fresh: 0 } : deleter,
  };
}

/** Puts a pack of `objects` named `name`, or where names are not unique, named as an equal one was. */
export function packPut(
  { packs }: State,
  { uniqueNames }: Rules,
  objects: Objects,
  name: number,
): { readonly packs: Packs; readonly pack: number } {
  const same = uniqueNames
    ? -1
    : Array.from({ length: 8 }, (_, pack) => objectsIn(packs, 1 << pack)).indexOf(objects);
  const pack = same >= 0 ? same : name;
  const bit = 1 << pack;
  return {
    pack,
    packs: {
      present: packs.present | bit,
      x: objects & X ? packs.x | bit : packs.x,
      y: objects & Y ? packs.y | bit : packs.y,
      renewed: uniqueNames ? 0 : packs.renewed | bit,
    },
  };
}

export function replaced<T>(list: readonly T[], at: number, value: T): readonly T[] {
  return list.map((old, index) => (index === at ? value : old));
}

const packsWord = interned<Packs>({ present: 8, x: 8, y: 8, renewed: 8 });
const gcWord = interned<GcKeys>({ condemned1: 8, condemned2: 8, written: 3, phase: 2, epoch: 2 });
const pointerWord = interned<Pointer>({ exists: 1, versions: 3, tombstones: 3, epoch: 2 });
const deleterWord = interned<Deleter>({ at: 1, fresh: 1, done: 2 });
const pusherWord = interned<Pusher>({
  at: 4,
  knows: 8,
  avoids: 8,
  packsSent: 2,
  rest: 2,
  fresh: 1,
  retries: 2,
  epoch: 2,
  versions: 3,
});
const secondWord = interned<Second>({ rest: 2, fresh: 1, done: 1, firstDone: 1 });
const collectorWord = interned<Collector>({
  at: 4,
  epoch: 2,
  index: 4,
  listed: 8,
  names: 2,
  marked: 2,
  copied: 8,
});

/**
 * The same state without what can no longer matter: a pack that is gone and that nobody knows of, the epochs of pointers
 * where nobody reads them.
 */
export function settled(state: State, { rules, scene }: World): State {
  if (!rules.uniqueNames) return state;
  const { packs, gc } = state;
  let known = packs.present | (scene.lost ?? 0);
  for (const { knows } of state.pushers) known |= knows;
  for (const { listed, copied } of state.collectors) known |= listed | copied;
  const forgotten = (packs.x | packs.y | condemned(gc)) & ~known;
  const epochs = rules.condemnedNewerToo && state.pointers.some(({ epoch }) => epoch !== 0);
  if (forgotten === 0 && !epochs) return state;
  return {
    ...state,
    packs: forgotten ? { ...packs, x: packs.x & known, y: packs.y & known } : packs,
    gc: forgotten ? { ...gc, condemned1: gc.condemned1 & known, condemned2: gc.condemned2 & known } : gc,
    pointers: epochs ? state.pointers.map((pointer) => ({ ...pointer, epoch: 0 })) : state.pointers,
    pushers: forgotten
      ? state.pushers.map((pusher) => ({ ...pusher, avoids: pusher.avoids & known }))
      : state.pushers,
  };
}

/** How many words a state of the scene takes. */
export function wordsOf({ pushers, collectors }: Scene): number {
  return 4 + pushers.length + pushers.filter(hasSecond).length + collectors;
}

function hasSecond({ also }: ScenePusher): boolean {
  return also !== undefined;
}

export function writeState(state: State, words: Uint32Array, scene: Scene): void {
  let at = 0;
  words[at++] = packsWord.word(state.packs);
  words[at++] = gcWord.word(state.gc);
  words[at++] = pointerWord.word(state.pointers[0]) | (pointerWord.word(state.pointers[1]) << 16);
  words[at++] = deleterWord.word(state.deleter);
  for (const pusher of state.pushers) words[at++] = pusherWord.word(pusher);
  for (const [i, second] of state.seconds.entries())
    if (hasSecond(scene.pushers[i])) words[at++] = secondWord.word(second);
  for (const collector of state.collectors) words[at++] = collectorWord.word(collector);
}

export function readState(words: Uint32Array, scene: Scene): State {
  let at = 4 + scene.pushers.length;
  const seconds = scene.pushers.map((pusher) =>
    hasSecond(pusher) ? secondWord.value(words[at++]) : RESTING_SECOND,
  );
  return {
    packs: packsWord.value(words[0]),
    gc: gcWord.value(words[1]),
    pointers: [pointerWord.value(words[2] & 0xffff), pointerWord.value(words[2] >>> 16)],
    deleter: deleterWord.value(words[3]),
    pushers: scene.pushers.map((_, i) => pusherWord.value(words[4 + i])),
    seconds,
    collectors: Array.from({ length: scene.collectors }, (_, i) => collectorWord.value(words[at + i])),
  };
}
