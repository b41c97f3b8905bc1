/** Reads out of the packs alone where every object lies, into a table. */
import { equalBytes, nextTurn, throwIfAborted } from '#base';
import type { ObjectId } from '#object';
import { objectPut } from './changes.ts';
import { isInline, locationOf } from './location.ts';
import { walkPack } from './pack-files.ts';
import type { PackFile } from './pack-files.ts';
import type { Row } from './pack-format.ts';
import type { PackReader } from './pack-reader.ts';
import { batches, objectsIn } from './pack-rows.ts';
import { writeChanges } from './table.ts';
import type { Change, Table } from './table.ts';

export interface IndexOptions {
  /** Read every object, and pass over copies that are damaged. */
  readonly deep?: boolean;
  readonly signal?: AbortSignal;
  /** Told of each batch that was put into the table. */
  readonly onIndexed?: (objects: number) => void;
}

export interface IndexedPack {
  readonly objects: number;
  readonly problems: readonly string[];
}

/**
 * Puts the rows of all intact objects of a pack into `table`, over those of packs indexed before. Nodes and tiny chunks
 * are always read and verified. Not synced.
 */
export async function indexPack(
  table: Table,
  packs: PackReader,
  file: PackFile,
  options: IndexOptions,
): Promise<IndexedPack> {
  const walk = walkPack(file.path);
  const problems = [...walk.problems];
  let objects = 0;
  let bad = 0;
  for (const segment of walk.segments) {
    for (const rows of batches(objectsIn(segment.rows))) {
      throwIfAborted(options.signal);
      const read = rows.filter((row) => options.deep === true || isInline(row));
      const contents = packs.readWhole(
        read,
        read.map((row) => locationOf(file.number, row)),
      );
      const changes: Change[] = [];
      let next = 0;
      for (const row of rows) {
        const wanted = options.deep === true || isInline(row);
        const bytes = wanted ? contents[next++] : undefined;
        if (wanted && bytes === undefined) bad++;
        else changes.push(objectPut(file.number, row, isInline(row) ? bytes : undefined));
      }
      objects += changes.length;
      await writeChanges(table, changes, { sync: false });
      options.onIndexed?.(changes.length);
      await nextTurn();
    }
  }
  if (bad > 0) problems.push(`${file.path}: ${bad} objects are damaged`);
  return { objects, problems };
}

/** Whether a row's digest is `id`'s. */
export function isRowOf(row: Row, id: ObjectId): boolean {
  return row.kind === id.kind && equalBytes(row.digest, id.digest);
}
