/** Compares tables in text form by their rows, wherever these stand, in one or more passes of bounded memory. */
import { Column, DigestTable, throwIfAborted } from '#base';
import { hash } from '#object';

/** Opens a content to be read from its beginning; pieces are views that the next step may overwrite. */
export type Bytes = () => AsyncIterable<Uint8Array>;

export interface RowChanges {
  /** Rows that one side has more often than the other. */
  readonly added: number;
  readonly removed: number;
  /** The first few of them, each cut to SAMPLE_BYTES_MAX. */
  readonly addedSamples: readonly string[];
  readonly removedSamples: readonly string[];
}

export const SAMPLES_MAX = 3;
export const SAMPLE_BYTES_MAX = 400;
/** Different rows remembered in one pass, about 50 bytes each. */
const ROWS_MAX = 1_000_000;
/** A row longer than this is taken for several. */
const ROW_BYTES_MAX = 1024 * 1024;
const PARTS_MAX = 256;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;

/** Whether the name says that each line is a row: CSV, TSV, JSON Lines. */
export function isTablePath(path: string): boolean {
  return /\.(csv|tsv|jsonl|ndjson)$/i.test(path);
}

/**
 * Counts the rows that were added and removed; a row that moved is neither. A row ends at a line feed, in CSV only
 * outside of quotes; whether a carriage return stands before it does not matter. More different rows than ROWS_MAX are
 * compared in parts, by digest, reading both sides once a part. Undefined beyond PARTS_MAX parts.
 */
export async function compareRows(
  before: Bytes,
  after: Bytes,
  options: { readonly quotes: boolean; readonly rowsMax?: number; readonly signal?: AbortSignal },
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
    if (part === parts) return total;
  }
  return undefined;
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

/** The rows of a content without their ends, in batches of views; empty lines are no rows. */
async function* rowsOf(
  content: Bytes,
  { quotes, signal }: { readonly quotes: boolean; readonly signal?: AbortSignal },
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of content()) {
    throwIfAborted(signal);
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const rows: Uint8Array[] = [];
    let from = 0;
    let quoted = false;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (quotes && byte === QUOTE) quoted = !quoted;
      if ((byte !== LINE_FEED || quoted) && at - from < ROW_BYTES_MAX) continue;
      addRow(rows, bytes, from, byte === LINE_FEED ? at : at + 1);
      from = at + 1;
      quoted = false;
    }
    yield rows;
    rest = Buffer.from(bytes.subarray(from));
  }
  const rows: Uint8Array[] = [];
  addRow(rows, rest, 0, rest.length);
  if (rows.length > 0) yield rows;
}

function addRow(rows: Uint8Array[], bytes: Uint8Array, from: number, to: number): void {
  const end = to > from && bytes[to - 1] === RETURN ? to - 1 : to;
  if (end > from) rows.push(bytes.subarray(from, end));
}
