/** Reads what can still be read of a database that is to be replaced. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isArtError } from '#base';
import { META_KEY, RECORD_RANGE, decodeMeta, openRecord } from './records.ts';
import type { Meta } from './records.ts';
import { openTable, pagesOf } from './table.ts';
import type { Table } from './table.ts';

export interface OldDatabase {
  readonly table: Table;
  readonly meta: Meta;
}

/** Opens the database if that is possible; undefined if it is not, as then the packs are all there is. Under the lock. */
export async function openOld(art: string): Promise<OldDatabase | undefined> {
  const folder = join(art, 'objects');
  if (!existsSync(join(folder, 'CURRENT'))) return undefined;
  const table = openTable(folder, { create: false });
  try {
    await table.open();
    return { table, meta: decodeMeta(table.getSync(META_KEY)) };
  } catch {
    await table.close().catch(() => {});
    return undefined;
  }
}

/** The records that are intact, and the keys of those that are not. */
export async function readableRecords(
  table: Table,
): Promise<{ readonly records: Map<string, Uint8Array>; readonly damaged: string[] }> {
  const records = new Map();
  const damaged: string[] = [];
  for await (const page of tolerant(pagesOf({ table }, RECORD_RANGE))) {
    for (const [bytes, sealed] of page) {
      const key = Buffer.from(bytes).toString('utf8', 1);
      try {
        records.set(key, openRecord(key, sealed));
      } catch (error) {
        if (!isArtError(error)) throw error;
        damaged.push(key);
      }
    }
  }
  return { records, damaged };
}

/** Pages up to where the table is damaged: an iterator cannot go past that. */
export async function* tolerant<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* pages;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('LEVEL_'))
      throw error;
  }
}
