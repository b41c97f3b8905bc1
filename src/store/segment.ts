/** Collects objects into frames and rows until they are sealed as one segment of a pack. */
import type { Digest } from '#object';
import { CODEC_NONE, CODEC_ZSTD, compress, looksCompressible } from './compression.ts';
import type { Codec } from './compression.ts';
import { FRAME_RAW_MAX, SEGMENT_BYTES_MAX, SEGMENT_ROWS_MAX, aligned, encodeTrailer } from './pack-format.ts';
import type { Frame, Row, RowKind } from './pack-format.ts';

/** Stored bytes held back before they are handed on. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** Compressing must save at least this share, or the bytes stay as they are. */
const SAVING_MIN = 0.05;

interface FrameDraft {
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly codec: Codec;
  readonly rowCount: number;
}

/** Objects on their way into a pack. Offsets count from the segment's start until `seal` places them. */
export class Segment {
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #pending = Buffer.allocUnsafeSlow(FRAME_RAW_MAX);
  readonly #drain: (bytes: Uint8Array) => void;
  #pendingRows: { kind: RowKind; digest: Digest; bytes: number }[] = [];
  #pendingBytes = 0;
  #buffered = 0;
  #drained = 0;
  #frames: FrameDraft[] = [];
  #rows: { kind: RowKind; digest: Digest; bytes: number }[] = [];
  #rawBytes = 0;

  /** `drain` is handed stored bytes in order whenever the buffer is full, and by `flush`. */
  constructor(drain: (bytes: Uint8Array) => void) {
    this.#drain = drain;
  }

  get rowCount(): number {
    return this.#rows.length + this.#pendingRows.length;
  }

  /** Bytes stored so far; what is still to be compressed counts raw. */
  get storedBytes(): number {
    return this.#drained + this.#buffered + this.#pendingBytes;
  }

  get rawBytes(): number {
    return this.#rawBytes;
  }

  get full(): boolean {
    return this.storedBytes >= SEGMENT_BYTES_MAX || this.rowCount >= SEGMENT_ROWS_MAX;
  }

  /** Takes one object; its bytes are copied before this returns. */
  put(kind: RowKind, digest: Digest, bytes: Uint8Array): void {
    const row = { kind, digest: Uint8Array.prototype.slice.call(digest), bytes: bytes.length };
    this.#rawBytes += bytes.length;
    if (bytes.length > FRAME_RAW_MAX || !looksCompressible(bytes)) {
      this.#append(bytes, bytes.length, CODEC_NONE, [row]);
      return;
    }
    if (this.#pendingBytes + bytes.length > FRAME_RAW_MAX) this.closeFrame();
    this.#pending.set(bytes, this.#pendingBytes);
    this.#pendingBytes += bytes.length;
    this.#pendingRows.push(row);
  }

  /** Compresses what waits for company. */
  closeFrame(): void {
    if (this.#pendingRows.length === 0) return;
    const raw = this.#pending.subarray(0, this.#pendingBytes);
    const packed = compress(raw);
    if (packed.length < raw.length * (1 - SAVING_MIN)) this.#append(packed, raw.length, CODEC_ZSTD, this.#pendingRows);
    else this.#append(raw, raw.length, CODEC_NONE, this.#pendingRows);
    this.#pendingRows = [];
    this.#pendingBytes = 0;
  }

  /** Hands on what is buffered. */
  flush(): void {
    if (this.#buffered === 0) return;
    this.#drain(this.#buffer.subarray(0, this.#buffered));
    this.#drained += this.#buffered;
    this.#buffered = 0;
  }

  /**
   * Ends the segment, which begins at `start` of its pack: gives the trailer with the padding before it, and the
   * rows with their places. All frames are handed to `drain` first; the segment is empty again afterwards.
   */
  seal(start: number, previous: number, alignment: number): { readonly trailer: Uint8Array; readonly trailerOffset: number; readonly rows: Row[] } {
    this.closeFrame();
    this.flush();
    const frames = Buffer.allocUnsafe(this.#frames.length * 13);
    const placed: Row[] = [];
    let next = 0;
    this.#frames.forEach((draft, i) => {
      frames.writeUInt32LE(draft.storedBytes, i * 13);
      frames.writeUInt32LE(draft.rawBytes, i * 13 + 4);
      frames.writeUInt32LE(draft.rowCount, i * 13 + 8);
      frames[i * 13 + 12] = draft.codec;
      const frame: Frame = { ...draft, offset: start + draft.offset };
      let offset = 0;
      for (const end = next + draft.rowCount; next < end; next++) {
        placed.push({ ...this.#rows[next], offset, frame });
        offset += this.#rows[next].bytes;
      }
    });
    const rows = Buffer.allocUnsafe(this.#rows.length * 37);
    this.#rows.forEach((row, i) => {
      rows[i * 37] = row.kind;
      rows.writeUInt32LE(row.bytes, i * 37 + 1);
      rows.set(row.digest, i * 37 + 5);
    });
    const end = start + this.#drained;
    const trailerOffset = aligned(end, alignment);
    const parts = { start, previous, frameCount: this.#frames.length, frames, rowCount: this.#rows.length, rows };
    const trailer = Buffer.concat([Buffer.alloc(trailerOffset - end), encodeTrailer(parts, alignment)]);
    this.#frames = [];
    this.#rows = [];
    this.#drained = 0;
    this.#rawBytes = 0;
    return { trailer, trailerOffset, rows: placed };
  }

  #append(stored: Uint8Array, rawBytes: number, codec: Codec, rows: { kind: RowKind; digest: Digest; bytes: number }[]): void {
    this.#frames.push({ offset: this.#drained + this.#buffered, storedBytes: stored.length, rawBytes, codec, rowCount: rows.length });
    for (const row of rows) this.#rows.push(row);
    if (this.#buffered + stored.length > this.#buffer.length) this.flush();
    if (stored.length > this.#buffer.length) {
      this.#drain(stored);
      this.#drained += stored.length;
      return;
    }
    this.#buffer.set(stored, this.#buffered);
    this.#buffered += stored.length;
  }
}
