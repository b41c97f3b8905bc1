/** Defines the bytes of a pointer: which state an artifact has in a bucket. */
import { randomBytes } from 'node:crypto';
import { ArtError, ByteReader, ByteWriter, assert, crc32c, equalBytes, isArtError, toHex } from '#base';
import { DIGEST_BYTES } from '#object';
import type { Digest } from '#object';
import { isPackId } from './keys.ts';
import type { PackId } from './keys.ts';

export interface Pointer {
  /** The artifact's state; null right after the name was taken. */
  readonly state: Digest | null;
  /** Goes up by one with each swap. */
  readonly seq: number;
  /** The epoch of the last gc that fenced it, or 0: its writer obeys what gc condemned up to then. */
  readonly epoch: number;
  /** Who swapped it last, for people. */
  readonly writer: string;
  /** Tells one swap from another: 32 hex characters. */
  readonly nonce: string;
  /** Packs in which most of what is new in this state lies, newest last; a hint only. */
  readonly packs: readonly PackId[];
}

export const POINTER_BYTES_MAX = 1024;
const MAGIC = Buffer.from('ARTPTR');
const FORMAT = 1;
const NONCE_BYTES = 16;
const WRITER_BYTES_MAX = 256;
const PACKS_MAX = 8;

export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('hex');
}

/** Encodes a pointer; a longer writer is cut, of more packs the newest 8 are kept. */
export function encodePointer(pointer: Pointer): Uint8Array {
  const writer = new ByteWriter(256).bytes(MAGIC).u8(FORMAT);
  writer.u8(pointer.state === null ? 0 : 1);
  if (pointer.state !== null) writer.bytes(pointer.state);
  writer.varint(pointer.seq).varint(pointer.epoch).text(cut(pointer.writer, WRITER_BYTES_MAX));
  writer.bytes(Buffer.from(pointer.nonce, 'hex'));
  const packs = pointer.packs.slice(-PACKS_MAX);
  writer.u8(packs.length);
  for (const pack of packs) writer.text(pack);
  writer.u32(crc32c(writer.view()));
  assert(writer.length <= POINTER_BYTES_MAX);
  return writer.take();
}

/** Decodes a pointer, or raises REMOTE_CORRUPT naming `what`. */
export function decodePointer(bytes: Uint8Array, what: string): Pointer {
  try {
    const pointer = read(new ByteReader(bytes, what), bytes);
    if (!equalBytes(encodePointer(pointer), bytes))
      throw new ArtError('OBJECT_INVALID', `${what} is not in its one encoding`);
    return pointer;
  } catch (error) {
    if (isArtError(error, 'OBJECT_INVALID'))
      throw new ArtError('REMOTE_CORRUPT', error.message, { cause: error });
    throw error;
  }
}

function read(reader: ByteReader, bytes: Uint8Array): Pointer {
  if (bytes.length > POINTER_BYTES_MAX) throw reader.invalid('is longer than any pointer');
  if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) throw reader.invalid('is no pointer');
  const format = reader.u8();
  if (format !== FORMAT) {
    throw new ArtError('REMOTE_TOO_NEW', `a pointer has format ${format}; this art knows ${FORMAT}`);
  }
  const state = reader.u8() === 0 ? null : Uint8Array.from(reader.bytes(DIGEST_BYTES));
  const seq = reader.varint();
  const epoch = reader.varint();
  const writer = reader.text();
  const nonce = toHex(reader.bytes(NONCE_BYTES));
  const count = reader.u8();
  if (count > PACKS_MAX) throw reader.invalid('names too many packs');
  const packs: PackId[] = [];
  while (packs.length < count) {
    const pack = reader.text();
    if (!isPackId(pack)) throw reader.invalid('names a pack that cannot be');
    packs.push(pack);
  }
  if (reader.u32() !== crc32c(bytes.subarray(0, reader.offset - 4)))
    throw reader.invalid('does not match its checksum');
  return { state, seq, epoch, writer, nonce, packs };
}

function cut(text: string, bytesMax: number): string {
  let short = text;
  while (Buffer.byteLength(short) > bytesMax) short = [...short].slice(0, -1).join('');
  return short;
}
