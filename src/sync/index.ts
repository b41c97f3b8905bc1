/** sync: moves what is missing between a repository and a bucket. */
export { bytesBody, isKey, isPointerKey, readAll } from './bucket.ts';
export type { Abortable, Body, Bucket, ByteRange, Got, Listed, Tag } from './bucket.ts';
export { MemoryBucket } from './memory-bucket.ts';
