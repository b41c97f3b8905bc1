/** Names the unfinished files of a checkout, so that a later one knows which of them nobody writes any more. */
import { lstatSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { TEMPORARY_PREFIX, errnoOf, toHex, utf8 } from '#base';
import { hash } from '#object';
import { removeQuietly } from './folders.ts';

/** Whoever still wrote a file would have touched it since. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;
const OWNER_CHARACTERS = 12;

/**
 * What the names begin with that a checkout into `folder`, of the repository with `tmpDir`, gives its unfinished files.
 * Both are absolute; `folder` has no link in it. Only one such checkout goes on at a time.
 */
export function unfinishedPrefix(folder: string, tmpDir: string): string {
  const owner = hash(utf8(`${folder.replace(/(.)\/$/, '$1')}\0${realpathSync(tmpDir)}`));
  return `${TEMPORARY_PREFIX}${toHex(owner).slice(0, OWNER_CHARACTERS)}-`;
}

/**
 * Removes an unfinished file that a checkout into `folder` meets if nobody writes it: one that such a checkout left, or
 * one of others (of another repository, into a folder inside) that nobody touched for a day before `nowMs`.
 */
export function reaperOf(by: {
  readonly folder: string;
  readonly tmpDir: string;
  readonly nowMs: number;
}): (absolute: string) => void {
  const ours = unfinishedPrefix(by.folder, by.tmpDir);
  return (absolute) => {
    if (basename(absolute).startsWith(ours) || by.nowMs - touchedMs(absolute) > ABANDONED_MS)
      removeQuietly(absolute);
  };
}

function touchedMs(absolute: string): number {
  try {
    return lstatSync(absolute).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return Infinity; // Gone, or not to be looked at: left alone.
  }
}
