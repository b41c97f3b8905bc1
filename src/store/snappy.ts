/** Uncompresses Snappy's raw format (google/snappy, format_description.txt). */
import { ByteReader } from '#base';

/** A copy of 64 bytes takes three: nothing stands for more. */
const BYTES_A_BYTE_MAX = 64 / 3;

/** The bytes that `compressed` stands for, or OBJECT_INVALID. */
export function uncompressSnappy(compressed: Uint8Array): Uint8Array {
  const reader = new ByteReader(compressed, 'a Snappy block');
  const length = reader.varint();
  if (length > compressed.length * BYTES_A_BYTE_MAX) throw reader.invalid('claims to be too long');
  const out = Buffer.allocUnsafe(length);
  let done = 0;
  while (reader.left > 0) {
    const tag = reader.u8();
    if ((tag & 3) === 0) {
      const literal = reader.bytes(literalBytes(reader, tag >> 2));
      if (done + literal.length > length) throw reader.invalid('holds more than it claims');
      out.set(literal, done);
      done += literal.length;
      continue;
    }
    const { count, back } = copyOf(reader, tag);
    if (back === 0 || back > done || done + count > length) throw reader.invalid('copies what is not there');
    for (let i = 0; i < count; i++, done++) out[done] = out[done - back]; // May overlap itself.
  }
  if (done !== length) throw reader.invalid('ends too early');
  return out;
}

function literalBytes(reader: ByteReader, code: number): number {
  return code < 60 ? code + 1 : littleEndian(reader, code - 59) + 1;
}

function copyOf(reader: ByteReader, tag: number): { readonly count: number; readonly back: number } {
  if ((tag & 3) === 1) return { count: ((tag >> 2) & 7) + 4, back: ((tag >> 5) << 8) + reader.u8() };
  return { count: (tag >> 2) + 1, back: littleEndian(reader, (tag & 3) === 2 ? 2 : 4) };
}

function littleEndian(reader: ByteReader, bytes: number): number {
  let value = 0;
  for (let i = 0, scale = 1; i < bytes; i++, scale *= 256) value += reader.u8() * scale;
  return value;
}
