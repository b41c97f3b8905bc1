/** Small stores of versions for tests that damage, rebuild and collect them. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHUNK, FILE, NODE, encodeTreeLeaf, hash } from '#object';
import type { Digest, MapEntry } from '#object';
import { LevelStore, createStore } from '#store';
import type { NodeSource, RecordSource } from '#store';
import type { TestObject } from '../contract/object-store.ts';

const folders: string[] = [];

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'art-care-'));
  folders.push(folder);
  return folder;
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export async function newStore(): Promise<string> {
  const folder = temporaryFolder();
  await createStore(folder);
  return folder;
}

/** Bytes that cannot be compressed and are the same every time. */
export function noise(seed: number, bytes: number): Uint8Array {
  const out = Buffer.alloc(bytes);
  for (let i = 0, x = (seed + 1) * 2654435761; i + 4 <= bytes; i += 4) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    out.writeUInt32LE(x >>> 0, i);
  }
  return out;
}

export interface TestVersion {
  readonly root: TestObject;
  readonly chunks: readonly TestObject[];
}

/** A folder of `count` files of `bytes` bytes; those of equal seed are equal, byte for byte. */
export function version(seeds: readonly number[], bytes: number): TestVersion {
  const chunks = seeds.map((seed) => {
    const content = noise(seed, bytes);
    return { kind: CHUNK, digest: hash(content), bytes: content } as const;
  });
  const entries = chunks.map(({ digest }, i): MapEntry => ({
    key: Buffer.from(`file-${String(seeds[i]).padStart(5, '0')}`),
    kind: FILE,
    executable: false,
    size: bytes,
    digest,
    extra: new Uint8Array(0),
  }));
  const node = encodeTreeLeaf(entries);
  return { root: { kind: NODE, digest: hash(node), bytes: node }, chunks };
}

/** Stores a version and makes `ref/NAME` name its root. */
export async function save(store: LevelStore, name: string, { root, chunks }: TestVersion): Promise<void> {
  await using transaction = await store.begin();
  for (const { kind, digest, bytes } of [...chunks, root]) {
    transaction.put(kind, digest, bytes);
    await transaction.breathe();
  }
  await transaction.publish(async (locked) => locked.setRecord(`ref/${name}`, root.digest));
}

export async function forget(store: LevelStore, name: string): Promise<void> {
  await using transaction = await store.begin();
  await transaction.publish(async (locked) => locked.setRecord(`ref/${name}`, undefined));
}

export async function* roots(source: RecordSource & NodeSource): AsyncGenerator<Digest> {
  for (const { value } of await source.listRecords('ref/', { limit: 1000 })) yield value;
}

/** What of the version cannot be read back as it was; empty if all is well. */
export async function unlike(
  store: LevelStore,
  name: string,
  { root, chunks }: TestVersion,
): Promise<string[]> {
  const ref = await store.getRecord(`ref/${name}`);
  if (ref === undefined || Buffer.compare(ref, root.digest) !== 0) return [`ref ${name}`];
  const bad: string[] = [];
  for (const object of [root, ...chunks]) {
    try {
      const [bytes] = await store.reader().getMany([object]);
      if (Buffer.compare(bytes, object.bytes) !== 0) bad.push('bytes');
    } catch (error) {
      bad.push((error as Error).message);
    }
  }
  return bad;
}

/** A copy of `art` as a process killed now would leave it, but for its lock. */
export function imageOf(art: string): string {
  const image = temporaryFolder();
  for (const part of ['objects', 'packs', 'tmp'])
    cpSync(join(art, part), join(image, part), { recursive: true });
  mkdirSync(join(image, 'lock'));
  return image;
}
