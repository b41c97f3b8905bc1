/** What the bucket holds at first, who comes to it, and what they want. */

/** A set of the objects X (1) and Y (2). */
export type Objects = number;
/** A set of packs, a bit each. */
export type PackSet = number;

export interface Scene {
  /** What the packs hold that are there at first: two at most. */
  readonly packs: readonly Objects[];
  /** Those of them that an idx tells of, though the pack is gone. */
  readonly lost?: PackSet;
  /** The pointers: two. One that is absent is a name that somebody is about to create. */
  readonly pointers: readonly ('v0' | 'empty' | 'absent')[];
  /** What the versions v0, v1 (the first pusher's) and v2 (the second's) need. */
  readonly needs: readonly [Objects, Objects, Objects];
  readonly pushers: readonly ScenePusher[];
  /** Who deletes versions of the pointer, one at a time. */
  readonly deleter: { readonly pointer: number; readonly times: number };
  readonly collectors: 1 | 2;
  /** How many rounds of gc condemn something. */
  readonly rounds: 1 | 2;
  /** How often one push begins again; 1 unless told. */
  readonly retries?: number;
  /** Whether the outcome of a swap can stay unknown. */
  readonly repliesLost?: boolean;
}

export interface ScenePusher {
  readonly pointer: number;
  /** A second pointer, under which it publishes the same in one push. */
  readonly also?: number;
  /** Objects that its partial clone does not hold. */
  readonly lacks?: Objects;
}

export const X = 1;
export const Y = 2;
export const POINTERS = ['cats', 'dogs'];
export const PUSHERS = ['ann', 'bob'];
export const PACKS = ['P', 'Q', 'A1', 'A2', 'B1', 'B2', 'G1', 'G2'];

/** The packs that somebody may write, so that every name is its writer's own. */
export const PUSHER_PACKS = [
  [2, 3],
  [4, 5],
];

/** The pack that a collector may write in an epoch: of two, each writes in one epoch. */
export function collectorPack(scene: Scene, collector: number, epoch: number): number | undefined {
  if (scene.collectors === 1) return 5 + epoch;
  return collector === epoch - 1 ? 6 + collector : undefined;
}

export function packNames(set: PackSet): string {
  return PACKS.filter((_, pack) => has(set, pack)).join(' and ');
}

export function objectNames(objects: Objects): string {
  return ['X', 'Y'].filter((_, object) => has(objects, object)).join(' and ') || 'nothing';
}

export function has(set: number, bit: number): boolean {
  return (set & (1 << bit)) !== 0;
}

/** The objects that a set of versions keeps alive. */
export function neededBy(scene: Scene, versions: number): Objects {
  let objects = 0;
  for (let version = 0; version < 3; version++) if (has(versions, version)) objects |= scene.needs[version];
  return objects;
}

export function* bits(set: number): Generator<number> {
  for (let bit = 0; set >>> bit !== 0; bit++) if (has(set, bit)) yield bit;
}

/** Every subset but the empty one, the largest first. */
export function* subsets(set: number): Generator<number> {
  for (let each = set; each !== 0; each = (each - 1) & set) yield each;
}
