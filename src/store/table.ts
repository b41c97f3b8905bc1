/** Opens LevelDB's table of keys and values, and reads records and runs of rows from an open one. */
import { Level } from 'level';
import type { RecordRow } from './object-store.ts';
import { keyOfRecord, openRecord, recordKey } from './records.ts';

export type Table = Level<Uint8Array, Uint8Array>;

export interface Put {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
export type Change = Put | { readonly type: 'del'; readonly key: Uint8Array };

/**
 * Keys and values in a batch, which LevelDB keeps in one string that doubles as it grows, up to 983,040 bytes, and that is
 * given back only when the batch is collected as garbage.
 */
const BATCH_BYTES_MAX = 960_000;
/** What a change takes beside its key and value. */
const CHANGE_BYTES = 5;

export function openTable(folder: string, options: { readonly create: boolean }): Table {
  return new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: options.create,
    errorIfExists: options.create,
    writeBufferSize: 4 * 1024 * 1024,
    // Of blocks that are open already: with 8 MB nothing is faster, and a fetch of very many files takes 15 MB more.
    cacheSize: 2 * 1024 * 1024,
    // Open tables are mapped and count as memory of ours. LevelDB keeps at least 64 of them open, so they are small.
    maxOpenFiles: 64,
    maxFileSize: 1024 * 1024,
  });
}

/**
 * Writes changes in their order, in batches of about 1 MB. Each batch is synced by itself if they are to be durable:
 * LevelDB does not sync a log that it has switched away from.
 */
export async function writeChanges(
  table: Table,
  changes: Iterable<Change>,
  { sync }: { readonly sync: boolean },
): Promise<void> {
  let batch = table.batch();
  let bytes = 0;
  try {
    // Each goes to LevelDB's own buffer at once: an array of them takes five times as long, and their memory.
    for (const change of changes) {
      if (change.type === 'put') batch.put(change.key, change.value);
      else batch.del(change.key);
      bytes += CHANGE_BYTES + change.key.length + (change.type === 'put' ? change.value.length : 0);
      if (bytes < BATCH_BYTES_MAX) continue;
      await batch.write({ sync });
      batch = table.batch();
      bytes = 0;
    }
    if (batch.length > 0) await batch.write({ sync });
  } finally {
    await batch.close();
  }
}

/** The value of a record. Raises STORE_DAMAGED. */
export function recordIn(table: Table, key: string): Uint8Array | undefined {
  const sealed = table.getSync(recordKey(key));
  return sealed === undefined ? undefined : openRecord(key, sealed);
}

/** Records whose key begins with `prefix`, in key order. Raises STORE_DAMAGED. */
export async function recordsIn(
  table: Table,
  prefix: string,
  page: { readonly after?: string; readonly limit: number },
): Promise<RecordRow[]> {
  const after = page.after !== undefined && page.after > prefix ? page.after : undefined;
  const start = after === undefined ? { gte: recordKey(prefix) } : { gt: recordKey(after) };
  const end = Buffer.concat([recordKey(prefix), Buffer.from([0xff])]);
  const rows: RecordRow[] = [];
  for await (const [bytes, sealed] of table.iterator({ ...start, lt: end, limit: page.limit })) {
    const key = keyOfRecord(bytes);
    rows.push({ key, value: openRecord(key, sealed) });
  }
  return rows;
}

/** Keys from `gte` up to, not with, `lt`. */
export interface KeyRange {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

const PAGE_ROWS = 2000;

/**
 * Pages of [key, value] in key order. The database must stay pinned; between pages, where `open.table` may become
 * another, the caller may let it go for a moment. Rows that change meanwhile may or may not be seen.
 */
export async function* pagesOf(
  open: { readonly table: Table },
  range: KeyRange,
): AsyncGenerator<[Uint8Array, Uint8Array][]> {
  let from: { readonly gte: Uint8Array } | { readonly gt: Uint8Array } = { gte: range.gte };
  for (;;) {
    const page: [Uint8Array, Uint8Array][] = await open.table
      .iterator({ ...from, lt: range.lt, limit: PAGE_ROWS })
      .all();
    if (page.length > 0) yield page;
    if (page.length < PAGE_ROWS) return;
    from = { gt: page[page.length - 1][0] };
  }
}
