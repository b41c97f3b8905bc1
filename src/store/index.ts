/** store: objects by digest and small records by key, in LevelDB, packs and memory. */
export type {
  LockedStore,
  NodeSink,
  NodeSource,
  ObjectReader,
  ObjectStore,
  RecordRow,
  RecordSource,
  Transaction,
  TransactionStats,
} from './object-store.ts';
export { MemoryStore } from './memory-store.ts';
export { LevelStore, createStore } from './level-store.ts';
export { OwnerLock } from './owner-lock.ts';
export { rebuildDatabase } from './rebuild.ts';
export type { Rebuilt, RebuildOptions } from './rebuild.ts';
export { DAMAGED_MAX, checkStore } from './check.ts';
export type { CheckOptions, Checked, DamagedObject } from './check.ts';
export { collect } from './collect.ts';
export type { CollectOptions, CollectProgress, Collected } from './collect.ts';
export type { Roots } from './closure.ts';
