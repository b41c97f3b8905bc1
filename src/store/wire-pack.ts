/**
 * Packs that travel: a pack of one segment, put together in memory. Its trailer says what is in it and where, and is
 * the pack's index wherever that is kept beside it.
 */
import { randomBytes } from 'node:crypto';
import { ArtError } from '#base';
import type { Digest, ObjectKind } from '#object';
import { CODEC_NONE, decompress, loadCompression } from './compression.ts';
import type { StoredFrame } from './object-store.ts';
import {
  HEADER_BYTES,
  JOURNAL_ALIGNMENT,
  RECORDS,
  SEGMENT_ROWS_MAX,
  TRAILER_BYTES_MAX,
  aligned,
  encodeHeader,
  openTrailer,
  openWholeTrailer,
  trailerLengthAtEnd,
} from './pack-format.ts';
import type { Row } from './pack-format.ts';
import { Segment } from './segment.ts';

/** A pack is closed once it holds so much; the last object may take it a little beyond. */
const WIRE_PACK_BYTES = 20 * 1024 * 1024;
/** No index is longer. */
export const WIRE_INDEX_BYTES_MAX = TRAILER_BYTES_MAX;

export interface WirePack {
  /** The bytes of the pack, in pieces; until `release`. */
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  /** Its trailer, which `parts` ends with; in memory of its own, which `release` does not give back. */
  readonly index: Uint8Array;
  readonly objects: number;
  /** What is in it, made one by one each time they are gone through. */
  readonly rows: Iterable<Row>;
  /** Gives the memory of `parts` back, to be filled again: they are not read any more. */
  release(): void;
}

/** Small enough that what is read is still near when it is verified; what is lent is seldom more. */
const ROOM_BYTES = 4 * 1024 * 1024;

/** A stretch of memory that grows while what is put lies behind it. */
interface Part {
  readonly buffer: ArrayBuffer;
  readonly start: number;
  length: number;
}

/** Memory that objects are read into and packed from. */
interface Room {
  readonly memory: Buffer<ArrayBuffer>;
  /** Packs that hold some of it, and whether it may still be read into. */
  users: number;
  /** How much of it, from its start, is packed. */
  used: number;
}

/** Puts objects into one pack after another. */
export class WirePackBuilder {
  #parts: Part[] = [];
  #released = releasing();
  /** The one that was lent last, and whether the pack that is being filled holds some of it. */
  #room: Room | undefined;
  #roomIsHeld = false;
  /** Memory of rooms that nobody uses any more. */
  readonly #spare: Buffer<ArrayBuffer>[] = [];
  readonly #segment = new Segment(
    (bytes) => {
      this.#addPart(bytes);
      return this.#released.promise;
    },
    { indexed: false },
  );

  /** Loads what packing needs. */
  static async make(): Promise<WirePackBuilder> {
    await loadCompression();
    return new WirePackBuilder();
  }

  get empty(): boolean {
    return this.#segment.rowCount === 0;
  }

  get full(): boolean {
    return this.#segment.storedBytes >= WIRE_PACK_BYTES || this.#segment.rowCount >= SEGMENT_ROWS_MAX - 1;
  }

  /** Memory of at least so many bytes, good until the next is asked for; what is put out of it is packed where it lies. */
  readonly lend = (bytes: number): Buffer => {
    let room = this.#room;
    if (room === undefined || room.memory.length - room.used < bytes) {
      this.#leave(room);
      const spare = bytes <= ROOM_BYTES ? this.#spare.pop() : undefined;
      const memory = spare ?? Buffer.allocUnsafeSlow(Math.max(bytes, ROOM_BYTES));
      this.#room = room = { memory, users: 1, used: 0 };
      this.#roomIsHeld = false;
    }
    return room.memory.subarray(room.used);
  };

  /** Takes an object; the bytes are copied before this returns, unless they lie close in what was lent last. */
  put(kind: ObjectKind, digest: Digest, bytes: Uint8Array): void {
    if (!this.#keepLent(bytes)) return this.#segment.put(kind, digest, bytes);
    const { length } = bytes;
    const ids = [{ kind, digest }];
    this.#segment.lay({ ids, lengths: [length], rawBytes: length, codec: CODEC_NONE, stored: bytes });
  }

  /** Whether so many objects may still be put into this pack. */
  takes(objects: number): boolean {
    return this.#segment.rowCount + objects <= SEGMENT_ROWS_MAX;
  }

  /** Takes a frame as it is stored; its bytes are copied before this returns, unless they lie close in what was lent last. */
  putFrame(frame: StoredFrame): void {
    if (this.#keepLent(frame.stored)) this.#segment.lay(frame);
    else this.#segment.lay({ ...frame, stored: Buffer.from(frame.stored) });
  }

  /**
   * Keeps what lies in the memory that was lent last until the pack is released; false if it lies elsewhere, or behind so
   * much that is not packed that to copy it takes less memory.
   */
  #keepLent(bytes: Uint8Array): boolean {
    const room = this.#room;
    if (room === undefined || bytes.buffer !== room.memory.buffer) return false;
    const end = bytes.byteOffset + bytes.length;
    if (end - room.used > 2 * bytes.length) return false;
    if (!this.#roomIsHeld) {
      this.#roomIsHeld = true;
      room.users++;
      void this.#released.promise.then(() => this.#leave(room));
    }
    room.used = Math.max(room.used, end);
    return true;
  }

  #leave(room: Room | undefined): void {
    if (room === undefined || --room.users > 0) return;
    if (room.memory.length === ROOM_BYTES) this.#spare.push(room.memory); // A larger one is not held for ever.
  }

  // What goes on where the last part ended is one part with it.
  #addPart({ buffer, byteOffset, length }: Uint8Array): void {
    const last = this.#parts.at(-1);
    if (last?.buffer === buffer && last.start + last.length === byteOffset) last.length += length;
    else this.#parts.push({ buffer: buffer as ArrayBuffer, start: byteOffset, length });
  }

  /** The pack of all that was put; the next one begins empty. */
  seal(): WirePack {
    const objects = this.#segment.rowCount;
    const { trailer, trailerOffset } = this.#segment.close(HEADER_BYTES, 0, JOURNAL_ALIGNMENT);
    const header = encodeHeader(randomBytes(16), JOURNAL_ALIGNMENT);
    const stored = this.#parts.map(({ buffer, start, length }) => new Uint8Array(buffer, start, length));
    const { release } = this.#released;
    this.#parts = [];
    this.#roomIsHeld = false;
    this.#released = releasing();
    const end = HEADER_BYTES + stored.reduce((sum, part) => sum + part.length, 0);
    const index = trailer.subarray(trailerOffset - end);
    return {
      parts: [header, ...stored, trailer],
      bytes: trailerOffset + index.length,
      index,
      objects,
      rows: openWholeTrailer(index, trailerOffset, 'a new pack').rows,
      release,
    };
  }
}

function releasing(): { readonly promise: Promise<void>; readonly release: () => void } {
  let release!: () => void;
  const promise = new Promise<void>((resolve) => (release = resolve));
  return { promise, release };
}

export interface WireIndex {
  /** How long the pack is that this is the index of. */
  readonly packBytes: number;
  readonly rowCount: number;
  /** Made one by one, each time they are gone through: all at once they would take 20 MB. */
  readonly rows: Iterable<Row>;
}

/** Decodes an index and checks all of it, or raises PACK_CORRUPT naming `what`. */
export function decodeWireIndex(index: Uint8Array, what: string): WireIndex {
  const corrupt = (why: string) => new ArtError('PACK_CORRUPT', `${what} ${why}`);
  if (trailerLengthAtEnd(index) !== index.length) throw corrupt('is no index, or only a part of one');
  // Its own offset is not in it, but follows from what it lists.
  const { start, rowCount, rows } = openTrailer(index, Number.MAX_SAFE_INTEGER, what);
  if (start !== HEADER_BYTES) throw corrupt('begins in the wrong place');
  let end = start;
  for (const { kind, frame } of rows) {
    if (kind === RECORDS) throw corrupt('lists what is no object');
    end = frame.offset + frame.storedBytes;
  }
  return { packBytes: aligned(end, JOURNAL_ALIGNMENT) + index.length, rowCount, rows };
}

/** How long the index is that ends a pack whose last bytes are `tail` (16 suffice); undefined if none does. */
export function wireIndexLength(tail: Uint8Array): number | undefined {
  const length = trailerLengthAtEnd(tail);
  return length !== undefined && length <= TRAILER_BYTES_MAX ? length : undefined;
}

/** The objects of a frame back to back, from its stored bytes; raises PACK_CORRUPT. Not verified. */
export async function openFrame(
  frame: { readonly codec: number; readonly rawBytes: number },
  stored: Uint8Array,
): Promise<Uint8Array> {
  if (frame.codec === CODEC_NONE) return stored;
  await loadCompression();
  const raw = new Uint8Array(frame.rawBytes);
  decompress(stored, raw);
  return raw;
}
