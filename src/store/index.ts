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
