/** A commit: a tree, where it came from, and what was said about it then. */
import { decodeNode, encodeNode } from './cbor.ts';
import type { Ext } from './cbor.ts';
import { digests, textOrNull } from './field-readers.ts';
import type { Digest } from './id.ts';
import { placedMetadata } from './metadata.ts';
import type { Metadata } from './metadata.ts';

export interface Commit {
  /** The root of its sorted map from path to entry. */
  readonly tree: Digest;
  /** Commits it was made from; they may be absent from the store. */
  readonly parents: readonly Digest[];
  readonly message: string;
  readonly author: string;
  /** Milliseconds since 1970 UTC. */
  readonly time: number;
  /** As `placeMetadata` placed it: an empty map if there is none. */
  readonly metadata: Metadata | Digest;
  /** The id of the run that made it. */
  readonly run: string | null;
  /** Entries of the tree, and the sum of their sizes. */
  readonly files: number;
  readonly bytes: number;
  readonly ext: Ext;
}

export const COMMIT_PARENTS_MAX = 16;
export const MESSAGE_BYTES_MAX = 64 * 1024;
export const AUTHOR_BYTES_MAX = 1024;
export const RUN_ID_BYTES_MAX = 128;

const FORMAT = 1;

/** Encodes a commit; raises OBJECT_INVALID naming a field that is out of its bounds. */
export function encodeCommit(commit: Commit): Uint8Array {
  const bytes = encodeNode('commit', FORMAT, { ...commit });
  decodeCommit(bytes);
  return bytes;
}

/** Decodes a commit, or raises OBJECT_INVALID. */
export function decodeCommit(bytes: Uint8Array): Commit {
  const fields = decodeNode('commit', FORMAT, bytes);
  const commit: Commit = {
    tree: fields.digest('tree'),
    parents: digests(fields, 'parents', COMMIT_PARENTS_MAX),
    message: fields.text('message', MESSAGE_BYTES_MAX),
    author: fields.text('author', AUTHOR_BYTES_MAX),
    time: fields.count('time'),
    metadata: placedMetadata(fields, 'metadata'),
    run: textOrNull(fields, 'run', RUN_ID_BYTES_MAX),
    files: fields.count('files'),
    bytes: fields.count('bytes'),
    ext: fields.ext(),
  };
  fields.done();
  return commit;
}
