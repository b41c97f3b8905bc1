/** Says what objects and records mean for LevelDB: the changes that let them be found. */
import type { Digest, ObjectKind } from '#object';
import { encodeLocation, isInline } from './location.ts';
import type { Row } from './pack-format.ts';
import { SNAPSHOT_END, objectKey, recordKey, sealRecord } from './records.ts';
import type { RecordChanges } from './records.ts';
import type { Change, Put } from './table.ts';

/** The change that says where an object lies; `bytes` are its own, wanted if it also stands in LevelDB. */
export function objectPut(pack: number, row: Row, bytes: Uint8Array | undefined): Put {
  const value = encodeLocation(pack, row, bytes !== undefined && isInline(row) ? bytes : undefined);
  return { type: 'put', key: objectKey(row.kind as ObjectKind, row.digest as Digest), value };
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
