/** Writes the seeded inputs of the benches: one large file, many small ones, one flat folder. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { byteStream, Random } from './random.ts';

const MIB = 1024 * 1024;
const SEED = 20_240_229;

export interface LargeFile {
  readonly mib: number;
  /** How many places are overwritten, together 1 % of the file. */
  readonly editedPlaces: number;
  /** Whether one MiB of new bytes stands before the middle. */
  readonly inserted: boolean;
}

/** Writes `folder`/model.bin: incompressible, `mib` MiB, in place when it is there already. */
export function writeLargeFile(folder: string, { mib, editedPlaces, inserted }: LargeFile): void {
  mkdirSync(folder, { recursive: true });
  const next = byteStream(SEED);
  const other = byteStream(SEED + 1);
  const edited = new Set(new Random(SEED).choose(editedPlaces, mib));
  const editBytes = edited.size === 0 ? 0 : Math.min(MIB, Math.floor((mib * MIB) / 100 / edited.size));
  const file = openSync(join(folder, 'model.bin'), 'w');
  try {
    for (let block = 0; block < mib; block++) {
      if (inserted && block === mib >> 1) writeSync(file, other(MIB));
      const bytes = next(MIB);
      if (edited.has(block)) bytes.set(other(editBytes), (MIB - editBytes) >> 1);
      writeSync(file, bytes);
    }
  } finally {
    closeSync(file);
  }
}

export interface SmallFiles {
  readonly count: number;
  /** How much of them, seeded, has other content in `second`: between 0 and 1. */
  readonly share: number;
  /** `changed` writes only that share; the rest are not touched. */
  readonly only: 'all' | 'changed';
  readonly content: 'first' | 'second';
}

/** Writes `count` files of 1 to 10 KiB, half text and half random, into folders of 100 to 1,000 files. */
export function writeSmallFiles(folder: string, { count, share, only, content }: SmallFiles): void {
  const random = new Random(SEED);
  const chosen = new Set(random.choose(Math.max(1, Math.round(count * share)), count));
  const words = vocabulary();
  let path = '';
  let left = 0;
  for (let index = 0, folders = 0; index < count; index++, left--) {
    if (left === 0) {
      left = 100 + random.below(901);
      path = join(folder, `part_${String(folders++).padStart(4, '0')}`);
      mkdirSync(path, { recursive: true });
    }
    if (only === 'changed' && !chosen.has(index)) continue;
    const variant = content === 'second' && chosen.has(index) ? 1 : 0;
    const name = `item_${String(index).padStart(7, '0')}.${index % 2 === 0 ? 'txt' : 'bin'}`;
    writeFileSync(join(path, name), smallContent(index, variant, words));
  }
}

function smallContent(index: number, variant: number, words: readonly Uint8Array[]): Uint8Array {
  const random = new Random(SEED + index, variant);
  const bytes = Buffer.allocUnsafe(1024 + random.below(9 * 1024 + 1));
  if (index % 2 === 1) random.fill(bytes);
  else fillWithText(bytes, random, words);
  return bytes;
}

function fillWithText(bytes: Uint8Array, random: Random, words: readonly Uint8Array[]): void {
  for (let at = 0; at < bytes.length;) {
    // Squaring the choice makes few words common and most rare, as in real text.
    const choice = (random.next() >>> 0) / 4294967296;
    const word = words[Math.floor(choice * choice * words.length)]!;
    bytes.set(word.length <= bytes.length - at ? word : word.subarray(0, bytes.length - at), at);
    at += word.length;
  }
}

function vocabulary(): Uint8Array[] {
  const random = new Random(SEED + 2);
  return Array.from({ length: 4096 }, () => {
    const letters = Array.from({ length: 2 + random.below(9) }, () => 97 + random.below(26));
    return Uint8Array.from([...letters, random.below(12) === 0 ? 10 : 32]);
  });
}

/** Writes `count` files of a dozen bytes, all different, into one folder. */
export function writeFlatFolder(folder: string, { count }: { readonly count: number }): void {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index++) {
    const number = String(index).padStart(9, '0');
    writeFileSync(`${folder}/frame_${number}.txt`, `${number}\n`);
  }
}
