/**
 * Lays out packs: a header, then segments, each a run of frames closed by a trailer that says what is in them.
 * A frame is the unit of compression and holds one or more objects back to back; a row names one object.
 */
import { ArtError, ByteReader, ByteWriter, crc32c, equalBytes } from '#base';
import { CHUNK, NODE } from '#object';
import type { Digest, ObjectKind } from '#object';
import { CODEC_NONE, CODEC_ZSTD } from './compression.ts';
import type { Codec } from './compression.ts';

/** A row that is no object but a list of changed records, written by a transaction. */
export const RECORDS = 2;
export type RowKind = ObjectKind | typeof RECORDS;

/** Frames are closed before they pass this many raw bytes; a single object may be as long. */
export const FRAME_RAW_MAX = 512 * 1024;
/** The longest object a pack can hold. */
export const OBJECT_BYTES_MAX = 2 * 1024 * 1024;
export const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
export const SEGMENT_ROWS_MAX = 65_536;
/** Lists of records of about 1 MiB each may come on top of what fills a segment. */
const DECODED_ROWS_MAX = SEGMENT_ROWS_MAX + 4096;
export const HEADER_BYTES = 32;
/** Trailers of packs begin at multiples of this, so that a scan in such steps finds every one. */
export const PACK_ALIGNMENT = 4096;
/** Journals hold many small segments: a smaller step. */
export const JOURNAL_ALIGNMENT = 512;

const PACK_MAGIC = Buffer.from('ARTPACK1');
const TRAILER_MAGIC = Buffer.from('ARTTRAIL');
const END_MAGIC = Buffer.from('ARTTREND');
/** A frame in a trailer: stored length u32, raw length u32, rows u32, codec u8. */
export const FRAME_BYTES = 13;
/** A row in a trailer: kind u8, length u32, digest. */
export const ROW_BYTES = 37;
const TRAILER_FIXED_BYTES = 8 + 4 + 4 + 8 + 8;
const TRAILER_END_BYTES = 4 + 4 + 8;
export const TRAILER_BYTES_MAX = 16 * 1024 * 1024;

export interface Frame {
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly codec: Codec;
  readonly rowCount: number;
}

/** One object of a segment and where its bytes are: `offset` counts inside the raw bytes of its frame. */
export interface Row {
  readonly kind: RowKind;
  readonly digest: Digest;
  readonly bytes: number;
  readonly offset: number;
  readonly frame: Frame;
}

export interface SegmentInfo {
  /** Where the first frame begins. */
  readonly start: number;
  /** Where the trailer begins. */
  readonly trailerOffset: number;
  /** Where the next segment begins. */
  readonly end: number;
  /** Where the previous trailer begins; 0 if this is the first. */
  readonly previous: number;
  /** Made whenever they are asked for: of all the segments of a journal they would take hundreds of megabytes. */
  readonly rows: readonly Row[];
}

export function encodeHeader(id: Uint8Array, alignment: number): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES).bytes(PACK_MAGIC).u32(alignment).bytes(id);
  return writer.u32(crc32c(writer.view())).take();
}

/** Checks a pack's header and gives its alignment, or raises PACK_CORRUPT naming `what`. */
export function decodeHeader(header: Uint8Array, what: string): { readonly alignment: number } {
  if (header.length < HEADER_BYTES) throw new ArtError('PACK_CORRUPT', `${what} is shorter than its header`);
  const view = Buffer.from(header.buffer, header.byteOffset, HEADER_BYTES);
  if (
    !equalBytes(view.subarray(0, 8), PACK_MAGIC) ||
    view.readUInt32LE(28) !== crc32c(view.subarray(0, 28))
  ) {
    throw new ArtError('PACK_CORRUPT', `${what} has a damaged header`);
  }
  const alignment = view.readUInt32LE(8);
  if (alignment !== PACK_ALIGNMENT && alignment !== JOURNAL_ALIGNMENT) {
    throw new ArtError('PACK_CORRUPT', `${what} has an unknown alignment of ${alignment}`);
  }
  return { alignment };
}

export interface TrailerParts {
  readonly start: number;
  readonly previous: number;
  /** FRAME_BYTES each. */
  readonly frames: Uint8Array;
  /** ROW_BYTES each, in the order of the frames. */
  readonly rows: Uint8Array;
}

/** Encodes a trailer padded so that it fills whole steps of `alignment`, behind `gap` zeros. */
export function encodeTrailer(parts: TrailerParts, alignment: number, gap = 0): Uint8Array {
  const body = TRAILER_FIXED_BYTES + parts.frames.length + parts.rows.length;
  const length = Math.ceil((body + TRAILER_END_BYTES) / alignment) * alignment;
  const writer = new ByteWriter(gap + length).bytes(new Uint8Array(gap)).bytes(TRAILER_MAGIC);
  writer.u32(parts.frames.length / FRAME_BYTES).u32(parts.rows.length / ROW_BYTES);
  writer.f64(parts.start).f64(parts.previous).bytes(parts.frames).bytes(parts.rows);
  writer.bytes(new Uint8Array(length - body - TRAILER_END_BYTES)).u32(length);
  return writer
    .u32(crc32c(writer.view().subarray(gap)))
    .bytes(END_MAGIC)
    .view();
}

/** The length of the trailer whose last bytes end `tail`, or undefined if there is none. */
export function trailerLengthAtEnd(tail: Uint8Array): number | undefined {
  if (tail.length < TRAILER_END_BYTES || !equalBytes(tail.subarray(tail.length - 8), END_MAGIC))
    return undefined;
  const at = tail.length - TRAILER_END_BYTES;
  return Buffer.from(tail.buffer, tail.byteOffset + at, 4).readUInt32LE(0);
}

/** Whether a trailer may begin with these bytes. */
export function beginsTrailer(bytes: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, 8), TRAILER_MAGIC);
}

/** How long the trailer is that begins `bytes` (its first 32 bytes suffice), by its counts. */
export function trailerLengthByCounts(bytes: Uint8Array, alignment: number): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const body = TRAILER_FIXED_BYTES + view.readUInt32LE(8) * FRAME_BYTES + view.readUInt32LE(12) * ROW_BYTES;
  return Math.ceil((body + TRAILER_END_BYTES) / alignment) * alignment;
}

/** Decodes a whole trailer that begins at `offset` in its pack, or raises PACK_CORRUPT naming `what`. */
export function decodeTrailer(bytes: Uint8Array, offset: number, what: string): SegmentInfo {
  const { start, previous, rows } = openTrailer(bytes, offset, what);
  for (const row of rows) void row; // What is wrong with any of them is raised here.
  return {
    start,
    trailerOffset: offset,
    end: offset + bytes.length,
    previous,
    get rows() {
      return [...rows];
    },
  };
}

/** A trailer whose rows are still its bytes: as objects they take eight times as much. */
export interface Trailer extends Pick<SegmentInfo, 'start' | 'previous'> {
  readonly rowCount: number;
  /** Made one by one, and checked as they are made. */
  readonly rows: Iterable<Row>;
}

/** As `decodeTrailer`; what is wrong with single rows is raised by whoever goes through them. */
export function openTrailer(bytes: Uint8Array, offset: number, what: string): Trailer {
  const crcAt = bytes.length - 12;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crcAt < TRAILER_FIXED_BYTES || view.readUInt32LE(crcAt) !== crc32c(bytes.subarray(0, crcAt)))
    throw trailerCorrupt(what, offset, 'is damaged');
  return openWholeTrailer(bytes, offset, what);
}

function trailerCorrupt(what: string, offset: number, why: string): ArtError {
  return new ArtError('PACK_CORRUPT', `${what}: the segment trailer at ${offset} ${why}`);
}

/** As `openTrailer`, for one that is whole for sure: it was just made here. */
export function openWholeTrailer(bytes: Uint8Array, offset: number, what: string): Trailer {
  const corrupt = (why: string) => trailerCorrupt(what, offset, why);
  const reader = new ByteReader(bytes, `${what}: trailer`);
  reader.bytes(8);
  const frameCount = reader.u32();
  const rowCount = reader.u32();
  const start = reader.f64();
  const previous = reader.f64();
  if (frameCount * FRAME_BYTES + rowCount * ROW_BYTES > reader.left)
    throw corrupt('claims more rows than it holds');
  // In memory they take many times their bytes, and whoever wrote them may be a stranger.
  if (rowCount > DECODED_ROWS_MAX || frameCount > rowCount)
    throw corrupt('has more rows or frames than a segment may');
  if (start < HEADER_BYTES || start > offset || !Number.isSafeInteger(start))
    throw corrupt('claims more bytes than there are');
  if (previous < 0 || previous > start || !Number.isSafeInteger(previous))
    throw corrupt('names a trailer before it that cannot be');
  const framesAt = reader.offset;
  const counts = { start, frameCount, rowCount, end: offset };
  const columns = {
    frames: bytes.subarray(framesAt, framesAt + frameCount * FRAME_BYTES),
    rows: bytes.subarray(framesAt + frameCount * FRAME_BYTES),
  };
  const rows = { [Symbol.iterator]: () => trailerRows(columns, counts, corrupt) };
  return { start, previous, rowCount, rows };
}

function* trailerRows(
  columns: { readonly frames: Uint8Array; readonly rows: Uint8Array },
  counts: {
    readonly start: number;
    readonly frameCount: number;
    readonly rowCount: number;
    readonly end: number;
  },
  corrupt: (why: string) => ArtError,
): Generator<Row, void> {
  const frames = new ByteReader(columns.frames, 'frames');
  const rows = new ByteReader(columns.rows, 'rows');
  let position = counts.start;
  let rowsLeft = counts.rowCount;
  for (let i = 0; i < counts.frameCount; i++) {
    const frame = readFrame(frames, position, corrupt);
    position += frame.storedBytes;
    if (position > counts.end) throw corrupt('claims more bytes than there are');
    rowsLeft -= frame.rowCount;
    if (rowsLeft < 0) throw corrupt('counts its rows wrongly');
    let inFrame = 0;
    for (let j = 0; j < frame.rowCount; j++) {
      const kind = rows.u8();
      const length = rows.u32();
      if (kind !== CHUNK && kind !== NODE && kind !== RECORDS) throw corrupt(`names unknown kind ${kind}`);
      yield { kind, bytes: length, digest: rows.bytes(32), offset: inFrame, frame };
      inFrame += length;
    }
    if (inFrame !== frame.rawBytes) throw corrupt('has a frame whose objects do not fill it');
  }
  if (rowsLeft > 0) throw corrupt('counts its rows wrongly');
}

function readFrame(frames: ByteReader, offset: number, corrupt: (why: string) => ArtError): Frame {
  const [storedBytes, rawBytes, rowCount] = [frames.u32(), frames.u32(), frames.u32()];
  const codec = frames.u8();
  if (codec !== CODEC_NONE && codec !== CODEC_ZSTD) throw corrupt(`names unknown codec ${codec}`);
  if (rawBytes > OBJECT_BYTES_MAX || storedBytes > 2 * OBJECT_BYTES_MAX)
    throw corrupt('has a frame too large');
  if (codec === CODEC_NONE && storedBytes !== rawBytes) throw corrupt('has a frame of two lengths');
  return { offset, storedBytes, rawBytes, rowCount, codec };
}

/** Where the last frame of a segment ends. */
export function framesEnd({ start, rows }: Pick<SegmentInfo, 'start' | 'rows'>): number {
  const frame = rows.at(-1)?.frame;
  return frame === undefined ? start : frame.offset + frame.storedBytes;
}

/** Rounds up to the next multiple of `alignment`. */
export function aligned(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
