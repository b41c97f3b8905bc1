/** Defines what is remembered of promises: who gave them, what local versions rely on, and which were broken. */
import { ByteWriter, fromHex, toHex } from '#base';
import type { ByteReader } from '#base';
import { CHUNK, DIGEST_BYTES, NODE } from '#object';
import type { Digest, ObjectId } from '#object';
import { strictly } from './records.ts';

/** A remote has what is absent here below the commits that came from it. */
export interface PromiseRecord {
  /** Of the bucket: 32 hex characters. Another bucket at the same address has promised nothing. */
  readonly bucket: string;
  /** Whether only history is fetched from it. What is absent may be promised even if not. */
  readonly lazy: boolean;
  /** When it was given first; milliseconds since 1970. */
  readonly since: number;
}

/** A version that needs what its promiser does not have any more. */
export interface Incomplete {
  readonly remote: string;
  /** Some of what is lost, INCOMPLETE_IDS_MAX at most. */
  readonly lost: readonly ObjectId[];
}

/** A local version that was made over promised objects: it is looked at when the remote is next met. */
export interface Reliance {
  /** The version's artifact and number when it was made. */
  readonly version: string;
}

export const INCOMPLETE_IDS_MAX = 100;
const FORMAT = 1;
const BUCKET_BYTES = 16;

export const promiseKeys = {
  all: 'promise/',
  of: (remote: string) => `promise/${remote}`,
  remoteOf: (key: string) => key.slice('promise/'.length),
  relied: 'relied/',
  reliedBy: (commit: Digest) => `relied/${toHex(commit)}`,
  incomplete: 'incomplete/',
  incompleteOf: (commit: Digest) => `incomplete/${toHex(commit)}`,
  /** The commit whose record is kept at `key`. */
  commitOf: (key: string): Digest => fromHex(key.slice(key.indexOf('/') + 1)),
} as const;

export function encodePromise({ bucket, lazy, since }: PromiseRecord): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT).u8(lazy ? 1 : 0);
  return writer.bytes(Buffer.from(bucket, 'hex')).varint(since).take();
}

/** Raises STORE_DAMAGED, as the other decoders here. */
export function decodePromise(bytes: Uint8Array): PromiseRecord {
  const read = (reader: ByteReader): PromiseRecord => {
    checkFormat(reader);
    const lazy = reader.u8() === 1;
    return { bucket: toHex(reader.bytes(BUCKET_BYTES)), lazy, since: reader.varint() };
  };
  return strictly('a record of a promise', bytes, read, encodePromise);
}

export function encodeReliance({ version }: Reliance): Uint8Array {
  return new ByteWriter().u8(FORMAT).text(version).take();
}

export function decodeReliance(bytes: Uint8Array): Reliance {
  const read = (reader: ByteReader): Reliance => {
    checkFormat(reader);
    return { version: reader.text() };
  };
  return strictly('a record of what relies on promises', bytes, read, encodeReliance);
}

export function encodeIncomplete({ remote, lost }: Incomplete): Uint8Array {
  const writer = new ByteWriter().u8(FORMAT).text(remote).varint(lost.length);
  for (const { kind, digest } of lost) writer.u8(kind).bytes(digest);
  return writer.take();
}

export function decodeIncomplete(bytes: Uint8Array): Incomplete {
  const read = (reader: ByteReader): Incomplete => {
    checkFormat(reader);
    const remote = reader.text();
    const count = reader.varint();
    if (count > INCOMPLETE_IDS_MAX) throw reader.invalid('has an impossible count');
    const lost = Array.from({ length: count }, () => {
      const kind = reader.u8();
      if (kind !== CHUNK && kind !== NODE) throw reader.invalid('names an object of no kind');
      return { kind, digest: Uint8Array.from(reader.bytes(DIGEST_BYTES)) } as ObjectId;
    });
    return { remote, lost };
  };
  return strictly('a record of what is incomplete', bytes, read, encodeIncomplete);
}

function checkFormat(reader: ByteReader): void {
  const format = reader.u8();
  if (format !== FORMAT) throw reader.invalid(`has format ${format}, not ${FORMAT}`);
}
