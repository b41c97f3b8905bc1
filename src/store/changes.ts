/** Says what objects and records mean for LevelDB: the changes that let them be found. */
import { ByteWriter } from '#base';
import type { Digest, ObjectKind } from '#object';
import { encodeLocation, isInline, writeLocation } from './location.ts';
import type { Row } from './pack-format.ts';
import { OBJECT_KEY_BYTES, SNAPSHOT_END, objectKey, recordKey, sealRecord } from './records.ts';
import type { RecordChanges } from './records.ts';
import type { Change, Put } from './table.ts';

/** The change that says where an object lies; `bytes` are its own, wanted if it also stands in LevelDB. */
export function objectPut(pack: number, row: Row, bytes: Uint8Array | undefined): Put {
  const value = encodeLocation(pack, row, bytes !== undefined && isInline(row) ? bytes : undefined);
  return { type: 'put', key: objectKey(row.kind as ObjectKind, row.digest as Digest), value };
}

/**
 * Gives what `objectPut` gives, in memory that the next one uses again: good for whoever takes one before asking for
 * another, as `writeChanges` does. Of a million tiny objects the keys and values would else be as many buffers.
 */
export class ObjectPuts {
  readonly #key = new ByteWriter(OBJECT_KEY_BYTES);
  readonly #value = new ByteWriter(2048);

  of(pack: number, row: Row, bytes: Uint8Array | undefined): Put {
    const inline = bytes !== undefined && isInline(row) ? bytes : undefined;
    const value = writeLocation(this.#value.clear(), pack, row, inline).view();
    return { type: 'put', key: this.#key.clear().u8(row.kind).bytes(row.digest).view(), value };
  }
}

export function recordChanges(changes: RecordChanges): Change[] {
  return [...changes]
    .filter(([key]) => key !== SNAPSHOT_END)
    .map(([key, value]) =>
      value === undefined
        ? { type: 'del', key: recordKey(key) }
        : { type: 'put', key: recordKey(key), value: sealRecord(key, value) },
    );
}
