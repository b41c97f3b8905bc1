/** Says what an entry of a sorted map is, and the bounds of the nodes that hold it. */
import type { Digest } from './id.ts';
import { TREE_KEYS_BYTES_MAX, TREE_ROWS_MAX } from './key-column.ts';

/** What an entry is. Numbers are part of the format and never reused. */
export type EntryKind = 0 | 1 | 2 | 3 | 8 | 9 | 10;
/** A file: `digest` names its only chunk, or its file node if `size` is past CHUNK_BYTES_MAX. */
export const FILE = 0;
/** A symbolic link: `extra` is its target, `digest` the hash of that, `size` its length. */
export const SYMLINK = 1;
/** A folder with nothing in it; its key ends in a slash. */
export const FOLDER = 2;
/** Bytes that stay elsewhere. */
export const REFERENCE = 3;
export const VERSION = 8;
export const TOMBSTONE = 9;
export const RUN = 10;

/** One entry of a sorted map. */
export interface MapEntry {
  /** 1 to KEY_BYTES_MAX bytes; keys sort as unsigned bytes. */
  readonly key: Uint8Array;
  readonly kind: EntryKind;
  /** Only files and references can be. */
  readonly executable: boolean;
  /** Bytes; at most 2^53-1, and so is the sum over a map. */
  readonly size: number;
  readonly digest: Digest;
  /** At most EXTRA_BYTES_MAX bytes. */
  readonly extra: Uint8Array;
}

/** One row of an inner node: a node of the level below. */
export interface TreeChild {
  /** The first key below it. */
  readonly key: Uint8Array;
  readonly digest: Digest;
  /** Entries below it. */
  readonly count: number;
  /** Sum of the sizes below it. */
  readonly bytes: number;
}

export const EXTRA_BYTES_MAX = 16 * 1024;
/** The level of a root is at most this; leaves are level 0. */
export const TREE_LEVEL_MAX = 16;
/** Rows are estimated to take at most this much in one node... */
export const TREE_BYTES_MAX = 64 * 1024;
/** ...unless they are no more than this: a node may always hold so many, or long keys could make a tree of any depth. */
const TREE_ROWS_FREE = 4;

/** The format number of both kinds of tree node. */
export const TREE_FORMAT = 1;
/** Set in the column of kinds. */
export const EXECUTABLE = 0x80;
/** What a row takes at most beside its key's suffix and its extra: digest, kind, two lengths, size. */
export const LEAF_ROW_BYTES = 48;
/** The same in an inner node: digest, two lengths, count, bytes. */
export const INNER_ROW_BYTES = 54;
/** What an extra takes at most beside its bytes: gap and length. */
export const EXTRA_ROW_BYTES = 5;

/** 1 for each value the column of kinds may hold. */
export const kindIsKnown = new Uint8Array(256);
for (const kind of [FILE, SYMLINK, FOLDER, REFERENCE, VERSION, TOMBSTONE, RUN]) kindIsKnown[kind] = 1;
for (const kind of [FILE, REFERENCE]) kindIsKnown[kind | EXECUTABLE] = 1;

/** The bounds of every node; what the writers keep, and the decoder insists on. */
export function withinBounds(rows: number, estimate: number, keysBytes: number): boolean {
  if (rows > TREE_ROWS_MAX || keysBytes > TREE_KEYS_BYTES_MAX) return false;
  return estimate <= TREE_BYTES_MAX || rows <= TREE_ROWS_FREE;
}

/** A key as a message shows it. */
export function shownKey(key: Uint8Array): string {
  return JSON.stringify(Buffer.from(key.buffer, key.byteOffset, Math.min(key.length, 256)).toString('utf8'));
}
