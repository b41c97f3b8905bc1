/** Appends small transactions to the shared journal pack, under the lock. */
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { ArtError, fileError, replaceFile, writeAll } from '#base';
import { HEADER_BYTES, JOURNAL_ALIGNMENT, encodeHeader } from './pack-format.ts';

/** A journal longer than this is left and a new one begun. */
export const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;
/** Where the first segment of a journal begins. */
export const JOURNAL_START = HEADER_BYTES;

/**
 * Makes an empty journal, durably, unless there is an empty one. It gets its name with its header: nobody ever sees a
 * shorter one. A journal that holds something is never replaced: raises IO_FAILED.
 */
export function createJournal(path: string): void {
  try {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size;
    if (bytes === HEADER_BYTES) return;
    if (bytes !== undefined) throw new ArtError('IO_FAILED', `the database does not know of ${path}`);
    replaceFile(path, encodeHeader(randomBytes(16), JOURNAL_ALIGNMENT));
  } catch (error) {
    throw fileError(error, path);
  }
}

/**
 * Writes a whole segment at `end`, where the last one ends, and makes it durable; what a crash left beyond is cut off
 * first. A write that fails leaves the journal as it was.
 */
export function appendJournal(path: string, end: number, segment: readonly Uint8Array[]): void {
  const fd = openExisting(path);
  try {
    if (fstatSync(fd).size < end)
      throw new ArtError('STORE_DAMAGED', `the journal ${path} is shorter than it was`);
    try {
      ftruncateSync(fd, end);
      writeAll(fd, Buffer.concat(segment), end);
      fdatasyncSync(fd);
    } catch (error) {
      ftruncateSync(fd, end);
      throw error;
    }
  } catch (error) {
    throw fileError(error, path);
  } finally {
    closeSync(fd);
  }
}

/** Cuts off what a crash left beyond `end`, where the last whole segment ends, before the journal is left for a new one. */
export function cutJournal(path: string, end: number): void {
  const fd = openExisting(path);
  try {
    if (fstatSync(fd).size <= end) return;
    ftruncateSync(fd, end);
    fdatasyncSync(fd);
  } catch (error) {
    throw fileError(error, path);
  } finally {
    closeSync(fd);
  }
}

function openExisting(path: string): number {
  try {
    return openSync(path, 'r+');
  } catch (cause) {
    throw new ArtError('STORE_DAMAGED', `the journal ${path} cannot be opened`, { cause });
  }
}
