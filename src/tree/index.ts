/** tree: a sorted map from key to entry, as a tree of nodes; equal maps are equal trees. */
export { MapBuilder } from './builder.ts';
export { diff } from './diff.ts';
export type { MapChange } from './diff.ts';
export { edit } from './edit.ts';
export { graft } from './graft.ts';
export type { MapEdit } from './edit.ts';
export { entries, leaves } from './cursor.ts';
export type { LeafRows } from './cursor.ts';
export { find, rootOf } from './find.ts';
export type { MapRoot } from './levels.ts';
export { Lookup } from './lookup.ts';
export { overlay } from './overlay.ts';
export type { FileTree, OverlayOptions } from './overlay.ts';
export type { TreeIo } from './paged-edit.ts';
export { isEntryPath, keyOfPath, pathOfKey, prefixOf } from './paths.ts';
export type { MapRange } from './range.ts';
export { without } from './without.ts';
