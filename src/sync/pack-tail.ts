/** Reads the index of a pack out of its own end, where the index beside it is missing or damaged. */
import { wireIndexLength } from '#store';
import { readAll } from './bucket.ts';
import type { Abortable, Bucket, ByteRange } from './bucket.ts';
import { packKey } from './keys.ts';
import type { PackId } from './keys.ts';

const END_BYTES = 16;

/** Undefined if the pack is gone or does not end with an index. What comes back may still be damaged. */
export async function indexInPack(
  bucket: Bucket,
  pack: PackId,
  options: Abortable,
): Promise<Uint8Array | undefined> {
  const read = async (range: ByteRange) => {
    const got = await bucket.get(packKey(pack), { ...options, range });
    const bytes = got === undefined ? undefined : await readAll(got.body, range.length);
    return { size: got?.size ?? 0, bytes };
  };
  const { size } = await read({ offset: 0, length: END_BYTES });
  if (size < END_BYTES) return undefined;
  const { bytes: tail } = await read({ offset: size - END_BYTES, length: END_BYTES });
  const length = tail === undefined ? undefined : wireIndexLength(tail);
  if (length === undefined || length > size) return undefined;
  return (await read({ offset: size - length, length })).bytes;
}
