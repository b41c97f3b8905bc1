/** The scenes that are played: small ones in which one rule decides, and wide ones in which everybody meets. */
import { X, Y } from './scene.ts';
import type { Scene } from './scene.ts';

const BOTH = X | Y;
const NOBODY = { pointer: 0, times: 0 };

/** ann publishes what a mostly dead pack holds, while eve deletes the version that kept half of it alive. */
const otherName: Scene = {
  packs: [BOTH],
  pointers: ['v0', 'empty'],
  needs: [X, BOTH, Y],
  pushers: [{ pointer: 1 }],
  deleter: { pointer: 0, times: 1 },
  collectors: 1,
  rounds: 1,
};

const sameContent: Scene = {
  ...otherName,
  pointers: ['empty', 'empty'],
  needs: [X, X, X],
  pushers: [{ pointer: 0 }],
  deleter: NOBODY,
};

/** Played by every test run. */
export const SCENES = {
  otherName,
  /** The same, under a name that is not there yet. */
  newName: { ...otherName, pointers: ['v0', 'absent'] },
  /** The same, by a clone that does not hold X. */
  partialClone: { ...otherName, pushers: [{ pointer: 1, lacks: X }] },
  /** ann publishes, under the name that eve deletes from, what the deleted version needs. */
  sameName: { ...otherName, needs: [X, X, Y], pushers: [{ pointer: 0 }] },
  /** ann publishes what nobody needs yet and two packs hold. */
  duplicates: { ...sameContent, packs: [X, X] },
  /** The same, where one of the two packs is gone and only its idx tells of it. */
  lostPack: { ...sameContent, packs: [X, X], lost: 0b10 },
  /** ann and bob publish under one name and do not always hear how their swap ended. */
  repliesLost: {
    ...sameContent,
    packs: [BOTH],
    pushers: [{ pointer: 0 }, { pointer: 0 }],
    repliesLost: true,
  },
  /** ann publishes under two names at once what only one of them had, while eve deletes it there. */
  twoPointers: {
    ...sameContent,
    packs: [X],
    pointers: ['v0', 'empty'],
    pushers: [{ pointer: 0, also: 1 }],
    deleter: { pointer: 0, times: 1 },
  },
  /** Two processes run one round of gc. */
  ownList: { ...sameContent, packs: [X], needs: [X, Y, Y], pushers: [{ pointer: 1 }], collectors: 2 },
  /** Two processes run two rounds of gc, one of them arbitrarily slow. */
  slowCollector: { ...sameContent, packs: [BOTH], pushers: [{ pointer: 1 }], collectors: 2, rounds: 2 },
  /** ann and bob publish under two names, eve deletes, gc goes round twice. */
  twoRounds: {
    ...sameContent,
    packs: [BOTH],
    needs: [X, X, BOTH],
    pushers: [{ pointer: 0 }, { pointer: 1 }],
    deleter: { pointer: 0, times: 1 },
    rounds: 2,
  },
} as const satisfies Record<string, Scene>;

/** Played where there is time: minutes, and up to a gigabyte. */
export const WIDE_SCENES = {
  everybody: {
    packs: [BOTH],
    pointers: ['v0', 'absent'],
    needs: [X, BOTH, Y],
    pushers: [{ pointer: 0 }, { pointer: 1 }],
    deleter: { pointer: 0, times: 2 },
    collectors: 1,
    rounds: 2,
  },
  duplicatesAndReplies: {
    packs: [BOTH, X],
    pointers: ['v0', 'empty'],
    needs: [X, BOTH, X],
    pushers: [{ pointer: 0 }, { pointer: 1, lacks: X }],
    deleter: { pointer: 0, times: 1 },
    collectors: 1,
    rounds: 1,
    repliesLost: true,
  },
  twoCollectors: {
    packs: [X],
    pointers: ['empty', 'absent'],
    needs: [X, X, X],
    pushers: [{ pointer: 0 }, { pointer: 1 }],
    deleter: NOBODY,
    collectors: 2,
    rounds: 2,
  },
  patientPusher: { ...SCENES.otherName, rounds: 2, retries: 3, deleter: { pointer: 0, times: 1 } },
} as const satisfies Record<string, Scene>;
