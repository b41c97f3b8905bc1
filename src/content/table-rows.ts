/** Compares tables in text form by their rows, wherever these stand, in one or more passes of bounded memory. */
import { Column, DigestTable, equalBytes, utf8 } from '#base';
import { contentHasher, hash } from '#object';
import { RowEnds, rowsOf } from './row-cutter.ts';
import type { Bytes, Cutting } from './row-cutter.ts';

export interface RowChanges {
  /** Rows that one side has more often than the other. */
  readonly added: number;
  readonly removed: number;
  /** The first few of them, each cut to SAMPLE_BYTES_MAX. */
  readonly addedSamples: readonly string[];
  readonly removedSamples: readonly string[];
  /** How else they differ; looked for only if no row was added or removed. */
  readonly look: RowLook | undefined;
}

/** What differs between two tables of the same rows. */
export interface RowLook {
  readonly order: boolean;
  readonly lineEnds: boolean;
  /** How many there are more after than before. */
  readonly blankLines: number;
}

const SAMPLES_MAX = 3;
const SAMPLE_BYTES_MAX = 400;
/** Different rows remembered in one pass, about 50 bytes each. */
const ROWS_MAX = 1_000_000;
const PARTS_MAX = 256;
const ROW_END = utf8('\n');

/** Whether the name says that each line is a row: CSV, TSV, JSON Lines. */
export function isTablePath(path: string): boolean {
  return /\.(csv|tsv|jsonl|ndjson)$/i.test(path);
}

/**
 * Counts the rows that were added and removed; a row that moved is neither. A row ends at a line feed, in CSV only
 * outside of quotes, which open where a field begins; whether a carriage return stands before it does not matter. More different rows than ROWS_MAX are
 * compared in parts, by digest, reading both sides once a part. Undefined beyond PARTS_MAX parts.
 */
export async function compareRows(
  before: Bytes,
  after: Bytes,
  options: Cutting & { readonly rowsMax?: number },
): Promise<RowChanges | undefined> {
  const rowsMax = options.rowsMax ?? ROWS_MAX;
  for (let parts = 1; parts <= PARTS_MAX; parts *= 4) {
    const total = { added: 0, removed: 0, addedSamples: [] as string[], removedSamples: [] as string[] };
    let part = 0;
    for (; part < parts; part++) {
      const rows = new RowTable(rowsMax, part, parts);
      if (!(await rows.count(rowsOf(before, options), 1))) break;
      if (!(await rows.count(rowsOf(after, options), -1))) break;
      total.removed += rows.sum(1);
      total.added += rows.sum(-1);
      await rows.sample(rowsOf(before, options), 1, total.removedSamples);
      await rows.sample(rowsOf(after, options), -1, total.addedSamples);
    }
    if (part < parts) continue;
    const look = total.added + total.removed > 0 ? undefined : await compareLooks(before, after, options);
    return { ...total, look };
  }
  return undefined;
}

async function compareLooks(before: Bytes, after: Bytes, cutting: Cutting): Promise<RowLook> {
  const [old, now] = [await lookOf(before, cutting), await lookOf(after, cutting)];
  return {
    order: !equalBytes(old.order, now.order),
    lineEnds: old.ends.returns !== now.ends.returns || old.ends.unended !== now.ends.unended,
    blankLines: now.ends.blankLines - old.ends.blankLines,
  };
}

async function lookOf(
  content: Bytes,
  cutting: Cutting,
): Promise<{ readonly order: Uint8Array; readonly ends: RowEnds }> {
  const [hasher, ends] = [contentHasher(), new RowEnds()];
  for await (const rows of rowsOf(content, cutting, ends)) {
    for (const row of rows) {
      hasher.update(row);
      hasher.update(ROW_END);
    }
  }
  return { order: hasher.digest(), ends };
}

/** How often each row of one part stands on the one side more than on the other. */
class RowTable {
  readonly #digests = new DigestTable();
  readonly #counts = new Column(Int32Array);
  readonly #rowsMax: number;
  readonly #part: number;
  readonly #parts: number;

  constructor(rowsMax: number, part: number, parts: number) {
    this.#rowsMax = rowsMax;
    this.#part = part;
    this.#parts = parts;
  }

  /** False if there are too many. */
  async count(rows: AsyncIterable<readonly Uint8Array[]>, by: 1 | -1): Promise<boolean> {
    for await (const batch of rows) {
      for (const row of batch) {
        const digest = hash(row);
        if (digest[31] % this.#parts !== this.#part) continue;
        if (this.#digests.add(digest)) this.#counts.push(0);
        this.#counts.add(this.#digests.indexOf(digest), by);
      }
      if (this.#digests.size > this.#rowsMax) return false;
    }
    return true;
  }

  /** How many rows there are more on the side of `by`. */
  sum(by: 1 | -1): number {
    let sum = 0;
    for (let i = 0; i < this.#counts.length; i++) sum += Math.max(0, this.#counts.at(i) * by);
    return sum;
  }

  /** Adds to `samples` the first of those rows until there are SAMPLES_MAX. */
  async sample(rows: AsyncIterable<readonly Uint8Array[]>, by: 1 | -1, samples: string[]): Promise<void> {
    if (samples.length >= SAMPLES_MAX || this.sum(by) === 0) return;
    for await (const batch of rows) {
      for (const row of batch) {
        const index = this.#digests.indexOf(hash(row));
        if (index < 0 || this.#counts.at(index) * by <= 0) continue;
        this.#counts.add(index, -by);
        samples.push(Buffer.from(row.subarray(0, SAMPLE_BYTES_MAX)).toString('utf8'));
        if (samples.length >= SAMPLES_MAX) return;
      }
    }
  }
}
