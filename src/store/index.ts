/** store: objects by digest and small records by key, in LevelDB, packs and memory. */
export type {
  ArrivedFrame,
  LockedStore,
  NodeSink,
  NodeSource,
  ObjectReader,
  ReadMemory,
  ObjectStore,
  RecordRow,
  RecordSource,
  Roots,
  StoredFrame,
  StoredReader,
  StoredRun,
  Transaction,
  TransactionStats,
} from './object-store.ts';
export { arrivedFrame } from './arrived-frame.ts';
export { MemoryStore } from './memory-store.ts';
export { LevelStore, createStore } from './level-store.ts';
export { FillingStore } from './filling-store.ts';
export type { BringMissing } from './filling-store.ts';
export { OwnerLock } from './owner-lock.ts';
export { rebuildDatabase } from './rebuild.ts';
export type { Rebuilt, RebuildOptions } from './rebuild.ts';
export { DAMAGED_MAX, checkStore } from './check.ts';
export type { CheckOptions, Checked, DamagedObject } from './check.ts';
export { collect } from './collect.ts';
export type { CollectOptions, CollectProgress, Collected } from './collect.ts';
export type { Elsewhere } from './spare.ts';
export type { Promised } from './closure.ts';
export type { Cache, CacheRow } from './cache.ts';
export { decodeLocation, encodeLocation, locationOf } from './location.ts';
export type { Location } from './location.ts';
export type { Row } from './pack-format.ts';
export {
  WIRE_INDEX_BYTES_MAX,
  WirePackBuilder,
  decodeWireIndex,
  openFrame,
  wireIndexLength,
} from './wire-pack.ts';
export type { WireIndex, WirePack } from './wire-pack.ts';
export { findAbsent } from './absent.ts';
export { measureUsage } from './usage.ts';
export type { RootUsage, Usage, UsageOptions } from './usage.ts';
