/** Defines what is remembered of remotes: whose bucket it is, each artifact's state as it was last seen, what is on its way, conflicts. */
import { ArtError, ByteReader, ByteWriter, equalBytes, isArtError, toHex } from '#base';
import { DIGEST_BYTES } from '#object';
import type { Digest } from '#object';
import type { ArtifactName } from './names.ts';

/** One artifact at one remote. Both states, and all they keep alive, stay in the store. */
export interface RemoteSeen {
  /** The state that both sides last had in common. */
  readonly synced: Digest | null;
  /** The state it had there when it was last looked at. */
  readonly seen: Digest | null;
  /** The pointer's value then, and by what tag to recognise it. */
  readonly tag: string;
  readonly pointer: Uint8Array;
}

/** An alias that both sides moved: whose it is was asked for, and perhaps said. */
export interface OpenConflict {
  readonly alias: string;
  /** The version it names at the remote. */
  readonly theirs: number;
  /** Whether somebody has since said what it names here. */
  readonly settled: boolean;
}

const FORMAT = 1;
const BUCKET_BYTES = 16;
const REMOTES = 'remote/';
const PUSHING = 'pushing/';
const CONFLICTS = 'conflict/';

export const remoteKeys = {
  all: REMOTES,
  of: (remote: string) => `${REMOTES}${remote}/`,
  seen: (remote: string, name: ArtifactName) => `${REMOTES}${remote}/${name}`,
  /** The id of the bucket that all of this was seen in. */
  bucket: (remote: string) => `bucket/${remote}`,
  /** The state that a push is about to publish: it is alive from then on. */
  allPushing: PUSHING,
  pushingTo: (remote: string) => `${PUSHING}${remote}/`,
  pushing: (remote: string, name: ArtifactName) => `${PUSHING}${remote}/${name}`,
  allConflicts: CONFLICTS,
  conflictsOf: (name: ArtifactName) => `${CONFLICTS}${name}/`,
  conflicts: (name: ArtifactName, remote: string) => `${CONFLICTS}${name}/${remote}`,
} as const;

/** The remote and the artifact whose record is kept at `key`. */
export function remoteOfKey(key: string): { readonly remote: string; readonly name: string } {
  const [, remote = '', name = ''] = key.split('/');
  return { remote, name };
}

export function encodeSeen({ synced, seen, tag, pointer }: RemoteSeen): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT);
  for (const digest of [synced, seen]) {
    writer.u8(digest === null ? 0 : 1);
    if (digest !== null) writer.bytes(digest);
  }
  return writer.text(tag).sized(pointer).take();
}

/** Raises STORE_DAMAGED, as the other decoder here. */
export function decodeSeen(bytes: Uint8Array): RemoteSeen {
  const what = 'a record of a remote';
  return strictly(what, bytes, encodeSeen, (reader) => {
    const digest = () => (reader.u8() === 0 ? null : Uint8Array.from(reader.bytes(DIGEST_BYTES)));
    return {
      synced: digest(),
      seen: digest(),
      tag: reader.text(),
      pointer: Uint8Array.from(reader.sized()),
    };
  });
}

/** Whose bucket a remote was: 32 hex characters. */
export function encodeBucketId(id: string): Uint8Array {
  return new ByteWriter().u8(FORMAT).bytes(Buffer.from(id, 'hex')).take();
}

export function decodeBucketId(bytes: Uint8Array): string {
  return strictly('a record of a bucket', bytes, encodeBucketId, (reader) =>
    toHex(reader.bytes(BUCKET_BYTES)),
  );
}

export function encodePushing(state: Digest): Uint8Array {
  return new ByteWriter().u8(FORMAT).bytes(state).take();
}

export function decodePushing(bytes: Uint8Array): Digest {
  return strictly('a record of a push', bytes, encodePushing, (reader) =>
    Uint8Array.from(reader.bytes(DIGEST_BYTES)),
  );
}

export function encodeConflicts(conflicts: readonly OpenConflict[]): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT).varint(conflicts.length);
  for (const { alias, theirs, settled } of conflicts)
    writer
      .text(alias)
      .varint(theirs)
      .u8(settled ? 1 : 0);
  return writer.take();
}

export function decodeConflicts(bytes: Uint8Array): OpenConflict[] {
  return strictly('a record of conflicts', bytes, encodeConflicts, (reader) => {
    const count = reader.varint();
    if (count * 3 > reader.left) throw reader.invalid('has an impossible count');
    return Array.from({ length: count }, () => ({
      alias: reader.text(),
      theirs: reader.varint(),
      settled: reader.u8() === 1,
    }));
  });
}

function strictly<T>(
  what: string,
  bytes: Uint8Array,
  encode: (value: T) => Uint8Array,
  read: (reader: ByteReader) => T,
): T {
  try {
    const reader = new ByteReader(bytes, what);
    if (reader.u8() !== FORMAT) throw reader.invalid('has another format');
    const value = read(reader);
    if (!equalBytes(encode(value), bytes)) throw reader.invalid('is not in its one encoding');
    return value;
  } catch (error) {
    throw isArtError(error) ? new ArtError('STORE_DAMAGED', error.message, { cause: error }) : error;
  }
}
