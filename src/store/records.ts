/** Encodes the small records beside the objects, each with its checksum, and the lists of them in journals. */
import { ArtError, ByteReader, ByteWriter, assert, crc32c, textOf, utf8 } from '#base';
import { CHUNK, NODE } from '#object';
import type { Digest, ObjectKind } from '#object';

const RECORD_KEY = 0x72; // 'r'
export const META_KEY = Buffer.from('m');
/** A record's value may be at most this long. */
const RECORD_BYTES_MAX = 1024 * 1024;

export const OBJECT_KEY_BYTES = 33;

/** The key of an object in LevelDB: its kind, then its digest. It is written into `key`, where one is to be used again. */
export function objectKey(
  kind: ObjectKind,
  digest: Digest,
  key: Uint8Array = Buffer.allocUnsafe(OBJECT_KEY_BYTES),
): Uint8Array {
  key[0] = kind;
  key.set(digest, 1);
  return key;
}

/** Every key of an object of `kind` lies from `gte` up to, not with, `lt`. */
export function objectRange(kind: typeof CHUNK | typeof NODE): {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
} {
  return { gte: Buffer.from([kind]), lt: Buffer.from([kind + 1]) };
}

export function recordKey(key: string): Uint8Array {
  return Buffer.concat([Buffer.from([RECORD_KEY]), utf8(key)]);
}

/** Every key of a record lies in here. */
export const RECORD_RANGE = { gte: Buffer.from([RECORD_KEY]), lt: Buffer.from([RECORD_KEY + 1]) };

export function keyOfRecord(key: Uint8Array): string {
  return textOf(key.subarray(1), "a record's key");
}

/** Puts the CRC-32C of key and value before the value. */
export function sealRecord(key: string, value: Uint8Array): Uint8Array {
  return new ByteWriter(value.length + 4)
    .u32(crc32c(value, crc32c(utf8(key))))
    .bytes(value)
    .take();
}

/** Gives the value back, or raises STORE_DAMAGED. */
export function openRecord(key: string, sealed: Uint8Array): Uint8Array {
  const value = sealed.subarray(4);
  const intact = sealed.length >= 4 && new ByteReader(sealed, key).u32() === crc32c(value, crc32c(utf8(key)));
  if (!intact) throw new ArtError('STORE_DAMAGED', `the record "${key}" in the database is damaged`);
  return value;
}

/**
 * The key of no record. In a journal it says that every record there is stands in this journal, from its beginning to
 * the end of this segment: what earlier journals say of records is not needed any more.
 */
export const SNAPSHOT_END = '';

export type RecordChanges = ReadonlyMap<string, Uint8Array | undefined>;

/** Encodes changed records as the rows of a journal segment: lists of at most about 2 MiB each, which can be read back. */
export function encodeChanges(changes: RecordChanges): Uint8Array[] {
  const lists: Uint8Array[] = [];
  const writer = new ByteWriter(4096);
  for (const [key, value] of changes) {
    writer.text(key).u8(value === undefined ? 0 : 1);
    assert((value?.length ?? 0) <= RECORD_BYTES_MAX, `the record ${key} is too long to be read back`);
    if (value !== undefined) writer.sized(value);
    if (writer.length > RECORD_BYTES_MAX) {
      lists.push(writer.take());
      writer.clear();
    }
  }
  if (writer.length > 0) lists.push(writer.take());
  return lists;
}

export function decodeChanges(bytes: Uint8Array): Map<string, Uint8Array | undefined> {
  const reader = new ByteReader(bytes, 'a list of records');
  const changes = new Map<string, Uint8Array | undefined>();
  while (reader.left > 0) {
    const key = reader.text();
    changes.set(key, reader.u8() === 0 ? undefined : Buffer.from(reader.sized()));
  }
  return changes;
}

/** What the store remembers of itself in LevelDB. */
export interface Meta {
  /** The journal being written, and up to where LevelDB has seen it. */
  readonly journal: number;
  readonly journalEnd: number;
  /** The number that the next pack or journal gets. */
  readonly nextPack: number;
  /** Goes up whenever gc removes something. */
  readonly epoch: number;
}

export function encodeMeta(meta: Meta): Uint8Array {
  const writer = new ByteWriter(32)
    .varint(meta.journal)
    .varint(meta.journalEnd)
    .varint(meta.nextPack)
    .varint(meta.epoch);
  return sealRecord('meta', writer.take());
}

export function decodeMeta(sealed: Uint8Array | undefined): Meta {
  if (sealed === undefined) throw new ArtError('STORE_DAMAGED', 'the database does not know its journal');
  const reader = new ByteReader(openRecord('meta', sealed), "the database's own record");
  return {
    journal: reader.varint(),
    journalEnd: reader.varint(),
    nextPack: reader.varint(),
    epoch: reader.varint(),
  };
}
