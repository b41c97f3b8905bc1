/** Keeps a pointer as a folder of numbered files: the highest number is its value, and a swap is the next number. */
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { ArtError, assert, errnoOf, toHex } from '#base';
import { hash } from '#object';
import { bytesBody, readAll } from './bucket.ts';
import type { Body, Tag } from './bucket.ts';
import { openFile, readFile } from './folder-file.ts';
import { find, removeFile, visitEntries } from './folder-fs.ts';
import type { FolderFs } from './folder-fs.ts';
import type { Stage } from './folder-stage.ts';

/** A reader that found a number has this many swaps' time to open it. */
const KEPT = 64;
const NUMBER = /^[1-9][0-9]{0,14}$/;
const NUMBER_MAX = 1e15 - 1;
/** More than any pointer is long: what lies beyond is not read to tell one value from another. */
const READ_BYTES_MAX = 64 * 1024;
const TAG_BYTES = 8;
const CROWDED_TRIES = 1000;

export interface Inside {
  /** Lowest first. */
  readonly numbers: readonly number[];
  /** Whether anything else stands beside them: pointers whose keys go on after this one's, or what does not belong there. */
  readonly deeper: boolean;
}

/** What is in a pointer's folder; nothing if it is not there. Raises REMOTE_CORRUPT where a value is a link, or no file: an artifact
 * may be called like one, so that folders are for whoever lists them. */
export async function lookInto(fs: FolderFs, folder: string): Promise<Inside> {
  let numbers: number[] = [];
  let deeper = false;
  const begin = () => {
    numbers = [];
    deeper = false;
  };
  const visit = (entry: Dirent) => {
    if (entry.isDirectory() || !NUMBER.test(entry.name)) deeper = true;
    else if (entry.isFile()) numbers.push(Number(entry.name));
    else throw oddValue(join(folder, entry.name));
  };
  try {
    await visitEntries(fs, folder, { begin, visit });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
  return { numbers: numbers.sort((a, b) => a - b), deeper };
}

/** A pointer's value as it is now. */
export interface Current {
  readonly number: number;
  /** The number and what the bytes hash to: a folder that was made anew counts from 1 again. */
  readonly tag: Tag;
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  /** Undefined if it is longer than any pointer. */
  readonly bytes: Uint8Array | undefined;
}

/** The value of the pointer in `folder`, where `inside` is, or was; undefined if it has none. */
export async function currentOf(fs: FolderFs, folder: string, inside?: Inside): Promise<Current | undefined> {
  for (let tries = 0, found = inside; tries < CROWDED_TRIES; tries++, found = undefined) {
    const number = (found ?? (await lookInto(fs, folder))).numbers.at(-1);
    if (number === undefined) return undefined;
    const current = await read(fs, join(folder, String(number)), number);
    if (current !== undefined) return current; // Else so many swaps went by since.
  }
  throw new ArtError('REMOTE_FAILED', `${shown(folder)} changes faster than it can be read`);
}

async function read(fs: FolderFs, path: string, number: number): Promise<Current | undefined> {
  const handle = await openFile(fs, path);
  if (handle === undefined) return undefined;
  try {
    const { size, mtimeMs: modified } = await handle.stat();
    const range = { offset: 0, length: Math.min(size, READ_BYTES_MAX) };
    const into = Buffer.allocUnsafeSlow(range.length);
    const bytes = (await readAll(readFile(handle, path, range, { into }), range.length, { into }))!;
    const whole = bytes.length === size ? bytes : undefined;
    return { number, tag: tagOf(number, bytes), path, size, modified, bytes: whole };
  } finally {
    await handle.close();
  }
}

function tagOf(number: number, bytes: Uint8Array): Tag {
  return `${number}-${toHex(hash(bytes).subarray(0, TAG_BYTES))}`;
}

/**
 * Links `body` to the number after the one that `from` is the tag of; without it, makes the pointer. Undefined: that is not
 * its tag.
 *
 * Numbers are never taken twice while they stand, so that the link decides. One that was pruned could be taken
 * again by a writer that slept through 64 swaps: it then sees a higher number, and cannot tell what became of its own.
 */
export async function swap(
  stage: Stage,
  folder: string,
  from: Tag | undefined,
  body: Body,
  signal: AbortSignal | undefined,
): Promise<Tag | undefined> {
  const { fs } = stage;
  const current = await currentOf(fs, folder);
  if (current?.tag !== from) return undefined;
  const next = (current?.number ?? 0) + 1;
  if (next > NUMBER_MAX) throw new ArtError('REMOTE_FAILED', `the numbers of ${shown(folder)} have run out`);
  const bytes = await readAll(body.open(), READ_BYTES_MAX);
  assert(bytes !== undefined, 'a pointer is short');
  const path = join(folder, String(next));
  if (!(await stage.with(bytesBody(bytes), signal, (staged) => stage.place(staged, path)))) {
    await refuseOddity(fs, path);
    return undefined;
  }
  const { numbers } = await lookInto(fs, folder);
  if ((numbers.at(-1) ?? 0) > next) {
    const what = `${shown(folder)} has moved on beyond number ${next}`;
    throw new ArtError('REMOTE_UNCERTAIN', `it is not known whether the swap was won: ${what}`);
  }
  for (const number of numbers) if (number <= next - KEPT) await removeFile(fs, join(folder, String(number)));
  return tagOf(next, bytes);
}

/** Removes all values, the oldest first, so that none of them becomes the value on the way. */
export async function removeAll(fs: FolderFs, folder: string): Promise<void> {
  for (const number of (await lookInto(fs, folder)).numbers)
    await removeFile(fs, join(folder, String(number)));
}

// A folder or a link under the next number would be "lost" for ever.
async function refuseOddity(fs: FolderFs, path: string): Promise<void> {
  const found = await find(fs, path).catch(() => undefined);
  if (found === undefined || found.isFile()) return;
  throw new ArtError(
    'REMOTE_FAILED',
    `${shown(path)} is no file, and stands where the pointer's next value belongs`,
  );
}

function oddValue(path: string): ArtError {
  return new ArtError(
    'REMOTE_CORRUPT',
    `${shown(path)} is no file, and stands where a pointer's value belongs`,
    { hint: 'Move it away, and bring back what was there.' },
  );
}

const shown = (path: string) => JSON.stringify(path);
