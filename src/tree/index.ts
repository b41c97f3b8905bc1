/** tree: a sorted map from key to entry, as a tree of nodes; equal maps are equal trees. */
export { MapBuilder } from './builder.ts';
export { diff } from './diff.ts';
export type { MapChange } from './diff.ts';
export { edit } from './edit.ts';
export type { MapEdit } from './edit.ts';
export { entries } from './cursor.ts';
export { find, rootOf } from './find.ts';
export type { MapRoot } from './levels.ts';
export { keyOfPath, pathOfKey, prefixOf } from './paths.ts';
export type { MapRange } from './range.ts';
