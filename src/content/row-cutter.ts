/** Cuts tables in text form into rows, in bounded memory. */
import { throwIfAborted } from '#base';

/** Opens a content to be read from its beginning; pieces are views that the next step may overwrite. */
export type Bytes = () => AsyncIterable<Uint8Array>;

export interface Cutting {
  /** Whether a line feed between quotes ends no row. */
  readonly quotes: boolean;
  readonly signal?: AbortSignal;
}

/** How the rows of a content are set apart. */
export class RowEnds {
  blankLines = 0;
  /** Rows that end in a carriage return and a line feed. */
  returns = 0;
  /** Whether the last row ends with the content. */
  unended = false;
}

/** A row longer than this is taken for several. */
const ROW_BYTES_MAX = 1024 * 1024;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const QUOTE = 0x22;
/** A comma, and what stands in its place in files that use it in numbers. */
const SEPARATORS: ReadonlySet<number> = new Set([0x2c, 0x3b, 0x09]);

/** The rows of a content without their ends, in batches of views; blank lines are no rows. Adds up what it leaves out. */
export async function* rowsOf(
  content: Bytes,
  { quotes, signal }: Cutting,
  ends = new RowEnds(),
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of content()) {
    throwIfAborted(signal);
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const rows: Uint8Array[] = [];
    let from = 0;
    for (let to = rowEnd(bytes, from, quotes); to >= 0; to = rowEnd(bytes, from, quotes)) {
      addRow(rows, bytes.subarray(from, to), ends);
      from = to;
    }
    yield rows;
    rest = Buffer.from(bytes.subarray(from));
  }
  if (rest.length === 0) return;
  const rows: Uint8Array[] = [];
  addRow(rows, rest, ends);
  ends.unended = true;
  yield rows;
}

/** Where the row that begins at `from` ends, behind its line feed; -1 if it goes on past `bytes`. */
function rowEnd(bytes: Uint8Array, from: number, quotes: boolean): number {
  const end = Math.min(bytes.length, from + ROW_BYTES_MAX);
  let quoted = false;
  // Where the last quote closed: another one right behind it stands for itself, and nothing is closed.
  let closed = -1;
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === LINE_FEED && !quoted) return at + 1;
    if (byte !== QUOTE || !quotes) continue;
    if (quoted) {
      quoted = false;
      closed = at;
    } else quoted = at === from || closed === at - 1 || SEPARATORS.has(bytes[at - 1]);
  }
  return end - from === ROW_BYTES_MAX ? end : -1;
}

/** `row` with its end, if it has one. */
function addRow(rows: Uint8Array[], row: Uint8Array, ends: RowEnds): void {
  const feed = row[row.length - 1] === LINE_FEED ? 1 : 0;
  const end = row.length - feed;
  const isReturn = end > 0 && row[end - 1] === RETURN;
  const text = row.subarray(0, isReturn ? end - 1 : end);
  if (text.length > 0) rows.push(text);
  else ends.blankLines++;
  if (isReturn) ends.returns++;
}
