/** Reads the chunks of a large file in order, in batches of bounded size. */
import { ArtError } from '#base';
import {
  CHUNK,
  decodeFileNode,
  fileRowDigest,
  isFileChild,
  type Digest,
  type FileNode,
  type ObjectId,
} from '#object';
import type { NodeSource, ObjectReader } from '#store';

const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_CHUNKS = 500;
const NODES_AT_ONCE = 16;

/**
 * Yields the bytes of the file whose root node is `root`, `size` bytes in all; views are valid until the next step.
 * Raises OBJECT_INVALID if the nodes or chunks do not add up, and what the store raises.
 */
export async function* fileContent(
  from: { readonly source: NodeSource; readonly reader: ObjectReader },
  root: Digest,
  size: number,
): AsyncGenerator<readonly Uint8Array[], void, undefined> {
  const [bytes] = await from.source.getNodes([root]);
  const node = decodeFileNode(bytes);
  if (node.root === undefined || node.size !== size) throw invalid('is not of the size that its entry says');
  let ids: ObjectId[] = [];
  let lengths: number[] = [];
  let batchBytes = 0;
  for await (const leaf of leaves(from.source, node)) {
    for (let row = 0; row < leaf.rows; row++) {
      if (batchBytes + leaf.sizes[row] > BATCH_BYTES || ids.length === BATCH_CHUNKS) {
        yield await readAll(from.reader, ids, lengths);
        ids = [];
        lengths = [];
        batchBytes = 0;
      }
      ids.push({ kind: CHUNK, digest: fileRowDigest(leaf, row) });
      lengths.push(leaf.sizes[row]);
      batchBytes += leaf.sizes[row];
    }
  }
  if (ids.length > 0) yield await readAll(from.reader, ids, lengths);
}

async function* leaves(source: NodeSource, node: FileNode): AsyncGenerator<FileNode, void, undefined> {
  if (node.level === 0) {
    yield node;
    return;
  }
  for (let start = 0; start < node.rows; start += NODES_AT_ONCE) {
    const end = Math.min(node.rows, start + NODES_AT_ONCE);
    const digests = Array.from({ length: end - start }, (_, i) => fileRowDigest(node, start + i));
    for (const [i, bytes] of (await source.getNodes(digests)).entries()) {
      const child = decodeFileNode(bytes);
      if (!isFileChild(node, start + i, child)) throw invalid('has nodes that do not add up');
      yield* leaves(source, child);
    }
  }
}

async function readAll(
  reader: ObjectReader,
  ids: readonly ObjectId[],
  lengths: readonly number[],
): Promise<Uint8Array[]> {
  const chunks = await reader.getMany(ids);
  if (chunks.some((chunk, i) => chunk.length !== lengths[i])) throw invalid('has a chunk of another length');
  return chunks;
}

function invalid(why: string): ArtError {
  return new ArtError('OBJECT_INVALID', `a file ${why}`);
}
