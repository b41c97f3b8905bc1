/** Measures the stages of a commit, each against the least that the machine needs for the same bytes. */
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  Chunker,
  CHUNK,
  FILE,
  hash,
  loadNativeHash,
  loadWasmHash,
  type Digest,
  type MapEntry,
} from '#object';
import { createStore, LevelStore, type NodeSink, type NodeSource } from '#store';
import { diff, edit, entries, MapBuilder } from '#tree';
import { Ballast, settle } from './measure.ts';
import { byteStream, Random } from './random.ts';
import { columnsOf, median } from './report.ts';
import { Scratch } from './scratch.ts';

const MIB = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** One way to do a stage's work. What it needs is made beforehand, once for each time it runs. */
interface Contender {
  readonly name: string;
  /** Where it works on less than all of the stage's bytes or entries. */
  readonly amount?: number;
  readonly prepare?: () => void | Promise<void>;
  readonly run: () => void | Promise<void>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    dir: { type: 'string', default: join(tmpdir(), 'art-bench') },
  },
});
const rounds = Number(values.rounds);
const scale = Number(values.scale);
const mib = Math.max(16, Math.round(256 * scale));

async function hashes(): Promise<void> {
  const native = loadNativeHash();
  const wasm = loadWasmHash();
  for (const bytesEach of [4096, PIECE_BYTES]) {
    const bytes = byteStream(1)(bytesEach);
    const copy = new Uint8Array(bytesEach);
    const times = Math.floor((64 * MIB * Math.min(1, scale)) / bytesEach);
    const contender = (name: string, one: () => unknown): Contender => ({
      name,
      run: () => {
        for (let i = 0; i < times; i++) one();
      },
    });
    await compare(`hash pieces of ${bytesEach / 1024} KiB`, times * bytesEach, [
      contender('floor: memcpy', () => copy.set(bytes)),
      ...(native === undefined ? [] : [contender('native', () => native.hash(bytes))]),
      contender('wasm', () => wasm.hash(bytes)),
    ]);
  }
}

async function chunks(): Promise<void> {
  const bytes = byteStream(2)(mib * MIB);
  const chunkAll = (chunker: Chunker): void => {
    chunker.reset();
    for (let at = 0; at < bytes.length;) {
      const space = chunker.space();
      const part = bytes.subarray(at, at + space.length);
      space.set(part);
      at += part.length;
      chunker.take(part.length, { last: at === bytes.length });
    }
  };
  const buffer = new Uint8Array(8 * MIB);
  const wasm = new Chunker();
  const plain = new Chunker({ scanner: 'plain' });
  await compare(`cut ${mib} MiB into chunks`, bytes.length, [
    {
      name: 'floor: memcpy',
      run: () => {
        for (let at = 0; at < bytes.length; at += buffer.length)
          buffer.set(bytes.subarray(at, at + buffer.length));
      },
    },
    { name: `default (${wasm.scanner})`, run: () => chunkAll(wasm) },
    { name: 'plain TypeScript', run: () => chunkAll(plain) },
  ]);
}

async function packs(): Promise<void> {
  const folder = resolve(values.dir);
  mkdirSync(folder, { recursive: true });
  const scratch = new Scratch(folder);
  try {
    const bytes = byteStream(3)(mib * MIB);
    const pieces = Array.from({ length: bytes.length / PIECE_BYTES }, (_, i) =>
      bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES),
    );
    const digests = pieces.map((piece) => hash(piece));
    // Both write new files, into pages that are as warm for one as for the other.
    const ballast = new Ballast(bytes.length * 1.5);
    const warm = (): void => {
      ballast.load();
      settle();
      ballast.drop();
    };
    let floor = '';
    let store: LevelStore;
    await compare(`store ${mib} MiB in chunks of 64 KiB, hashed before`, bytes.length, [
      {
        name: 'floor: write, fdatasync',
        prepare: () => {
          floor = join(scratch.folder('floor'), 'file');
          warm();
        },
        run: () => {
          const file = openSync(floor, 'w');
          for (let at = 0; at < bytes.length; at += MIB) writeSync(file, bytes, at, MIB);
          fdatasyncSync(file);
          closeSync(file);
        },
      },
      {
        name: 'put all, publish',
        prepare: async () => {
          const art = scratch.folder('store');
          await createStore(art);
          store = new LevelStore(art);
          warm();
        },
        run: async () => {
          await using transaction = await store.begin();
          for (let i = 0; i < pieces.length; i++) {
            transaction.put(CHUNK, digests[i]!, pieces[i]!);
            if (i % 64 === 63) await transaction.breathe();
          }
          await transaction.publish(async () => {});
          await store.rest();
        },
      },
    ]);
    ballast.close();
  } finally {
    scratch.remove();
  }
}

async function trees(): Promise<void> {
  const count = Math.round(1_000_000 * scale);
  const all = sampleEntries(count);
  const nodes = new Nodes();
  let root: Digest = EMPTY;
  let edited: Digest = EMPTY;
  const changes = new Random(7).choose(10, count).map((i) => {
    const { key } = all[i]!;
    return { key, entry: { ...all[i]!, digest: hash(key) } };
  });
  const copies = Buffer.alloc(128);
  await compare(`tree of ${count.toLocaleString('en')} entries`, count, [
    {
      name: 'floor: copy keys, digests',
      run: () => {
        for (const { key, digest } of all) {
          copies.set(key, 0);
          copies.set(digest, 64);
        }
      },
    },
    {
      name: 'build',
      run: () => {
        const builder = new MapBuilder(nodes);
        for (const entry of all) builder.add(entry);
        root = builder.finish().digest;
      },
    },
    {
      name: 'read all entries',
      run: async () => {
        let seen = 0;
        for await (const batch of entries(nodes, root)) seen += batch.length;
        if (seen !== count) throw new Error(`read ${seen} of ${count} entries`);
      },
    },
    {
      name: 'edit 10',
      amount: changes.length,
      run: async () => {
        edited = (await edit(nodes, nodes, root, changes)).digest;
      },
    },
    {
      name: 'diff after these',
      amount: changes.length,
      run: async () => {
        let seen = 0;
        for await (const batch of diff(nodes, root, edited)) seen += batch.length;
        if (seen !== changes.length) throw new Error(`found ${seen} of ${changes.length} changes`);
      },
    },
  ]);
}

function sampleEntries(count: number): MapEntry[] {
  const random = new Random(5);
  const perClass = Math.max(1, Math.floor(count / 1000));
  return Array.from({ length: count }, (_, i) => {
    const digest = new Uint8Array(32);
    random.fill(digest);
    const folder = String(Math.floor(i / perClass)).padStart(5, '0');
    const key = Buffer.from(`train/class_${folder}/img_${String(i).padStart(9, '0')}.jpg`);
    return { key, kind: FILE, executable: false, size: 1024 + random.below(9000), digest, extra: EMPTY };
  });
}

/** Keeps nodes in memory, so that the tree alone is measured. */
class Nodes implements NodeSource, NodeSink {
  readonly #bytes = new Map<string, Uint8Array>();

  putNode(digest: Digest, bytes: Uint8Array): void {
    this.#bytes.set(keyOf(digest), bytes);
  }

  async getNodes(digests: readonly Digest[]): Promise<Uint8Array[]> {
    return digests.map((digest) => this.#bytes.get(keyOf(digest))!);
  }
}

function keyOf(digest: Digest): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('latin1');
}

/** Alternates the contenders, drops round 0, and prints medians; the first is the floor. `amount` is bytes or entries. */
async function compare(title: string, amount: number, contenders: readonly Contender[]): Promise<void> {
  const walls = contenders.map(() => [] as number[]);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { prepare, run }] of contenders.entries()) {
      await prepare?.();
      const started = process.hrtime.bigint();
      await run();
      if (round > 0) walls[i]!.push(Number(process.hrtime.bigint() - started) / 1e9);
    }
  }
  const lines = contenders.map(({ name, amount: own = amount }, i) => {
    const wallSeconds = median(walls[i]!);
    const toFloor = median(walls[i]!.map((wall, round) => wall / walls[0]![round]!));
    const perSecond = own / wallSeconds / 1e6;
    console.log(
      JSON.stringify({ stage: title, name, rounds, wallSeconds, perSecond: perSecond * 1e6, toFloor }),
    );
    return [
      name,
      (wallSeconds * 1000).toFixed(1),
      perSecond < 0.01 ? '–' : perSecond.toFixed(perSecond < 100 ? 2 : 0),
      toFloor.toFixed(2),
    ];
  });
  process.stderr.write(`\n${title}\n${columnsOf([['', 'ms', 'M/s', '× floor'], ...lines])}\n`);
}

const STAGES: Readonly<Record<string, () => Promise<void>>> = {
  hash: hashes,
  chunk: chunks,
  pack: packs,
  tree: trees,
};
for (const [name, stage] of Object.entries(STAGES)) {
  if (positionals.length === 0 || positionals.includes(name)) await stage();
}
