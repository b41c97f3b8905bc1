/** Reads which tables LevelDB's manifest names: others are what a compaction that was cut short left, and no damage. */
import { readFileSync, statSync } from 'node:fs';
import { ByteReader } from '#base';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** LevelDB begins a manifest at each open, with a few dozen bytes a table. */
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;

/** Whether a record is whole, or the first, a middle or the last part of one. */
const WHOLE = 1;
const FIRST = 2;
const LAST = 4;

/** The fields of a version edit, as LevelDB's version_edit.cc numbers them. */
const COMPARATOR = 1;
const LOG = 2;
const NEXT_FILE = 3;
const LAST_SEQUENCE = 4;
const COMPACT_POINTER = 5;
const DELETED_TABLE = 6;
const NEW_TABLE = 7;
const PREVIOUS_LOG = 9;

/** The numbers of the tables that belong to the database; undefined if the manifest cannot be read to its end. */
export function tablesNamed(manifest: string): Set<number> | undefined {
  try {
    if (statSync(manifest).size > MANIFEST_BYTES_MAX) return undefined;
    const tables = new Set<number>();
    for (const edit of records(readFileSync(manifest))) applyEdit(new ByteReader(edit, 'a manifest'), tables);
    return tables;
  } catch {
    return undefined; // What is wrong with it is found where its records are checked.
  }
}

/** The records of a log: blocks of 32 KiB, in each of which parts stand that begin with crc, length and type. */
function* records(log: Buffer): Generator<Uint8Array, void> {
  let parts: Buffer[] = [];
  for (let at = 0; at + HEADER_BYTES <= log.length;) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const bytes = log.readUInt16LE(at + 4);
    const type = log[at + 6];
    if (type === 0) return; // Space set aside, never written.
    if (type === WHOLE || type === FIRST) parts = [];
    parts.push(log.subarray(at + HEADER_BYTES, at + HEADER_BYTES + bytes));
    if (type === WHOLE || type === LAST) yield Buffer.concat(parts);
    at += HEADER_BYTES + bytes;
  }
}

function applyEdit(edit: ByteReader, tables: Set<number>): void {
  while (edit.left > 0) {
    const field = edit.varint();
    if (field === COMPARATOR) edit.sized();
    else if (field === LOG || field === NEXT_FILE || field === LAST_SEQUENCE || field === PREVIOUS_LOG)
      edit.varint();
    else if (field === COMPACT_POINTER) {
      edit.varint();
      edit.sized();
    } else if (field === DELETED_TABLE) {
      edit.varint();
      tables.delete(edit.varint());
    } else if (field === NEW_TABLE) {
      edit.varint();
      tables.add(edit.varint());
      edit.varint();
      edit.sized();
      edit.sized();
    } else throw edit.invalid(`has the unknown field ${field}`);
  }
}
