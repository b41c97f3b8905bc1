/** Says where an object's bytes are: the value of its key in LevelDB. */
import { ByteReader, ByteWriter } from '#base';
import { CHUNK } from '#object';
import { CODEC_NONE, CODEC_ZSTD } from './compression.ts';
import type { Codec } from './compression.ts';
import { OBJECT_BYTES_MAX } from './pack-format.ts';
import type { Row } from './pack-format.ts';

/** Chunks up to this length also stand in LevelDB itself; nodes always do. */
const INLINE_CHUNK_MAX = 1024;
const INLINE = 0x80;

export interface Location {
  readonly pack: number;
  /** The frame in the pack. */
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly codec: Codec;
  /** The object in the raw frame. */
  readonly inFrame: number;
  readonly bytes: number;
  /** The object's bytes, if they stand in LevelDB as well. */
  readonly inline: Uint8Array | undefined;
}

/** Whether an object of this kind and length stands in LevelDB as well as in its pack. */
export function isInline(row: Pick<Row, 'kind' | 'bytes'>): boolean {
  return row.kind !== CHUNK || row.bytes <= INLINE_CHUNK_MAX;
}

const encoded = new ByteWriter(128);

/** Encodes where `row` lies; an object alone in a plain frame takes about 9 bytes. */
export function encodeLocation(pack: number, row: Row, inline: Uint8Array | undefined): Uint8Array {
  return writeLocation(encoded.clear(), pack, row, inline).take();
}

/** Appends what `encodeLocation` gives. */
export function writeLocation(
  writer: ByteWriter,
  pack: number,
  row: Row,
  inline: Uint8Array | undefined,
): ByteWriter {
  const { frame } = row;
  const flag = inline === undefined ? 0 : INLINE;
  writer.u8(frame.codec | flag).varint(pack);
  if (frame.codec === CODEC_NONE) writer.varint(frame.offset + row.offset).varint(row.bytes);
  else
    writer
      .varint(frame.offset)
      .varint(frame.storedBytes)
      .varint(frame.rawBytes)
      .varint(row.offset)
      .varint(row.bytes);
  if (inline !== undefined) writer.bytes(inline);
  return writer;
}

/** Where `row` of `pack` lies. */
export function locationOf(pack: number, { frame, offset, bytes }: Row): Location {
  const { codec } = frame;
  if (codec === CODEC_NONE) {
    return {
      pack,
      offset: frame.offset + offset,
      storedBytes: bytes,
      rawBytes: bytes,
      codec,
      inFrame: 0,
      bytes,
      inline: undefined,
    };
  }
  const { storedBytes, rawBytes } = frame;
  return {
    pack,
    offset: frame.offset,
    storedBytes,
    rawBytes,
    codec,
    inFrame: offset,
    bytes,
    inline: undefined,
  };
}

/** Whether two places are one, whatever stands in LevelDB as well. */
export function samePlace(a: Location, b: Location): boolean {
  return (
    a.pack === b.pack &&
    a.offset === b.offset &&
    a.inFrame === b.inFrame &&
    a.bytes === b.bytes &&
    a.codec === b.codec
  );
}

export function decodeLocation(value: Uint8Array): Location {
  const reader = new ByteReader(value, "an object's place");
  const first = reader.u8();
  const codec = first & ~INLINE;
  if (codec !== CODEC_NONE && codec !== CODEC_ZSTD) throw reader.invalid(`names unknown codec ${codec}`);
  const pack = reader.varint();
  const offset = reader.varint();
  const storedBytes = reader.varint();
  const rawBytes = codec === CODEC_NONE ? storedBytes : reader.varint();
  const inFrame = codec === CODEC_NONE ? 0 : reader.varint();
  const bytes = codec === CODEC_NONE ? storedBytes : reader.varint();
  if (rawBytes > OBJECT_BYTES_MAX || storedBytes > 2 * OBJECT_BYTES_MAX || inFrame + bytes > rawBytes) {
    throw reader.invalid('has impossible lengths');
  }
  const inline = (first & INLINE) !== 0 ? reader.bytes(reader.left) : undefined;
  if (inline !== undefined ? inline.length !== bytes : reader.left > 0)
    throw reader.invalid('has impossible lengths');
  return { pack, offset, storedBytes, rawBytes, codec, inFrame, bytes, inline };
}
