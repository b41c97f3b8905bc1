/** Names objects: a digest and whether it is a chunk (raw bytes) or a node (DAG-CBOR). */
import type { Ext } from './cbor.ts';

/** 32 bytes: the BLAKE3 hash of an object's bytes. */
export type Digest = Uint8Array;

export type ObjectKind = 0 | 1;
/** Raw bytes of a file: at most CHUNK_BYTES_MAX. CID codec `raw`. */
export const CHUNK = 0;
/** Anything with a structure: file node, tree node, commit, state, run, metadata. CID codec `dag-cbor`. */
export const NODE = 1;

export interface ObjectId {
  readonly kind: ObjectKind;
  readonly digest: Digest;
}

/** A file no longer than this is one chunk; no chunk is longer. */
export const CHUNK_BYTES_MAX = 256 * 1024;

/** Whether a file of `size` bytes is named by its only chunk or by a file node. */
export function contentKind(size: number): ObjectKind {
  return size <= CHUNK_BYTES_MAX ? CHUNK : NODE;
}

export type { Ext };
