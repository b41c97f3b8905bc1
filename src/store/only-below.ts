/** Measures what some nodes keep alive that nothing else does. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BloomFilter, DigestTable, nextTurn, throwIfAborted } from '#base';
import { CHUNK, NODE } from '#object';
import type { Digest, ObjectKind } from '#object';
import { walkClosure } from './closure.ts';
import type { LevelStore } from './level-store.ts';
import { decodeLocation } from './location.ts';
import type { Roots, WalkWatch } from './object-store.ts';
import { listPacks } from './pack-files.ts';
import { objectKey } from './records.ts';

const BLOOM_BYTES_MAX = 64 * 1024 * 1024;
/** A stored chunk is hardly ever shorter on average; a filter that is too small counts too little. */
const CHUNK_BYTES_MIN = 512;

/** `ObjectStore.bytesOnlyBelow` for the store on disk: in bounded memory, letting others at the database meanwhile. */
export async function bytesOnlyBelow(
  store: LevelStore,
  nodes: readonly Digest[],
  kept: Roots,
  { signal, onProgress }: WalkWatch = {},
): Promise<number> {
  if (nodes.length === 0) return 0;
  const { database, packReader } = store;
  const seen = new DigestTable();
  const chunks = new BloomFilter(bloomBytes(store));
  const pause = () => {
    throwIfAborted(signal);
    onProgress?.({ objects: seen.size });
    return database.breathe() ?? nextTurn();
  };
  // What is damaged is fsck's to tell; here it only counts as nothing.
  const shared = { broken: () => undefined, pause };
  return database.use(async () => {
    await walkClosure(database, packReader, kept(store), {
      ...shared,
      enter: (digest) => seen.add(digest),
      chunk: (digest) => chunks.add(digest),
    });
    let bytes = 0;
    const count = (kind: ObjectKind, digest: Digest) => {
      const value = database.table.getSync(objectKey(kind, digest));
      if (value !== undefined) bytes += storedBytes(value);
    };
    await walkClosure(database, packReader, nodes, {
      ...shared,
      enter: (digest) => {
        const isNew = seen.add(digest);
        if (isNew) count(NODE, digest);
        return isNew;
      },
      chunk: (digest) => {
        if (chunks.has(digest)) return;
        chunks.add(digest);
        count(CHUNK, digest);
      },
    });
    return Math.round(bytes);
  });
}

/** An object's share of the frame it is stored in. */
function storedBytes(value: Uint8Array): number {
  const { storedBytes: stored, rawBytes, bytes } = decodeLocation(value);
  return rawBytes === 0 ? 0 : (stored * bytes) / rawBytes;
}

function bloomBytes({ art }: LevelStore): number {
  const packs = listPacks(join(art, 'packs'));
  const packed = packs.reduce(
    (sum, { path }) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  let bytes = 4096;
  while (bytes < BLOOM_BYTES_MAX && bytes / 2 < packed / CHUNK_BYTES_MIN) bytes *= 2;
  return bytes;
}
