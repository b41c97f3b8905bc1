/** Content and lists that tests of remotes have in common. */
import type { Bucket } from '#sync';

/** Bytes that look like chance and are the same for the same seed (a linear congruence, Numerical Recipes' numbers). */
export function noise(seed: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let x = seed + 1;
  for (let i = 0; i < bytes; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    out[i] = x >>> 24;
  }
  return out;
}

export async function keysOf(bucket: Bucket, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of bucket.list(prefix, after === undefined ? {} : { after })) keys.push(key);
  return keys;
}

/** The keys of all its packs. */
export function packsOf(bucket: Bucket): Promise<string[]> {
  return keysOf(bucket, 'packs/');
}
