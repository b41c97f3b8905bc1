/** Defines the bytes of a list of condemned packs: what no pusher may build on any more. */
import { ArtError, ByteReader, ByteWriter, crc32c, equalBytes, isArtError } from '#base';
import { isPackId } from './keys.ts';
import type { PackId } from './keys.ts';

const MAGIC = Buffer.from('ARTGONE');
const FORMAT = 1;
/** Room for 400,000 packs: 8 TiB. */
export const CONDEMNED_BYTES_MAX = 16 * 1024 * 1024;

/** Encodes a list; sorted, each once. */
export function encodeCondemned(packs: Iterable<PackId>): Uint8Array {
  const sorted = [...new Set(packs)].sort();
  const writer = new ByteWriter(64 + 37 * sorted.length).bytes(MAGIC).u8(FORMAT).varint(sorted.length);
  for (const pack of sorted) writer.text(pack);
  return writer.u32(crc32c(writer.view())).take();
}

/** Decodes a list, or raises REMOTE_CORRUPT naming `what`: who cannot read it must not push. */
export function decodeCondemned(bytes: Uint8Array, what: string): PackId[] {
  const reader = new ByteReader(bytes, what);
  try {
    if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) throw reader.invalid('is no list of condemned packs');
    if (reader.u8() !== FORMAT) throw reader.invalid('has a format that this art does not know');
    const count = reader.varint();
    if (count > reader.left) throw reader.invalid('counts more packs than it holds');
    const packs: PackId[] = [];
    while (packs.length < count) {
      const pack = reader.text();
      if (!isPackId(pack)) throw reader.invalid('names a pack that cannot be');
      packs.push(pack);
    }
    reader.u32();
    if (reader.left > 0 || !equalBytes(encodeCondemned(packs), bytes)) throw reader.invalid('is damaged');
    return packs;
  } catch (error) {
    if (isArtError(error, 'OBJECT_INVALID'))
      throw new ArtError('REMOTE_CORRUPT', error.message, { cause: error });
    throw error;
  }
}
