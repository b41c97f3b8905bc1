/** A pointer of a folder as a model: two writers, a file per value, and old values cleared away. */
import type { Model, Step } from './explorer.ts';
import { interned } from './interned.ts';

export const FOLDER_RULES = {
  linked:
    'a value is linked to the next number, which fails if that exists; without: a lock that can be taken over',
  checked: 'a writer that finds a higher number after its link does not know how its swap ended',
} as const;

export type FolderRules = Readonly<Record<keyof typeof FOLDER_RULES, boolean>>;

/** How many of the newest values are kept; the real folder keeps 64. */
const KEPT = 1;
const WRITERS = ['ann', 'bob', 'eve'];
const AT = { read: 0, write: 1, check: 2, done: 3 } as const;
const NUMBERS = 6;

interface Folder {
  /** The numbers that exist, a bit each; 0 is there at first. */
  readonly files: number;
  /** What the highest number lists: a bit each writer. */
  readonly head: number;
}

/** A writer adds itself to what it read: `number` and `base` are what that was. */
interface Writer {
  readonly at: number;
  readonly number: number;
  readonly base: number;
}

interface State {
  readonly folder: Folder;
  readonly writers: readonly Writer[];
}

const folderWord = interned<Folder>({ files: NUMBERS + 1, head: 3 });
const writerWord = interned<Writer>({ at: 2, number: 4, base: 3 });

/** Tells how three writers, any of which may be frozen at any time, swap one pointer. */
export function folderPointer(rules: FolderRules): Model<State> {
  const resting = { at: AT.read, number: 0, base: 0 };
  return {
    first: { folder: { files: 1, head: 0 }, writers: WRITERS.map(() => resting) },
    words: 1 + WRITERS.length,
    write({ folder, writers }, words) {
      words[0] = folderWord.word(folder);
      writers.forEach((writer, i) => (words[i + 1] = writerWord.word(writer)));
    },
    read: (words) => ({
      folder: folderWord.value(words[0]),
      writers: WRITERS.map((_, i) => writerWord.value(words[i + 1])),
    }),
    steps: (state) => state.writers.flatMap((_, index) => writerSteps(state, index, rules)),
    broken({ folder, writers }) {
      const index = writers.findIndex(({ at }, i) => at === AT.done && (folder.head & (1 << i)) === 0);
      return index < 0 ? undefined : `LOST: what ${WRITERS[index]} was told is written`;
    },
    sights: {
      'all have written': ({ folder }) => folder.head === (1 << WRITERS.length) - 1,
      'a number that was cleared away is written again': ({ folder }) =>
        (folder.files & (folder.files - 1)) !== 0 &&
        highest(folder.files & ~(1 << highest(folder.files))) === 1,
    },
  };
}

function writerSteps(state: State, index: number, rules: FolderRules): readonly Step<State>[] {
  const { folder } = state;
  const me = state.writers[index];
  const newest = highest(folder.files);
  const step = (act: string, change: Partial<Writer>, after = folder): Step<State> => {
    const writers = state.writers.map((writer, i) => (i === index ? { ...writer, ...change } : writer));
    return { actor: WRITERS[index], act, next: { folder: after, writers } };
  };
  const again = { at: AT.read, number: 0, base: 0 };
  const done = { at: AT.done, number: 0, base: 0 };

  if (me.at === AT.read) {
    if (folder.head & (1 << index)) return [step('finds its own value: done', done)];
    return [step(`reads number ${newest}`, { at: AT.write, number: newest, base: folder.head })];
  }
  if (me.at === AT.write) {
    const number = rules.linked ? me.number + 1 : newest + 1;
    if (number >= NUMBERS) return [];
    if (folder.files & (1 << number)) return [step(`finds number ${number} taken: lost`, again)];
    const head = number > newest ? me.base | (1 << index) : folder.head;
    const files = cleared(folder.files | (1 << number), number > newest ? number : newest);
    const act = rules.linked
      ? `links number ${number}`
      : `writes number ${number}, believing that it holds the lock`;
    return [step(act, rules.checked ? { at: AT.check, number, base: 0 } : done, { files, head })];
  }
  if (me.at === AT.check) {
    if (newest > me.number) return [step(`finds number ${newest} above its own: reads again`, again)];
    return [step('finds nothing above its own: done', done)];
  }
  return [];
}

/** Whoever writes a value clears all but the newest away; a stray number stays for the next one. */
function cleared(files: number, newest: number): number {
  return newest < KEPT ? files : files & ~((1 << (newest - KEPT + 1)) - 1);
}

function highest(files: number): number {
  return 31 - Math.clz32(files);
}
