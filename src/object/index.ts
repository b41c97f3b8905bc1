/** object: what an object is and exactly which bytes it is; pure, no I/O. */
export { decodeNode, encodeNode, Fields, NODE_BYTES_MAX, NODE_KIND, nodeKindOf } from './cbor.ts';
export type { NodeKind } from './cbor.ts';
export { CHUNK, CHUNK_BYTES_MAX, contentKind, NODE } from './id.ts';
export type { Digest, Ext, ObjectId, ObjectKind } from './id.ts';
export {
  contentHasher,
  DIGEST_BYTES,
  hash,
  hashImplementation,
  loadNativeHash,
  loadWasmHash,
} from './hash.ts';
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
export {
  CHUNK_CID_START,
  formatCid,
  HASH_PREFIX_LENGTH_MIN,
  hasHashPrefix,
  isHashText,
  matchesHash,
  NODE_CID_START,
  parseCid,
  parseHashPrefix,
  shortHash,
} from './cid.ts';
export type { HashPrefix } from './cid.ts';
export {
  decodeFileNode,
  FILE_LEVELS_MAX,
  FILE_ROWS_MAX,
  FileNodeBuilder,
  fileRowDigest,
  isFileChild,
} from './file-node.ts';
export type { FileNode, FileRoot } from './file-node.ts';
export {
  decodeMetadata,
  encodeMetadata,
  isDigest,
  METADATA_BYTES_MAX,
  METADATA_DEPTH_MAX,
  METADATA_INLINE_BYTES_MAX,
  placeMetadata,
} from './metadata.ts';
export type { Metadata, MetadataValue, NodeBytes, PlacedMetadata } from './metadata.ts';
export {
  AUTHOR_BYTES_MAX,
  COMMIT_PARENTS_MAX,
  decodeCommit,
  encodeCommit,
  MESSAGE_BYTES_MAX,
  RUN_ID_BYTES_MAX,
} from './commit.ts';
export type { Commit } from './commit.ts';
export {
  ALIAS_BYTES_MAX,
  ALIASES_MAX,
  decodeState,
  DESCRIPTION_BYTES_MAX,
  encodeState,
  NAME_BYTES_MAX,
  TAG_BYTES_MAX,
  TAGS_MAX,
  TYPE_BYTES_MAX,
} from './state.ts';
export type { ArtifactState } from './state.ts';
export {
  decodeTombstoneValue,
  decodeVersionValue,
  encodeTombstoneValue,
  encodeVersionValue,
  PRODUCERS_MAX,
  versionLinks,
} from './version-value.ts';
export type { EncodedVersionValue, TombstoneValue, VersionLinks, VersionValue } from './version-value.ts';
export {
  COMMAND_WORD_BYTES_MAX,
  COMMAND_WORDS_MAX,
  decodeRun,
  encodeRun,
  RUN_LINKS_MAX,
  RUN_STATES,
  RUN_TEXT_BYTES_MAX,
} from './run.ts';
export type { Run, RunInput, RunOutput, RunState } from './run.ts';
export { strongLinks, visitStrongLinks } from './links.ts';
export type { LinkVisitor } from './links.ts';
