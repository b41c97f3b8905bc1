/** Lays out a remembered stat: one row of the stat cache, prefix compressed against the row before it. */
import type { Digest } from '#object';
import type { DiskEntry, Fingerprint } from './disk-entry.ts';

export const CACHE_MAGIC = Buffer.from('artstat\x01', 'latin1');
/** Magic, epoch (f64), stamp (f64), CRC-32C of these (u32). */
export const CACHE_HEADER_BYTES = 28;
/** A block closes once it is past this. */
export const CACHE_BLOCK_BYTES = 48 * 1024;
/** No block is longer: a block and the longest row. */
export const CACHE_BLOCK_BYTES_MAX = 256 * 1024;

/** Set in a row's kind when the file can be executed. */
export const ROW_EXECUTABLE = 0x80;

/** What was known of one file; the digest is the tree entry's. */
export interface StatRow extends Fingerprint {
  readonly path: string;
  readonly kind: number;
  readonly executable: boolean;
  readonly digest: Digest;
  /** A link's target as bytes; empty for files. */
  readonly target: Uint8Array;
}

/** Clocks of file systems tick in steps of up to 10 ms. */
const WINDOW_MS = 20;
/** A time without a fraction of a second may come from a file system that keeps none. */
const COARSE_WINDOW_MS = 2000;

/**
 * Tells whether `row`, written when the file system's clock stood at `stamp`, still speaks of `entry`. A file touched
 * so shortly before the stamp that a later change could bear the same time does not count (Git's "racy clean" rule).
 */
export function stillHolds(row: StatRow, entry: DiskEntry, stamp: number): boolean {
  return (
    row.size === entry.size &&
    row.mtimeMs === entry.mtimeMs &&
    row.ctimeMs === entry.ctimeMs &&
    row.ino === entry.ino &&
    row.kind === entry.kind &&
    row.executable === entry.executable &&
    !isRacy(entry, stamp)
  );
}

/** Whether a change at `stamp` or later could leave the fingerprint as it is. */
export function isRacy(print: Fingerprint, stamp: number): boolean {
  const touched = Math.max(print.mtimeMs, print.ctimeMs);
  const coarse = print.mtimeMs % 1000 === 0 || print.ctimeMs % 1000 === 0;
  return touched >= stamp - (coarse ? COARSE_WINDOW_MS : WINDOW_MS);
}
