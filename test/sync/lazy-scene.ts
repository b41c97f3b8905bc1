/** Sets up repositories that have the history of a bucket and not its bytes. */
import { expect } from 'vitest';
import { MemoryBucket, counting } from '#sync';
import type { Bucket } from '#sync';
import { Clone } from './scene.ts';
import { noise, packsOf } from './samples.ts';

export const LARGE = 3 * 1024 * 1024;
export const SMALL = 150;
export const code = (name: string) => expect.objectContaining({ code: name }) as Error;

/** One large file, and many small ones. */
const MANY: Record<string, Uint8Array> = { 'large.bin': noise(1, LARGE) };
// Two and two of them alike.
for (let i = 0; i < SMALL; i++) MANY[`small/${String(i).padStart(4, '0')}`] = noise((i + 2) | 1, 2000);

/** A bucket that holds a version `many:v0`, and a clone of it that has its history alone. */
export async function lazyScene(files = MANY) {
  const bucket = new MemoryBucket();
  const ada = await Clone.make(bucket);
  await ada.commit('many', files);
  await ada.push();
  const counted = counting(bucket);
  const ben = await Clone.make(counted);
  const received = () => counted.traffic.bytesReceived;
  const requests = () => counted.traffic.requests;
  return { bucket, ada, ben, received, requests };
}

export async function download(clone: Clone, dir: string, paths?: readonly string[]) {
  return clone.scene.in((repository) => repository.download({ spec: 'many', dir, ...(paths && { paths }) }));
}

/** Changes bytes of every pack behind its first `from` bytes. */
export async function damagePacks(bucket: MemoryBucket): Promise<void> {
  for (const key of await packsOf(bucket)) {
    const got = await bucket.get(key);
    const parts: Uint8Array[] = [];
    for await (const part of got!.body) parts.push(Uint8Array.from(part));
    const bytes = Buffer.concat(parts);
    for (let at = 40; at < bytes.length - 4096; at += 1000) bytes[at] ^= 0x55;
    await bucket.delete(key);
    await bucket.putIfAbsent(key, {
      size: bytes.length,
      open: async function* () {
        yield bytes;
      },
    });
  }
}

/** Brings the tree of `many:v0`, and none of its files. */
export function bringTree({ scene }: Clone): Promise<void> {
  return scene.in(async (repository) => {
    for await (const _ of repository.ls('many'));
  });
}

export function delegate(bucket: Bucket): Bucket {
  return {
    url: bucket.url,
    get: (key, options) => bucket.get(key, options),
    putIfAbsent: (key, body, options) => bucket.putIfAbsent(key, body, options),
    putIfTag: (key, body, tag, options) => bucket.putIfTag(key, body, tag, options),
    list: (prefix, options) => bucket.list(prefix, options),
    delete: (key, options) => bucket.delete(key, options),
    time: (options) => bucket.time(options),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Permits get and list, and nothing else. */
export function readOnly(bucket: Bucket): Bucket {
  const denied = async () => {
    throw new Error('not permitted');
  };
  return { ...delegate(bucket), putIfAbsent: denied, putIfTag: denied, delete: denied, time: denied };
}
