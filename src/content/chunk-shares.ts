/** Tells how much of two files lies in chunks that both have. */
import { DigestTable } from '#base';
import type { Digest } from '#object';

/** The chunks of one file, in any order. */
export type ChunkList = AsyncIterable<readonly { readonly digest: Digest; readonly length: number }[]>;

/** More different chunks than this are not remembered: about 64 GB of a file. */
const CHUNKS_MAX = 1_000_000;

/**
 * The share, 0 to 1, that common chunks take of the larger side; a chunk that stands twice on both sides counts twice.
 * Undefined if one side has more than CHUNKS_MAX different chunks.
 */
export async function chunkShares(before: ChunkList, after: ChunkList): Promise<number | undefined> {
  const table = new DigestTable();
  const counts: number[] = [];
  const bytes = { before: 0, after: 0, common: 0 };
  for await (const batch of before) {
    for (const { digest, length } of batch) {
      bytes.before += length;
      if (table.add(digest)) counts.push(0);
      counts[table.indexOf(digest)]++;
    }
    if (table.size > CHUNKS_MAX) return undefined;
  }
  for await (const batch of after) {
    for (const { digest, length } of batch) {
      bytes.after += length;
      const index = table.indexOf(digest);
      if (index < 0 || counts[index] === 0) continue;
      counts[index]--;
      bytes.common += length;
    }
  }
  return bytes.common / Math.max(1, bytes.before, bytes.after);
}
