/**
 * Damages every kind of object wherever it lies, in the database and in packs and journals: a deep check names it and what
 * needs it, a repair heals whatever has another copy, and what needs it not stays whole.
 */
import {
  closeSync,
  cpSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isArtError } from '#base';
import { CHUNK, NODE, decodeCommit, decodeTreeNode, formatCid, isDigest } from '#object';
import type { Digest, ObjectId } from '#object';
import type { FsckResult, Repository } from '#repo';
import { decodeLocation } from '#store';
import type { Location } from '#store';
import { decodeRef, parseArtifactName, recordKeys } from '#version';
import { objectKey } from '../../src/store/records.ts';
import { packName } from '../../src/store/pack-files.ts';
import { dice } from '../dice.ts';
import { noise } from '../store/care.ts';
import { Scene } from './scene.ts';

const KIB = 1024;
const BIG = noise(1, 700 * KIB);

/** The kinds of objects, and what is one of them in the repository below. */
const KINDS = {
  'a chunk in the database': async (r) => entryOf(r, 'tiny'),
  'a chunk in a pack only': async (r) => entryOf(r, 'medium'),
  'a node of a file': async (r) => entryOf(r, 'big'),
  'a node of a tree': async (r) => ({ kind: NODE, digest: (await commitOf(r)).tree }),
  'a commit': async (r) => ({ kind: NODE, digest: await commitDigest(r) }),
  metadata: async (r) => {
    const { metadata } = await commitOf(r);
    if (!isDigest(metadata)) throw new Error('the metadata is within its commit');
    return { kind: NODE, digest: metadata };
  },
  'a state': async (r) => {
    const ref = await r.context.store.getRecord(recordKeys.artifact(parseArtifactName('d')));
    return { kind: NODE, digest: decodeRef(ref!) };
  },
} satisfies Record<string, (repository: Repository) => Promise<ObjectId>>;

/** Which of them belong to the version `d:v1` alone, and so are named with it. */
const PATHS: Partial<Record<keyof typeof KINDS, string>> = {
  'a chunk in the database': 'tiny',
  'a chunk in a pack only': 'medium',
  'a node of a file': 'big',
};

async function commitDigest(r: Repository): Promise<Digest> {
  const shown = await r.show('d:v1');
  const found = [...(await rows(r, NODE))].find(
    (digest) => 'cid' in shown && formatCid({ kind: NODE, digest }) === shown.cid,
  );
  return found!;
}

async function commitOf(r: Repository) {
  const [bytes] = await r.context.store.getNodes([await commitDigest(r)]);
  return decodeCommit(bytes);
}

async function entryOf(r: Repository, path: string): Promise<ObjectId> {
  const [bytes] = await r.context.store.getNodes([(await commitOf(r)).tree]);
  const tree = decodeTreeNode(bytes);
  if (tree.kind !== 'leaf') throw new Error('the tree is one leaf');
  for (let row = 0; row < tree.rows; row++) {
    if (Buffer.from(tree.keys.at(row)).toString() === path)
      return { kind: path === 'big' ? NODE : CHUNK, digest: Buffer.from(tree.digestAt(row)) };
  }
  throw new Error(`${path} is not in the tree`);
}

async function rows(r: Repository, kind: typeof CHUNK | typeof NODE): Promise<Digest[]> {
  const { database } = r.context.disk;
  const keys = await database.use(() =>
    database.table.keys({ gte: Buffer.from([kind]), lt: Buffer.from([kind + 1]) }).all(),
  );
  return keys.map((key) => Buffer.from(key.subarray(1)));
}

function located(r: Repository, id: ObjectId): Promise<Location> {
  const { database } = r.context.disk;
  return database.use(() => decodeLocation(database.table.getSync(objectKey(id.kind, id.digest))!));
}

/** Ways to damage an object's row in the database. */
const ROW_DAMAGE: Record<string, (value: Buffer) => Buffer | undefined> = {
  flipped: (value) => {
    value[value.length - 1] ^= 0x41;
    return value;
  },
  truncated: (value) => value.subarray(0, -1),
  deleted: () => undefined,
};

function flip(path: string, offset: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, offset);
  byte[0] ^= 0x41;
  writeSync(fd, byte, 0, 1, offset);
  closeSync(fd);
}

/** A repository whose `.art` can be put back to how it was. */
class Damageable {
  readonly scene: Scene;

  constructor(scene: Scene) {
    this.scene = scene;
    cpSync(scene.path('.art'), scene.path('art-whole'), { recursive: true });
  }

  restore(): void {
    rmSync(this.scene.path('.art'), { recursive: true, force: true });
    cpSync(this.scene.path('art-whole'), this.scene.path('.art'), { recursive: true });
  }

  fsck(request: { readonly repair?: boolean } = {}): Promise<FsckResult> {
    return this.scene.in((r) => r.fsck({ deep: true, ...request }));
  }

  async expectWhole(): Promise<void> {
    expect(await this.fsck()).toMatchObject({ ok: true, problems: [], damaged: [] });
    for (const spec of ['d:v0', 'd:v1', 'd:v2', 'e:v0'])
      expect(await this.download(spec), spec).toBe('whole');
  }

  /** Whether a version comes out as it went in. */
  async download(spec: string): Promise<string> {
    rmSync(this.scene.path('out'), { recursive: true, force: true });
    try {
      await this.scene.in((r) => r.download({ spec, dir: 'out' }));
    } catch (error) {
      if (!isArtError(error)) throw error;
      return error.code;
    }
    const expected = this.scene.contents(`kept-${spec.replace(':', '-')}`);
    const found = this.scene.contents('out');
    return JSON.stringify(found) === JSON.stringify(expected) ? 'whole' : 'other bytes';
  }
}

let d: Damageable;
beforeAll(async () => {
  const scene = await Scene.make();
  const commit = async (
    name: string,
    version: string,
    files: Record<string, string | Uint8Array>,
    metadata = {},
  ) => {
    scene.write(Object.fromEntries(Object.entries(files).map(([path, of]) => [`${name}/${path}`, of])));
    await scene.in((r) => r.commit({ name, paths: [name], metadata }));
    scene.copyTo(name, `kept-${name}-${version}`);
  };
  const note = Array.from({ length: 400 }, (_, i) => `note ${i} of many`);
  await commit('d', 'v0', {
    tiny: 'first',
    medium: noise(2, 30 * KIB),
    big: noise(5, 600 * KIB),
    same: noise(3, 5 * KIB),
  });
  await commit('d', 'v1', { tiny: 'second', medium: noise(4, 30 * KIB), big: BIG }, { note });
  await commit('d', 'v2', { tiny: 'third', medium: noise(6, 30 * KIB), big: noise(8, 400 * KIB) });
  await commit('e', 'v0', { other: noise(7, 40 * KIB), text: 'of its own' });
  d = new Damageable(scene);
});
afterAll(() => d.scene[Symbol.asyncDispose]());
beforeEach(() => d.restore());

describe.each(Object.entries(KINDS))('%s', (kind, find) => {
  const path = PATHS[kind as keyof typeof KINDS];

  test.each(Object.keys(ROW_DAMAGE))('whose row is %s is named, and healed from its pack', async (damage) => {
    const id = await d.scene.in(async (r) => {
      const found = await find(r);
      const { database } = r.context.disk;
      await database.use(async () => {
        const key = objectKey(found.kind, found.digest);
        const bad = ROW_DAMAGE[damage](Buffer.from(database.table.getSync(key)!));
        await (bad === undefined ? database.table.del(key) : database.table.put(key, bad));
      });
      return found;
    });
    const found = await d.fsck();
    expect(found.ok).toBe(false);
    expect(found.problems.join('\n')).toContain(formatCid(id));
    expect(await d.download('e:v0')).toBe('whole');
    const named = found.damaged.find(({ cid }) => cid === formatCid(id));
    expect(named?.kind).toBe(id.kind === CHUNK ? 'chunk' : 'node');
    if (kind !== 'a state') expect(named?.versions).toEqual(['d:v1']);
    if (path !== undefined) expect(named?.paths).toEqual([path]);
    const repaired = await d.fsck({ repair: true });
    expect(repaired).toMatchObject({ ok: true, problems: [] });
    expect(repaired.healed).toBeGreaterThan(0);
    await d.expectWhole();
  });

  test('whose bytes in the pack are flipped is named, and healed if the database has it', async () => {
    const { id, inline } = await d.scene.in(async (r) => {
      const found = await find(r);
      const { pack, offset, bytes, codec, inline: copy } = await located(r, found);
      // Of a compressed frame the beginning, without which nothing in it can be read.
      flip(packPath(pack), codec === 0 ? offset + (bytes >> 1) : offset);
      return { id: found, inline: copy !== undefined };
    });
    const { ok, problems, damaged } = await d.fsck();
    expect(ok).toBe(false);
    expect(problems.join('\n')).toContain(formatCid(id));
    expect(inline).toBe(kind !== 'a chunk in a pack only');
    if (inline) {
      expect(await d.fsck({ repair: true })).toMatchObject({ ok: true, problems: [] });
      await d.expectWhole();
      return;
    }
    const named = { cid: formatCid(id), kind: 'chunk', versions: ['d:v1'], paths: [path] };
    expect(damaged).toEqual([named]);
    expect(await d.fsck({ repair: true })).toMatchObject({ ok: false, damaged: [named] });
    expect((await d.fsck()).damaged).toEqual([named]);
    for (const spec of ['d:v0', 'd:v2', 'e:v0']) expect(await d.download(spec)).toBe('whole');
    expect(await d.download('d:v1')).toMatch(/^OBJECT_/);
    // Committed again, the bytes are there again.
    d.scene.write({ medium: noise(4, 30 * KIB) });
    await d.scene.in((r) => r.commit({ name: 'again', paths: ['medium'] }));
    await d.expectWhole();
  });
});

function packPath(pack: number): string {
  const folder = d.scene.path('.art', 'packs');
  const names = readdirSync(folder);
  return join(
    folder,
    [packName(pack, 'pack'), packName(pack, 'journal')].find((name) => names.includes(name))!,
  );
}

describe('a hundred commits with aliases and operations', () => {
  const COMMITS = 100;
  /** Flips of a byte that are tried; more by hand: `ART_FLIPS=2000`. */
  const FLIPS = Number(process.env['ART_FLIPS'] ?? 6);
  const SEED = Number(process.env['ART_FLIPS_SEED'] ?? Date.now() % 1_000_000);
  let scene: Scene;
  let said: string;
  const everything = () =>
    scene.in(async (r) => {
      const found: unknown[] = [await r.list()];
      for await (const row of r.log('d')) found.push(row);
      for await (const row of r.ops()) found.push(row);
      found.push(await r.show('d'));
      return JSON.stringify(found);
    });
  const restore = () => {
    rmSync(scene.path('.art'), { recursive: true, force: true });
    cpSync(scene.path('art-whole'), scene.path('.art'), { recursive: true });
  };

  beforeAll(async () => {
    scene = await Scene.make();
    await scene.in(async (r) => {
      for (let i = 0; i < COMMITS; i++) {
        scene.write({ [`data/f${i % 10}`]: `content ${i}`, 'data/large': noise(i, 3 * KIB) });
        await r.commit({
          name: 'd',
          paths: ['data'],
          message: `number ${i}`,
          aliases: i % 9 === 0 ? [`a${i}`] : [],
        });
        if (i % 20 === 7) await r.tag({ target: `d:v${i}`, tags: [`t${i}`] });
      }
      await r.delete({ targets: ['d:v50'] });
      await r.alias('d:v3', ['best']);
    });
    said = await everything();
    renameSync(scene.path('.art'), scene.path('art-whole'));
  }, 120_000);
  afterAll(() => scene[Symbol.asyncDispose]());

  const repaired = async (what: string) => {
    const { ok, problems } = await scene.in((r) => r.fsck({ repair: true }));
    expect({ ok, problems }, what).toEqual({ ok: true, problems: [] });
    expect(await everything(), what).toBe(said);
    expect(await scene.in((r) => r.fsck({ deep: true })), what).toMatchObject({ ok: true });
  };

  test('come back when the database is deleted', async () => {
    restore();
    rmSync(scene.path('.art', 'objects'), { recursive: true });
    await repaired('objects/ deleted');
  });

  test(
    `come back when any byte of the database is flipped (seed ${SEED})`,
    { timeout: 120_000 + FLIPS * 30_000 },
    async () => {
      restore();
      const files = readdirSync(scene.path('.art', 'objects'))
        .filter((name) => !/^LO(CK|G)/.test(name))
        .map((name) => ({ name, bytes: statSync(scene.path('.art', 'objects', name)).size }))
        .filter(({ bytes }) => bytes > 0);
      const roll = dice(SEED);
      for (let i = 0; i < FLIPS; i++) {
        const { name, bytes } = files[i % files.length];
        restore();
        const at = roll(bytes);
        flip(scene.path('.art', 'objects', name), at);
        await repaired(`${name}, byte ${at} (ART_FLIPS_SEED=${SEED})`);
      }
    },
  );
});
