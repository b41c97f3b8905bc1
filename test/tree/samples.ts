/** Makes maps of many shapes for the tests of trees, each from a seed. */
import { compareBytes, murmur3, toHex } from '#base';
import { FILE, FOLDER, REFERENCE, SYMLINK } from '#object';
import type { MapEntry } from '#object';
import type { MapEdit } from '#tree';
import { entryOf } from './memory-nodes.ts';

/** Random whole numbers below a bound, the same for the same seed (mulberry32, Tommy Ettinger, public domain). */
export function dice(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const digits = (n: number, width: number) => n.toString().padStart(width, '0');
const isBoundary = (key: string, level: number) => (murmur3(Buffer.from(key), level) & 0x7f) === 0;

/** A key that is the least of `stem0`, `stem1` … that begins nodes on the lowest `levels` levels, or never on any. */
function crafted(stem: string, begins: boolean, levels: number): string {
  for (let i = 0; ; i++) {
    const key = `${stem}.${i}`;
    let matches = 0;
    for (let level = 0; level < levels; level++) if (isBoundary(key, level)) matches++;
    if (matches === (begins ? levels : 0)) return key;
  }
}

type Shape = (roll: (below: number) => number) => Map<string, MapEntry>;

function mapOf(all: Iterable<MapEntry>): Map<string, MapEntry> {
  return new Map(Array.from(all, (entry) => [toHex(entry.key), entry]));
}

function many(count: number, make: (i: number) => MapEntry): MapEntry[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Shapes of maps, each of which strains another part of the rule that cuts nodes. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  'a few entries': (roll) => mapOf(many(roll(4), (i) => entryOf(`f${i}`))),
  'files in folders': (roll) =>
    mapOf(
      many(roll(4000), (i) =>
        entryOf(`train/class_${digits(i >> 6, 4)}/img_${digits(i, 7)}.jpg`, { size: roll(2 ** 30) }),
      ),
    ),
  'every kind': (roll) =>
    mapOf(
      many(roll(1500), () => {
        const kind = ([FILE, SYMLINK, FOLDER, REFERENCE] as const)[roll(4)];
        const executable = (kind === FILE || kind === REFERENCE) && roll(2) === 0;
        const extra = new Uint8Array(roll(3) === 0 ? roll(60) : 0).fill(roll(256));
        return entryOf(`${roll(60)}/${roll(3000)}${kind === FOLDER ? '/' : ''}`, {
          kind,
          executable,
          extra,
          size: roll(9),
        });
      }),
    ),
  'random bytes': (roll) =>
    mapOf(many(roll(1500), () => entryOf(Uint8Array.from({ length: 1 + roll(3) }, () => roll(256))))),
  'long shared prefixes': (roll) =>
    mapOf(many(roll(900), (i) => entryOf(`${'deep/'.repeat(100 + 100 * (i % 3))}${digits(roll(9000), 5)}`))),
  'huge extras': (roll) =>
    mapOf(
      many(roll(300), (i) =>
        entryOf(`v${digits(i, 6)}`, { extra: new Uint8Array(roll(16 * 1024 + 1)).fill(i) }),
      ),
    ),
  'huge keys': (roll) =>
    mapOf(
      many(roll(60), (i) => entryOf(`${digits(i, 5)}${'k'.repeat(20_000 + roll(45_000))}`.slice(0, 65_535))),
    ),
  'keys that never begin a node': (roll) =>
    mapOf(many(roll(3500), (i) => entryOf(crafted(digits(i, 5), false, 2)))),
  'keys that always begin a node': (roll) =>
    mapOf(many(roll(900), (i) => entryOf(crafted(digits(i, 5), true, 1)))),
  'keys that begin nodes on two levels': (roll) =>
    mapOf(
      many(64 + roll(64), (i) =>
        entryOf(i % 8 === 0 ? crafted(digits(i, 5), true, 2) : crafted(digits(i, 5), true, 1)),
      ),
    ),
};

export function sorted(map: ReadonlyMap<string, MapEntry>): MapEntry[] {
  return [...map.values()].sort((a, b) => compareBytes(a.key, b.key));
}

/** Ways to change a map; each gives the changes, sorted, some of them without effect. */
export const CHANGES: Readonly<
  Record<string, (map: ReadonlyMap<string, MapEntry>, roll: (below: number) => number) => MapEdit[]>
> = {
  'a few anywhere': (map, roll) =>
    ordered(someOf(map, roll, 1 + roll(6)).map((entry) => anyChange(entry, roll))),
  'one in ten': (map, roll) =>
    ordered(someOf(map, roll, map.size / 10).map((entry) => anyChange(entry, roll))),
  'a dense run': (map, roll) => {
    const all = sorted(map);
    const start = roll(all.length + 1);
    return ordered(all.slice(start, start + 400).map((entry) => anyChange(entry, roll)));
  },
  'everything goes': (map) => sorted(map).map(({ key }) => ({ key, entry: undefined })),
  'all but the last few go': (map, roll) => {
    const all = sorted(map);
    return all.slice(0, Math.max(0, all.length - roll(40))).map(({ key }) => ({ key, entry: undefined }));
  },
  'all but the first few go': (map, roll) => {
    return sorted(map)
      .slice(roll(40))
      .map(({ key }) => ({ key, entry: undefined }));
  },
  'many are put before and after': (_, roll) =>
    ordered(
      many(roll(800), (i) => entryOf(`${i % 2 === 0 ? '\u0001' : '~~'}${digits(i, 4)}`)).map((entry) => ({
        key: entry.key,
        entry,
      })),
    ),
  'nothing comes of it': (map, roll) =>
    ordered([
      ...someOf(map, roll, 5).map((entry) => ({ key: entry.key, entry })),
      { key: Uint8Array.of(0, roll(256), 7), entry: undefined },
      { key: Uint8Array.of(255, roll(256), 7), entry: undefined },
    ]),
};

export function applied(
  map: ReadonlyMap<string, MapEntry>,
  changes: readonly MapEdit[],
): Map<string, MapEntry> {
  const after = new Map(map);
  for (const { key, entry } of changes) {
    if (entry === undefined) after.delete(toHex(key));
    else after.set(toHex(key), entry);
  }
  return after;
}

function someOf(
  map: ReadonlyMap<string, MapEntry>,
  roll: (below: number) => number,
  count: number,
): MapEntry[] {
  const all = [...map.values()];
  return all.length === 0 ? [] : many(Math.ceil(count), () => all[roll(all.length)]);
}

function anyChange(entry: MapEntry, roll: (below: number) => number): MapEdit {
  const what = roll(4);
  if (what === 0) return { key: entry.key, entry: undefined };
  if (what === 1) return { key: entry.key, entry: { ...entry, size: entry.size + 1 + roll(1000) } };
  if (what === 2)
    return { key: entry.key, entry: { ...entry, extra: new Uint8Array(roll(16 * 1024)).fill(3) } };
  const key = Buffer.concat([entry.key.subarray(0, 65_000), Buffer.from(`+${roll(50)}`)]);
  return { key, entry: { ...entry, key } };
}

/** Sorts changes and keeps the last of those that share a key. */
function ordered(changes: readonly MapEdit[]): MapEdit[] {
  const byKey = new Map(changes.map((change) => [toHex(change.key), change]));
  return [...byKey.values()].sort((a, b) => compareBytes(a.key, b.key));
}
