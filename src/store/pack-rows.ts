/** Reads what the rows of a segment name, verified, as much at a time as memory should hold. */
import { locationOf } from './location.ts';
import { RECORDS } from './pack-format.ts';
import type { Row } from './pack-format.ts';
import type { PackReader } from './pack-reader.ts';

const READ_BYTES = 8 * 1024 * 1024;
const READ_ROWS = 1000;

/** Rows in runs that may be read at once. */
export function* batches(rows: Iterable<Row>): Generator<Row[]> {
  let run: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    run.push(row);
    bytes += row.bytes;
    if (bytes < READ_BYTES && run.length < READ_ROWS) continue;
    yield run;
    run = [];
    bytes = 0;
  }
  if (run.length > 0) yield run;
}

export function objectsIn(rows: readonly Row[]): Row[] {
  return rows.filter(({ kind }) => kind !== RECORDS);
}

/** Each row with its bytes, which hold until the next batch; undefined where `pack` does not have those of its name. */
export function* verifiedRows(
  reader: PackReader,
  pack: number,
  rows: readonly Row[],
): Generator<readonly [Row, Uint8Array | undefined], void> {
  for (const run of batches(rows)) {
    const contents = reader.readWhole(
      run,
      run.map((row) => locationOf(pack, row)),
    );
    for (const [i, row] of run.entries()) yield [row, contents[i]];
  }
}

/**
 * Whether `pack` has all that a segment's rows name. A trailer vouches for itself alone: a power cut in the middle of
 * making a segment durable can leave it, and nothing or something else where its frames should be.
 */
export function isWhole(reader: PackReader, pack: number, rows: readonly Row[]): boolean {
  for (const [, bytes] of verifiedRows(reader, pack, rows)) if (bytes === undefined) return false;
  return true;
}
