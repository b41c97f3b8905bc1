/** object: what an object is and exactly which bytes it is; pure, no I/O. */
export { decodeNode, encodeNode, Fields, NODE_BYTES_MAX, NODE_KIND, nodeKindOf } from './cbor.ts';
export type { NodeKind } from './cbor.ts';
export { CHUNK, CHUNK_BYTES_MAX, contentKind, NODE } from './id.ts';
export type { Digest, Ext, ObjectId, ObjectKind } from './id.ts';
export { contentHasher, DIGEST_BYTES, hash, hashImplementation, loadNativeHash, loadWasmHash } from './hash.ts';
export type { Blake3, ContentHasher } from './hash.ts';
export {
  EXTRA_BYTES_MAX,
  FILE,
  FOLDER,
  REFERENCE,
  RUN,
  SYMLINK,
  TOMBSTONE,
  TREE_LEVEL_MAX,
  VERSION,
  shownKey,
} from './tree-entry.ts';
export type { EntryKind, MapEntry, TreeChild } from './tree-entry.ts';
export { TreeInner, TreeLeaf, decodeTreeNode } from './tree-node.ts';
export type { TreeNode } from './tree-node.ts';
export { TreeInnerWriter, TreeLeafWriter, encodeTreeInner, encodeTreeLeaf } from './tree-writer.ts';
export { KEY_BYTES_MAX, TREE_ROWS_MAX } from './key-column.ts';
export { Chunker, CHUNK_BYTES_AVERAGE, CHUNK_BYTES_MIN, CHUNKER_ID, cutOffsets } from './chunker.ts';
export type { ChunkerOptions } from './chunker.ts';
export { formatCid, isHashText, matchesHash, parseCid } from './cid.ts';
