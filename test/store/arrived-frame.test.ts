import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import type { ObjectId } from '#object';
import { LevelStore, arrivedFrame, checkStore, createStore, rebuildDatabase } from '#store';
import type { Location } from '#store';
import { wholeFrame } from '../../src/store/arrived-frame.ts';
import { compress, decompress, loadCompression } from '../../src/store/compression.ts';
import { wasmZstd } from '../../src/store/zstd-wasm.ts';
import { dice } from '../dice.ts';
import { walkPack } from '../../src/store/pack-files.ts';

beforeAll(loadCompression);

const roots = async function* () {};

const folders: string[] = [];
async function newStore(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'art-arrived-'));
  folders.push(folder);
  await createStore(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Sent {
  readonly raw: Buffer;
  readonly stored: Buffer;
  readonly objects: { readonly id: ObjectId; readonly location: Location }[];
}

/** Texts back to back, many of them tiny, as a frame; `seed` makes them others. That of `s0` has an empty one. */
function frameOf(seed: string, count = 120): Sent {
  const texts = Array.from({ length: count }, (_, i) =>
    Buffer.from(`${seed} line ${i}\n`.repeat(i === 7 && seed === 's0' ? 0 : i % 3 === 0 ? 5 : 300)),
  );
  const raw = Buffer.concat(texts);
  const stored = Buffer.from(compress(raw));
  let inFrame = 0;
  const objects = texts.map((bytes) => {
    const location = {
      pack: 1,
      offset: 32,
      storedBytes: stored.length,
      rawBytes: raw.length,
      codec: 1,
      inFrame,
      bytes: bytes.length,
      inline: undefined,
    } as const;
    inFrame += bytes.length;
    return { id: { kind: CHUNK, digest: hash(bytes) }, location } as const;
  });
  return { raw, stored, objects };
}

const arrived = ({ stored, raw, objects }: Sent) => wholeFrame(stored, raw, objects);

async function expectAll(art: string, sent: readonly Sent[]): Promise<void> {
  await using store = new LevelStore(art);
  for (const { raw, objects } of sent) {
    const got = await store.reader().getMany(objects.map(({ id }) => id));
    expect(Buffer.concat(got).equals(raw)).toBe(true);
  }
  const checked = await checkStore(store, { deep: true, roots });
  expect(checked.problems).toEqual([]);
  expect(checked.damaged).toEqual([]);
}

describe('a frame that came from elsewhere', () => {
  test.each([1, 40])('is kept as it is stored, %i of them, in company, and found again', async (count) => {
    const art = await newStore();
    const sent = Array.from({ length: count }, (_, i) => frameOf(`s${i}`));
    {
      await using store = new LevelStore(art);
      await using tx = await store.begin();
      for (const [i, one] of sent.entries()) {
        const alone = Buffer.from(`alone ${i}\n`.repeat(500));
        tx.put(CHUNK, hash(alone), alone);
        const { objects } = tx.stats;
        expect(tx.putFrame(arrived(one)!)).toBe(true);
        expect(tx.stats.objects - objects).toBe(one.objects.length);
        one.stored.fill(0); // It is nobody's any more.
      }
      await tx.publish(async () => {});
    }
    await expectAll(art, sent);
    const kept = new Set(
      readdirSync(join(art, 'packs')).flatMap((name) =>
        walkPack(join(art, 'packs', name)).segments.flatMap(({ rows }) =>
          rows.map(({ frame }) => `${frame.rawBytes} ${frame.storedBytes}`),
        ),
      ),
    );
    for (const { raw, stored } of sent) expect(kept).toContain(`${raw.length} ${stored.length}`);

    rmSync(join(art, 'objects'), { recursive: true });
    await rebuildDatabase(art, { roots });
    await expectAll(art, sent);
  });

  test('is not taken where some of it is there, or in it twice', async () => {
    const art = await newStore();
    const [one, other] = [frameOf('one'), frameOf('other')];
    await using store = new LevelStore(art);
    await using tx = await store.begin();
    const { inFrame, bytes } = one.objects[50].location;
    tx.put(CHUNK, one.objects[50].id.digest, one.raw.subarray(inFrame, inFrame + bytes));
    const before = { ...tx.stats };
    expect(tx.putFrame(arrived(one)!)).toBe(false);
    expect(tx.stats).toEqual(before);
    expect(tx.putFrame(arrived(other)!)).toBe(true);
    expect(tx.putFrame(arrived(other)!)).toBe(false);
    const twice = arrived(frameOf('twice'))!;
    expect(tx.putFrame({ ...twice, ids: [...twice.ids.slice(1), twice.ids[1]] })).toBe(false);
    await tx.publish(async () => {});
  });

  test.each([
    ['of which an object is missing', (sent: Sent) => ({ ...sent, objects: sent.objects.slice(1) })],
    ['with a gap', (sent: Sent) => ({ ...sent, objects: sent.objects.filter((_, i) => i !== 60) })],
    [
      'with a node in it',
      (sent: Sent) => ({
        ...sent,
        objects: sent.objects.map((one, i) =>
          i === 3 ? { ...one, id: { ...one.id, kind: 1 as const } } : one,
        ),
      }),
    ],
    [
      'with bytes behind it',
      (sent: Sent) => ({ ...sent, stored: Buffer.concat([sent.stored, Buffer.alloc(8)]) }),
    ],
    ['that is short', () => frameOf('short', 20)],
  ])('%s is not kept', (_, change) => {
    expect(arrived(frameOf('whole'))).toBeDefined();
    expect(arrived(change(frameOf('whole')))).toBeUndefined();
  });
});

const hasTwo = 'zstdCompressSync' in zlib;

test.skipIf(hasTwo)('with one zstd to ask no frame is kept as it came', async () => {
  const { stored, raw, objects } = frameOf('s');
  expect(await arrivedFrame(stored, raw, objects)).toBeUndefined();
});

test.skipIf(!hasTwo)('what is kept as it came is read alike by both zstds', async () => {
  const { stored, raw, objects } = frameOf('s');
  expect(await arrivedFrame(stored, raw, objects)).toBeDefined();
  const wasm = await wasmZstd(3);
  const roll = dice(20261126);
  const [own, twin] = [Buffer.alloc(raw.length), Buffer.alloc(raw.length)];
  let readHere = 0;
  for (let round = 0; round < 1500; round++) {
    const broken = Buffer.from(stored);
    for (let i = roll(3); i >= 0; i--) broken[20 + roll(broken.length - 20)] ^= 1 << roll(8);
    try {
      decompress(broken, own);
    } catch {
      continue;
    }
    readHere++;
    let isAlike = false;
    try {
      isAlike = wasm.decompress(broken, twin) === raw.length && twin.equals(own);
    } catch {
      // Refused.
    }
    expect((await arrivedFrame(broken, own, objects)) !== undefined).toBe(
      isAlike && wholeFrame(broken, own, objects) !== undefined,
    );
  }
  expect(readHere).toBeGreaterThan(20);
});
