/** Keeps a pointer as a folder of numbered files: the highest number is its value, and a swap is the next number. */
import { lstat, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtError, errnoOf } from '#base';
import type { Body, Tag } from './bucket.ts';
import type { Stage } from './folder-stage.ts';

/** A reader that found a number has this many swaps' time to open it. */
const KEPT = 64;
const NUMBER = /^[1-9][0-9]{0,14}$/;
const NUMBER_MAX = 1e15 - 1;

export interface Inside {
  /** Lowest first. */
  readonly numbers: readonly number[];
  /** Whether folders stand beside them: pointers whose keys go on after this one's. */
  readonly deeper: boolean;
}

/** What is in a pointer's folder; nothing if it is not there. Links and odd names are no numbers. */
export async function lookInto(folder: string): Promise<Inside> {
  const numbers: number[] = [];
  let deeper = false;
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.isDirectory()) deeper = true;
      else if (NUMBER.test(entry.name) && entry.isFile()) numbers.push(Number(entry.name));
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
  return { numbers: numbers.sort((a, b) => a - b), deeper };
}

/** The number of the pointer's value; 0 if it has none. */
export async function newestIn(folder: string): Promise<number> {
  return (await lookInto(folder)).numbers.at(-1) ?? 0;
}

/** Which number a tag stands for; no tag, for a pointer that is yet to be, is 0. Undefined: no tag of a folder. */
export function numberOf(tag: Tag | undefined): number | undefined {
  if (tag === undefined) return 0;
  return NUMBER.test(tag) ? Number(tag) : undefined;
}

/**
 * Links `body` to the number after `from`. Undefined: `from` is not the newest.
 *
 * Numbers are never taken twice while they stand, so that the link decides. One that was pruned could be taken
 * again by a writer that slept through 64 swaps: it then sees a higher number, and cannot tell what became of its own.
 */
export async function swap(
  stage: Stage,
  folder: string,
  from: number,
  body: Body,
  signal: AbortSignal | undefined,
): Promise<Tag | undefined> {
  if ((await newestIn(folder)) !== from) return undefined;
  if (from >= NUMBER_MAX) throw new ArtError('REMOTE_FAILED', `the numbers of ${shown(folder)} have run out`);
  const next = from + 1;
  const path = join(folder, String(next));
  if (!(await stage.with(body, signal, (staged) => stage.place(staged, path)))) {
    await refuseOddity(path);
    return undefined;
  }
  const { numbers } = await lookInto(folder);
  if ((numbers.at(-1) ?? 0) > next) {
    const what = `${shown(folder)} has moved on beyond number ${next}`;
    throw new ArtError('REMOTE_UNCERTAIN', `it is not known whether the swap was won: ${what}`);
  }
  for (const number of numbers)
    if (number <= next - KEPT) await rm(join(folder, String(number)), { force: true });
  return String(next);
}

/** Removes all values, the oldest first, so that none of them becomes the value on the way. */
export async function removeAll(folder: string): Promise<void> {
  for (const number of (await lookInto(folder)).numbers)
    await rm(join(folder, String(number)), { force: true });
}

// A folder or a link under the next number would be "lost" for ever.
async function refuseOddity(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  throw new ArtError(
    'REMOTE_FAILED',
    `${shown(path)} is no file, and stands where the pointer's next value belongs`,
  );
}

const shown = (path: string) => JSON.stringify(path);
