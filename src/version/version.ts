/** Turns versions and tombstones of an artifact into entries of its sorted maps and back. */
import { ArtError, assert } from '#base';
import {
  TOMBSTONE,
  VERSION,
  decodeTombstoneValue,
  decodeVersionValue,
  encodeTombstoneValue,
  encodeVersionValue,
  versionLinks,
} from '#object';
import type { MapEntry, TombstoneValue, VersionValue } from '#object';
import type { NodeSink, NodeSource } from '#store';

/** One live version: its number, its commit, and what was said about it since. */
export interface Version extends VersionValue {
  readonly number: number;
  /** Bytes of all its files. */
  readonly bytes: number;
}

/** What is left of a deleted version. */
export interface Tombstone extends TombstoneValue {
  readonly number: number;
  /** Bytes of all the files it had. */
  readonly bytes: number;
}

const KEY_BYTES = 8;

/** A version number as a key: 8 bytes, big-endian, so that keys sort as numbers. */
export function versionKey(number: number): Uint8Array {
  assert(Number.isSafeInteger(number) && number >= 0);
  const key = Buffer.alloc(KEY_BYTES);
  key.writeUInt32BE(Math.floor(number / 2 ** 32), 0);
  key.writeUInt32BE(number % 2 ** 32, 4);
  return key;
}

/** The number that `key` stands for, or raises OBJECT_INVALID. */
export function numberOfKey(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.length);
  const number = key.length === KEY_BYTES ? view.getUint32(0) * 2 ** 32 + view.getUint32(4) : NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new ArtError('OBJECT_INVALID', 'a map of versions has a key that is no version number');
}

/** The entry of a version; puts the object that holds what does not fit into it. */
export function versionEntry(sink: NodeSink, { number, bytes, ...value }: Version): MapEntry {
  const { extra, node } = encodeVersionValue(value);
  if (node) sink.putNode(node.digest, node.bytes);
  return {
    key: versionKey(number),
    kind: VERSION,
    executable: false,
    size: bytes,
    digest: value.commit,
    extra,
  };
}

/** The versions that `batch` holds; raises OBJECT_INVALID if one is none. Objects are read only for what did not fit. */
export async function versionsOf(source: NodeSource, batch: readonly MapEntry[]): Promise<Version[]> {
  const versions: Version[] = [];
  for (const entry of batch) {
    if (entry.kind !== VERSION)
      throw new ArtError('OBJECT_INVALID', 'a map of versions has an entry that is none');
    // Entries are views that would keep their whole node alive.
    const own = { digest: Uint8Array.from(entry.digest), extra: entry.extra };
    const { spilled } = versionLinks(own.extra);
    // One at a time: each may be large, and hardly any version has one.
    const [bytes] = spilled === undefined ? [] : await source.getNodes([spilled]);
    versions.push({ number: numberOfKey(entry.key), bytes: entry.size, ...decodeVersionValue(own, bytes) });
  }
  return versions;
}

export function tombstoneEntry({ number, bytes, ...value }: Tombstone): MapEntry {
  const extra = encodeTombstoneValue(value);
  return {
    key: versionKey(number),
    kind: TOMBSTONE,
    executable: false,
    size: bytes,
    digest: value.commit,
    extra,
  };
}

/** Raises OBJECT_INVALID if `entry` is no tombstone. */
export function tombstoneOf(entry: MapEntry): Tombstone {
  if (entry.kind !== TOMBSTONE)
    throw new ArtError('OBJECT_INVALID', 'a map of tombstones has an entry that is none');
  const value = decodeTombstoneValue({ digest: Uint8Array.from(entry.digest), extra: entry.extra });
  return { number: numberOfKey(entry.key), bytes: entry.size, ...value };
}
