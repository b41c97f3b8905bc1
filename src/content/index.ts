/** content: tells how two contents differ: by lines, by rows of a table, by chunks. */
export { chunkShares } from './chunk-shares.ts';
export type { ChunkList } from './chunk-shares.ts';
export { HUNK_CONTEXT, hunksOf } from './hunks.ts';
export type { Hunk, HunkLine } from './hunks.ts';
export type { Bytes } from './row-cutter.ts';
export { compareRows, isTablePath } from './table-rows.ts';
export type { RowChanges, RowLook } from './table-rows.ts';
export { TEXT_BYTES_MAX, TEXT_LINES_MAX, beginsBinary, compareText } from './text.ts';
export type { TextChange } from './text.ts';
