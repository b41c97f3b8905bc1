/** sync: moves what is missing between a repository and a bucket. */
export { bytesBody, isKey, isPointerKey, readAll } from './bucket.ts';
export type { Abortable, Body, Bucket, ByteRange, Checked, Got, Listed, Tag, Traffic } from './bucket.ts';
export { counting } from './counting.ts';
export { FolderBucket } from './folder-bucket.ts';
export { MemoryBucket } from './memory-bucket.ts';
export { openBucket, parseBucketUrl } from './open-bucket.ts';
export type { BucketAddress, BucketOptions } from './open-bucket.ts';
export { checkBucket, verdictOf } from './conformance.ts';
export type { CheckOptions, Verdict } from './conformance.ts';
export { fetch, pull } from './pull.ts';
export type { RenumberedVersion, SyncRequest, SyncResult } from './pull.ts';
export { push } from './push.ts';
export { requireArt } from './session.ts';
export { merge } from './merge.ts';
export type { History, MergeInput, MergeResult, Merged, Problem, Renumbered } from './merge.ts';
export { openBucket } from './open-bucket.ts';
export type { BucketOptions } from './open-bucket.ts';
