/** Reads the index of a pack: beside it, or out of the pack's own end where that is missing or damaged. */
import { isArtError } from '#base';
import { WIRE_INDEX_BYTES_MAX, decodeWireIndex, wireIndexLength } from '#store';
import { readAll } from './bucket.ts';
import type { Abortable, Bucket, ByteRange } from './bucket.ts';
import { indexKey, packKey } from './keys.ts';
import type { PackId } from './keys.ts';

const END_BYTES = 16;

/** The index, whole and checked; undefined if there is none that can be read. A damaged one is told. */
export async function readPackIndex(
  bucket: Bucket,
  pack: PackId,
  options: Abortable & { readonly onWarning?: (text: string) => void },
): Promise<Uint8Array | undefined> {
  const key = indexKey(pack);
  const got = await bucket.get(key, options);
  const bytes = got && ((await readAll(got.body, WIRE_INDEX_BYTES_MAX)) ?? new Uint8Array(0));
  if (bytes !== undefined && isWhole(bytes, key)) return bytes;
  // No loss: the pack ends with the same bytes.
  const inPack = await indexInPack(bucket, pack, options);
  if (inPack !== undefined && isWhole(inPack, key)) {
    if (bytes !== undefined)
      options.onWarning?.(`${key} in ${bucket.url} is damaged; its pack was read instead`);
    return inPack;
  }
  if (bytes !== undefined)
    options.onWarning?.(`${key} in ${bucket.url} is damaged, and its pack too: passed over`);
  return undefined;
}

/** Undefined if the pack is gone or does not end with an index. What comes back may still be damaged. */
async function indexInPack(
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

function isWhole(index: Uint8Array, what: string): boolean {
  try {
    decodeWireIndex(index, what);
    return true;
  } catch (error) {
    if (isArtError(error)) return false;
    throw error;
  }
}
