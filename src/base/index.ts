/** base: errors, bytes, hashes that are no names, waiting and durable files; knows no artifact. */
export { assert } from './assert.ts';
export { ArtError, ERRORS, errnoOf, fileError, isArtError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export {
  ByteReader,
  ByteWriter,
  EMPTY_BYTES,
  compareBytes,
  compareUtf8,
  equalBytes,
  fromHex,
  textOf,
  toHex,
  utf8,
} from './bytes.ts';
export { BloomFilter } from './bloom.ts';
export { Column } from './column.ts';
export { crc32c } from './crc32c.ts';
export { DigestTable } from './digest-table.ts';
export { murmur3 } from './murmur3.ts';
export { Pace, clockMs, nextTurn, settleAtMost, sleep, throwIfAborted } from './async.ts';
export { nonce } from './nonce.ts';
export { TEMPORARY_PREFIX, makeFolders, removeFile, replaceFile, syncFolder, writeAll } from './files.ts';
export { realPath } from './real-path.ts';
export { WriteBehind } from './write-behind.ts';
export { editDistance, suggest } from './suggest.ts';
export { formatAge, formatBytes, formatCount, formatDuration } from './format.ts';
export { Closing } from './closing.ts';
