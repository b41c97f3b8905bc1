/** What an index claims of a pack is not what is in it: fetching takes little memory all the same. */
import { beforeAll, expect, test } from 'vitest';
import { ByteWriter } from '#base';
import { CHUNK, FILE, NODE, hash } from '#object';
import type { Digest } from '#object';
import { MemoryStore } from '#store';
import { MemoryBucket } from '#sync';
import { MapBuilder, keyOfPath } from '#tree';
import { compress, loadCompression } from '../../src/store/compression.ts';
import { HEADER_BYTES, aligned, encodeHeader, encodeTrailer } from '../../src/store/pack-format.ts';
import { bytesBody } from '../../src/sync/bucket.ts';
import { fetchClosure } from '../../src/sync/fetch-closure.ts';
import { indexKey, newPackId, packKey } from '../../src/sync/keys.ts';
import { Landing } from '../../src/sync/landing.ts';
import { PackIndex } from '../../src/sync/pack-index.ts';
import { RemoteReader } from '../../src/sync/remote-reader.ts';
import { noise } from './samples.ts';

const MIB = 1024 * 1024;
const ALIGNMENT = 512;

beforeAll(loadCompression);

interface Claimed {
  readonly stored: Uint8Array;
  readonly rawBytes: number;
  readonly codec: number;
  readonly rows: readonly { readonly kind: number; readonly digest: Digest; readonly bytes: number }[];
}

function packOf(claimed: readonly Claimed[]): { readonly pack: Uint8Array; readonly index: Uint8Array } {
  const frames = new ByteWriter();
  const rows = new ByteWriter();
  for (const frame of claimed) {
    frames.u32(frame.stored.length).u32(frame.rawBytes).u32(frame.rows.length).u8(frame.codec);
    for (const { kind, digest, bytes } of frame.rows) rows.u8(kind).u32(bytes).bytes(digest);
  }
  const body = Buffer.concat([
    encodeHeader(new Uint8Array(16), ALIGNMENT),
    ...claimed.map(({ stored }) => stored),
  ]);
  const columns = { frames: frames.take(), rows: rows.take() };
  const index = encodeTrailer({ start: HEADER_BYTES, previous: 0, ...columns }, ALIGNMENT);
  const gap = new Uint8Array(aligned(body.length, ALIGNMENT) - body.length);
  return { pack: Buffer.concat([body, gap, index]), index };
}

test('frames that are said to begin where another does are not read in one window', async () => {
  const raw = Buffer.concat([noise(1, 700_000), Buffer.alloc(2 * MIB - 700_000)]);
  const pieces = Array.from({ length: 60 }, (_, i) => raw.subarray(0, raw.length - i));
  const nodes: { readonly digest: Digest; readonly bytes: Uint8Array }[] = [];
  const builder = new MapBuilder({
    putNode: (digest, bytes) => void nodes.push({ digest, bytes: Buffer.from(bytes) }),
  });
  const none = new Uint8Array(0);
  for (const [i, piece] of pieces.entries()) {
    const key = keyOfPath(`f${String(i).padStart(3, '0')}`, { folder: false });
    builder.add({ key, kind: FILE, executable: false, size: 100, digest: hash(piece), extra: none });
  }
  const root = builder.finish();
  const whole = { kind: CHUNK, digest: hash(raw), bytes: raw.length };
  const { pack, index } = packOf([
    ...nodes.map(({ digest, bytes }) => ({
      stored: bytes,
      rawBytes: bytes.length,
      codec: 0,
      rows: [{ kind: NODE, digest, bytes: bytes.length }],
    })),
    ...pieces.slice(1).map((piece) => ({
      stored: none,
      rawBytes: piece.length,
      codec: 1,
      rows: [{ kind: CHUNK, digest: hash(piece), bytes: piece.length }],
    })),
    { stored: Buffer.from(compress(raw)), rawBytes: raw.length, codec: 1, rows: [whole] },
  ]);
  const bucket = new MemoryBucket();
  const id = newPackId(Date.now());
  await bucket.putIfAbsent(packKey(id), bytesBody(pack));
  await bucket.putIfAbsent(indexKey(id), bytesBody(index));
  const reader = new RemoteReader(bucket, new PackIndex(new MemoryStore().cache, bucket, 'id'));
  let most = 0;
  const fetchAt = reader.fetchAt.bind(reader);
  reader.fetchAt = async (...asked) => {
    const read = await fetchAt(...asked);
    most = Math.max(
      most,
      read.contents.reduce((sum, { length }) => sum + length, 0),
    );
    return read;
  };
  await fetchClosure(reader, new Landing(new MemoryStore()), [root.digest]).catch(() => {});
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(12 * MIB);
});
