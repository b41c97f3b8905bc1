/** The commands that are disturbed, each in a place of its own, and what they are for. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { noise } from '../../store/care.ts';
import type { CrashPlace } from './place.ts';
import { filesBelow, versionsIn, versionsInBucket } from './seen.ts';

export interface Scenario {
  readonly name: string;
  /** Whether packs are small, so that there are several. */
  readonly smallPacks?: true;
  /** Makes what was there before the command. */
  readonly prepare: (place: CrashPlace) => void;
  /** The folder that the command runs in, a repository but for `init`. */
  readonly cwd: string;
  readonly words: readonly string[];
  /** What the command is for: equal before it, or as after an undisturbed one. */
  readonly result: (path: string) => Promise<unknown>;
  /** Whether the result may be half done, for the repeated command to complete. Versions never are. */
  readonly mayBeHalf?: true;
  /** A command that is not to be repeated once it is done. */
  readonly once?: true;
}

const KIB = 1024;
const HERE = 'ada';
const versions = (path: string) => versionsIn(join(path, HERE));
const worktree = async (path: string) => [await versions(path), filesBelow(join(path, HERE))];
const small = (seed: number): Record<string, string | Uint8Array> => ({
  [`${HERE}/data/text.csv`]: `row ${seed}\n`.repeat(3000),
  [`${HERE}/data/large.bin`]: noise(seed, 400 * KIB),
  [`${HERE}/data/same.bin`]: noise(1, 300 * KIB),
  [`${HERE}/data/sub/tiny`]: `${seed}`,
  [`${HERE}/data/only-${seed}`]: 'x',
});

function begin(place: CrashPlace): void {
  place.write({ [`${HERE}/.keep`]: '' });
  place.art(HERE, 'init');
  commit(place, 0);
  commit(place, 1);
}

function commit(place: CrashPlace, seed: number): void {
  change(place, small(seed));
  place.art(HERE, 'commit', 'd', 'data', '-m', `version ${seed}`);
}

function change(place: CrashPlace, files: Readonly<Record<string, string | Uint8Array>>): void {
  rmSync(join(place.path, HERE, 'data'), { recursive: true, force: true });
  place.write(files);
}

const many = (seed: number) =>
  Object.fromEntries(
    Array.from({ length: 1200 }, (_, i) => [`${HERE}/data/${i % 7}/f${i}`, `${seed} ${i}\n`]),
  );
/** More than a journal takes: it goes into packs. */
const large = (seed: number, files = 12) =>
  Object.fromEntries(
    Array.from({ length: files }, (_, i) => [`${HERE}/data/f${i}`, noise(seed + i, 1000 * KIB)]),
  );

function share(place: CrashPlace): void {
  begin(place);
  place.write({ 'bucket/.keep': '' });
  rmSync(join(place.path, 'bucket', '.keep'));
  place.art(HERE, 'remote', 'add', 'origin', '../bucket');
  place.art(HERE, 'push');
}

/** Another repository of the same bucket, with a version more there. */
function other(place: CrashPlace, files: Readonly<Record<string, string | Uint8Array>>): void {
  place.art('', 'clone', 'bucket', 'ben');
  place.write(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`ben${path.slice(3)}`, content])),
  );
  place.art('ben', 'commit', 'd', 'data', '-m', 'by ben');
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'init',
    prepare: (place) => place.write({ [`${HERE}/notes`]: 'mine' }),
    cwd: HERE,
    words: ['init'],
    result: worktree,
    mayBeHalf: true,
  },
  {
    name: 'commit',
    prepare: (place) => {
      begin(place);
      change(place, small(2));
    },
    cwd: HERE,
    words: ['commit', 'd', '-m', 'new', '-a', 'best'],
    result: versions,
  },
  {
    name: 'commit into several packs',
    smallPacks: true,
    prepare: (place) => {
      begin(place);
      change(place, large(100));
    },
    cwd: HERE,
    words: ['commit', 'd', '-m', 'new'],
    result: versions,
  },
  {
    name: 'checkout',
    prepare: begin,
    cwd: HERE,
    words: ['checkout', 'd:v0'],
    result: worktree,
    mayBeHalf: true,
  },
  {
    name: 'checkout of many files',
    prepare: (place) => {
      place.write({ [`${HERE}/.keep`]: '' });
      place.art(HERE, 'init');
      for (const seed of [0, 1]) {
        change(place, many(seed));
        place.art(HERE, 'commit', 'd', 'data');
      }
    },
    cwd: HERE,
    words: ['checkout', 'd:v0'],
    result: worktree,
    mayBeHalf: true,
  },
  {
    name: 'gc',
    smallPacks: true,
    prepare: (place) => {
      begin(place);
      for (const seed of [100, 200]) {
        change(place, { ...large(seed, 6), [`${HERE}/data/kept`]: noise(9, 500 * KIB) });
        place.art(HERE, 'commit', 'd', 'data');
      }
      change(place, { [`${HERE}/data/f0`]: noise(100, 1000 * KIB) });
      place.art(HERE, 'commit', 'd', 'data');
      place.art(HERE, 'delete', 'd:v0', 'd:v2', 'd:v3', '--force');
    },
    cwd: HERE,
    words: ['gc', '--undo-window', '0'],
    result: versions,
  },
  {
    name: 'delete',
    prepare: begin,
    cwd: HERE,
    words: ['delete', 'd:v0', '--force'],
    result: versions,
    once: true,
  },
  {
    name: 'undo',
    prepare: (place) => {
      begin(place);
      place.art(HERE, 'delete', 'd:v0', '--force');
    },
    cwd: HERE,
    words: ['undo'],
    result: versions,
    once: true,
  },
  {
    name: 'push',
    prepare: (place) => {
      share(place);
      commit(place, 2);
    },
    cwd: HERE,
    words: ['push'],
    result: async (path) => [await versions(path), await bucketOf(path)],
  },
  {
    name: 'first push',
    prepare: (place) => {
      begin(place);
      place.write({ 'bucket/.keep': '' });
      rmSync(join(place.path, 'bucket', '.keep'));
      place.art(HERE, 'remote', 'add', 'origin', '../bucket');
    },
    cwd: HERE,
    words: ['push'],
    result: async (path) => [await versions(path), await bucketOf(path)],
    mayBeHalf: true,
  },
  {
    name: 'pull',
    prepare: (place) => {
      share(place);
      other(place, small(5));
      place.art('ben', 'push');
      commit(place, 2);
    },
    cwd: HERE,
    words: ['pull'],
    result: versions,
  },
  {
    name: 'repair of a database that is gone',
    prepare: (place) => {
      begin(place);
      rmSync(join(place.path, HERE, '.art', 'objects'), { recursive: true });
    },
    cwd: HERE,
    words: ['fsck', '--repair'],
    result: versions,
  },
];

function bucketOf(path: string): Promise<unknown> {
  return versionsInBucket(join(path, 'bucket'));
}
