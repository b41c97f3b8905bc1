/** Collects objects into frames and rows until they are sealed as one segment of a pack. */
import { ByteWriter, EMPTY_BYTES, assert } from '#base';
import type { Digest, ObjectId } from '#object';
import { CODEC_NONE, CODEC_ZSTD, compress, looksCompressible } from './compression.ts';
import type { Codec } from './compression.ts';
import { handOver, type HandedOver } from './frame-compressor.ts';
import { isInline } from './location.ts';
import type { ArrivedFrame, StoredFrame } from './object-store.ts';
import {
  FRAME_BYTES,
  FRAME_RAW_MAX,
  RECORDS,
  ROW_BYTES,
  SEGMENT_BYTES_MAX,
  SEGMENT_ROWS_MAX,
  aligned,
  encodeTrailer,
} from './pack-format.ts';
import type { Frame, Row, RowKind } from './pack-format.ts';

/** Stored bytes held back before they are handed on. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** Compressing must save at least this share, or the bytes stay as they are. */
const SAVING_MIN = 0.05;

/**
 * Is handed stored bytes in order, whenever the buffer is full and by `seal`. They stay as they are until the promise
 * resolves, or if there is none, until it returns. The promise never rejects.
 */
export type Drain = (bytes: Uint8Array) => Promise<void> | undefined;

export interface SegmentOptions {
  /** Whether `seal` is asked for what goes into LevelDB; else `close` ends the segment, and no object's bytes are kept. */
  readonly indexed?: boolean;
}

/** What was sealed, in the bytes of the trailer's columns: a row takes 37 bytes, where an object would take 300. */
export interface SealedSegment {
  readonly start: number;
  readonly frames: Uint8Array;
  readonly rows: Uint8Array;
  /** The bytes of the objects that also stand in LevelDB, in the order of the rows. */
  readonly inline: Uint8Array;
}

/** Objects on their way into a pack. Frames count from the segment's start until `seal` places them. */
export class Segment {
  #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Buffers whose bytes were taken, to be filled again. */
  readonly #free: Buffer<ArrayBuffer>[] = [];
  readonly #pending = Buffer.allocUnsafeSlow(FRAME_RAW_MAX);
  readonly #pendingRows = new ByteWriter(ROW_BYTES * 64);
  readonly #drain: Drain;
  readonly #indexed: boolean;
  readonly #frames = new ByteWriter(FRAME_BYTES * 64);
  readonly #rows = new ByteWriter(ROW_BYTES * 64);
  readonly #inline = new ByteWriter();
  /** Frames that are being compressed, oldest first, each with its rows. */
  readonly #handedOver: { readonly frame: HandedOver; readonly rows: Uint8Array }[] = [];
  #handedOverBytes = 0;
  #handedOverRows = 0;
  #pendingBytes = 0;
  /** How far the buffer is filled, and how much of that was drained already. */
  #buffered = 0;
  #handed = 0;
  #taking: Promise<void> | undefined;
  #drained = 0;

  constructor(drain: Drain, { indexed = true }: SegmentOptions = {}) {
    this.#drain = drain;
    this.#indexed = indexed;
  }

  get rowCount(): number {
    return this.#handedOverRows + (this.#rows.length + this.#pendingRows.length) / ROW_BYTES;
  }

  /** Bytes stored so far; what is still to be compressed counts raw. */
  get storedBytes(): number {
    return this.#drained + this.#buffered - this.#handed + this.#handedOverBytes + this.#pendingBytes;
  }

  get full(): boolean {
    return this.storedBytes >= SEGMENT_BYTES_MAX || this.rowCount >= SEGMENT_ROWS_MAX;
  }

  /** Takes one object; its bytes are copied before this returns. */
  put(kind: RowKind, digest: Digest, bytes: Uint8Array): void {
    if (bytes.length > FRAME_RAW_MAX || !looksCompressible(bytes)) {
      this.#append(bytes, bytes.length, CODEC_NONE, 1);
      this.#rows.u8(kind).u32(bytes.length).bytes(digest);
      if (this.#indexed && kind !== RECORDS && isInline({ kind, bytes: bytes.length }))
        this.#inline.bytes(bytes);
      return;
    }
    if (this.#pendingBytes + bytes.length > FRAME_RAW_MAX) this.#closeFrame();
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes += bytes.length;
    this.#pendingRows.u8(kind).u32(bytes.length).bytes(digest);
  }

  /**
   * Takes a frame as it is stored, where it lies: its bytes stay as they are until `drain` says that it has them. Not of a
   * segment that is indexed.
   */
  lay({ ids, lengths, rawBytes, codec, stored }: StoredFrame): void {
    assert(!this.#indexed, 'what stands in LevelDB as well is not known of a frame that is laid');
    this.#hand();
    this.#frames.u32(stored.length).u32(rawBytes).u32(ids.length).u8(codec);
    this.#addRows(ids, lengths);
    void this.#drain(stored);
    this.#drained += stored.length;
  }

  /** Takes a frame as it is stored; its bytes are copied before this returns. */
  putFrame({ ids, lengths, rawBytes, codec, stored, inline }: ArrivedFrame): void {
    this.#append(stored, rawBytes, codec, ids.length);
    this.#addRows(ids, lengths);
    if (this.#indexed) for (const bytes of inline) this.#inline.bytes(bytes);
  }

  #addRows(ids: readonly ObjectId[], lengths: readonly number[]): void {
    for (const [i, { kind, digest }] of ids.entries()) this.#rows.u8(kind).u32(lengths[i]).bytes(digest);
  }

  /**
   * Ends the segment, which begins at `start` of its pack: gives the trailer with the padding before it, and what is in
   * it. All frames are handed to `drain` first; the segment is empty again afterwards.
   */
  seal(
    start: number,
    previous: number,
    alignment: number,
  ): { readonly trailer: Uint8Array; readonly trailerOffset: number; readonly sealed: SealedSegment } {
    this.settle();
    const [frames, rows, inline] = [this.#frames.take(), this.#rows.take(), this.#inline.take()];
    return { ...this.close(start, previous, alignment), sealed: { start, frames, rows, inline } };
  }

  /** As `seal`, for whoever wants the trailer alone. It lies in memory of its own, whatever is put next. */
  close(
    start: number,
    previous: number,
    alignment: number,
  ): { readonly trailer: Uint8Array; readonly trailerOffset: number } {
    this.settle();
    this.#flush();
    const end = start + this.#drained;
    const trailerOffset = aligned(end, alignment);
    const columns = { frames: this.#frames.view(), rows: this.#rows.view() };
    const trailer = encodeTrailer({ start, previous, ...columns }, alignment, trailerOffset - end);
    for (const writer of [this.#frames, this.#rows, this.#inline]) writer.clear();
    this.#drained = 0;
    return { trailer, trailerOffset };
  }

  /** Compresses all that still waits: `storedBytes` is exact afterwards. */
  settle(): void {
    this.#closeFrame();
    while (this.#handedOver.length > 0) this.#takeBack();
  }

  /** Forgets what is being compressed: the segment is not used any more. */
  drop(): void {
    for (const { frame } of this.#handedOver.splice(0)) frame.drop();
  }

  // Has what waited for company compressed.
  #closeFrame(): void {
    while (this.#handedOver[0]?.frame.done) this.#takeBack();
    if (this.#pendingRows.length === 0) return;
    const raw = this.#pending.subarray(0, this.#pendingBytes);
    const frame = handOver(raw);
    if (frame === undefined) this.#appendFrame(raw, compress(raw), this.#pendingRows.view());
    else {
      const rows = this.#pendingRows.take();
      this.#handedOver.push({ frame, rows });
      this.#handedOverBytes += raw.length;
      this.#handedOverRows += rows.length / ROW_BYTES;
    }
    this.#pendingRows.clear();
    this.#pendingBytes = 0;
  }

  #takeBack(): void {
    const { frame, rows } = this.#handedOver.shift()!;
    const { raw, packed } = frame.take();
    this.#handedOverBytes -= raw.length;
    this.#handedOverRows -= rows.length / ROW_BYTES;
    this.#appendFrame(raw, packed, rows);
  }

  #appendFrame(raw: Uint8Array, packed: Uint8Array, rows: Uint8Array): void {
    const count = rows.length / ROW_BYTES;
    if (packed.length < raw.length * (1 - SAVING_MIN)) this.#append(packed, raw.length, CODEC_ZSTD, count);
    else this.#append(raw, raw.length, CODEC_NONE, count);
    this.#rows.bytes(rows);
    if (!this.#indexed) return;
    let offset = 0;
    for (let at = 0; at < rows.length; at += ROW_BYTES) {
      const kind = rows[at] as RowKind;
      const bytes = lengthAt(rows, at);
      if (kind !== RECORDS && isInline({ kind, bytes }))
        this.#inline.bytes(raw.subarray(offset, offset + bytes));
      offset += bytes;
    }
  }

  #append(stored: Uint8Array, rawBytes: number, codec: Codec, rowCount: number): void {
    this.#frames.u32(stored.length).u32(rawBytes).u32(rowCount).u8(codec);
    if (this.#buffered + stored.length > this.#buffer.length) this.#flush();
    if (stored.length > this.#buffer.length) {
      void this.#drain(Buffer.from(stored));
      this.#drained += stored.length;
      return;
    }
    this.#buffer.set(stored, this.#buffered);
    this.#buffered += stored.length;
  }

  // Has the rest of the buffer drained, and another one filled next.
  #flush(): void {
    this.#hand();
    const [full, taking] = [this.#buffer, this.#taking];
    if (taking !== undefined) {
      this.#buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
      void taking.then(() => this.#free.push(full));
    }
    this.#taking = undefined;
    this.#handed = this.#buffered = 0;
  }

  // Has what the buffer holds drained, and the buffer filled on behind that.
  #hand(): void {
    if (this.#handed === this.#buffered) return;
    this.#taking = this.#drain(this.#buffer.subarray(this.#handed, this.#buffered));
    this.#drained += this.#buffered - this.#handed;
    this.#handed = this.#buffered;
  }
}

const EMPTY_ROW: Row = {
  kind: RECORDS,
  digest: EMPTY_BYTES,
  bytes: 0,
  offset: 0,
  frame: { offset: 0, storedBytes: 0, rawBytes: 0, codec: CODEC_NONE, rowCount: 0 },
};

/** How many objects and lists of records are in a sealed segment. */
export function sealedRowCount({ rows }: SealedSegment): number {
  return rows.length / ROW_BYTES;
}

/**
 * Each row of a sealed segment with its place, and its bytes if it also stands in LevelDB; all of it good until the next
 * is asked for: what is given out is one object.
 */
export function* sealedRows(
  sealed: SealedSegment,
): Generator<{ readonly row: Row; readonly inline: Uint8Array | undefined }, void> {
  const { frames, rows, inline } = sealed;
  const row: { -readonly [K in keyof Row]: Row[K] } = { ...EMPTY_ROW };
  const given: { row: Row; inline: Uint8Array | undefined } = { row, inline: undefined };
  let position = sealed.start;
  let at = 0;
  let inlined = 0;
  for (let f = 0; f < frames.length; f += FRAME_BYTES) {
    const storedBytes = lengthAt(frames, f - 1);
    const rawBytes = lengthAt(frames, f + 3);
    const rowCount = lengthAt(frames, f + 7);
    const frame: Frame = {
      offset: position,
      storedBytes,
      rawBytes,
      rowCount,
      codec: frames[f + 12] as Codec,
    };
    position += storedBytes;
    let offset = 0;
    for (const end = at + rowCount * ROW_BYTES; at < end; at += ROW_BYTES) {
      const bytes = (row.bytes = lengthAt(rows, at));
      row.kind = rows[at] as RowKind;
      row.digest = rows.subarray(at + 5, at + ROW_BYTES);
      row.offset = offset;
      row.frame = frame;
      offset += bytes;
      const stands = row.kind !== RECORDS && isInline(row);
      given.inline = stands ? inline.subarray(inlined, inlined + bytes) : undefined;
      if (stands) inlined += bytes;
      yield given;
    }
  }
}

// The u32 behind the first byte of a row.
function lengthAt(bytes: Uint8Array, at: number): number {
  return (bytes[at + 1] | (bytes[at + 2] << 8) | (bytes[at + 3] << 16) | (bytes[at + 4] << 24)) >>> 0;
}
