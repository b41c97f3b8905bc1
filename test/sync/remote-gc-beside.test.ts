import { describe, expect, test } from 'vitest';
import { MemoryBucket, decodePointer, readAll } from '#sync';
import { dice } from '../dice.ts';
import { TurnBucket, Turns } from './interleaved.ts';
import { Clone } from './scene.ts';

const ROUNDS = Number(process.env['ART_GC_ROUNDS'] ?? 2);
const SEED = Number(process.env['ART_GC_SEED'] ?? Date.now() % 1_000_000);
const NAMES = ['cats', 'dogs', 'eels'];

/** What clones commit comes from few contents, so that objects are shared, die and come back. */
function filesBy(roll: (sides: number) => number): Record<string, string> {
  const files: Record<string, string> = {};
  for (let i = 0; i < 1 + roll(4); i++) files[`f${i}`] = `content ${roll(8)} `.repeat(50 + roll(2) * 2000);
  return files;
}

async function history(seed: number): Promise<void> {
  const roll = dice(seed);
  const turns = new Turns(seed);
  const bucket = new MemoryBucket();
  const actors = ['ada', 'ben', 'gc1', 'gc2'];
  const clones = new Map<string, Clone>();
  for (const actor of actors) clones.set(actor, await Clone.make(new TurnBucket(bucket, turns, actor)));
  const first = clones.get('ada')!;
  const hers = first.bucket;
  first.bucket = bucket;
  for (const name of NAMES) await first.commit(name, filesBy(roll));
  await first.push();
  first.bucket = hers;
  const push = async (actor: string, pushes: number) => {
    const clone = clones.get(actor)!;
    for (let i = 0; i < pushes; i++) {
      const name = NAMES[roll(NAMES.length)];
      await clone.commit(name, { ...filesBy(roll), who: `${actor} ${i}` });
      const versions = await clone.versions(name);
      if (versions.length > 1 && roll(2) === 0) {
        const doomed = versions[1 + roll(versions.length - 1)].split(' ')[0];
        await clone.remove(name, Number(doomed.slice(1)));
      }
      await clone.push();
    }
  };
  const gc = async (actor: string, rounds: number) => {
    for (let i = 0; i < rounds; i++) await clones.get(actor)!.gc();
  };
  // Stops who is about to decide something for as long as others take for much of their work.
  for (const [actor, clone] of clones) {
    const deciding = actor.startsWith('gc') ? 'delete' : 'putIfTag';
    (clone.bucket as TurnBucket).before = async (act) => {
      if (act !== deciding || roll(3) > 0) return;
      await turns.pass(roll(400), 300);
    };
  }
  try {
    await turns.during(() => Promise.all([push('ada', 4), push('ben', 4), gc('gc1', 3), gc('gc2', 3)]));
    await wholeThere(bucket);
    // What is left after the last gc is whole as well.
    clones.get('gc1')!.bucket = bucket;
    await clones.get('gc1')!.gc();
    await clones.get('gc1')!.gc();
    await wholeThere(bucket);
  } finally {
    for (const clone of clones.values()) await clone[Symbol.asyncDispose]();
  }
}

/** A new clone gets every version of every pointer, whole. */
async function wholeThere(bucket: MemoryBucket): Promise<void> {
  await using fresh = await Clone.make(bucket);
  const names: string[] = [];
  for await (const { key } of bucket.list('refs/a/')) {
    const bytes = await readAll((await bucket.get(key))!.body, 2000);
    if (decodePointer(bytes!, key).state !== null) names.push(key.slice(7));
  }
  await fresh.pull();
  expect(await fresh.names()).toEqual(names);
  await fresh.check();
  for (const name of names)
    for (const row of await fresh.versions(name)) await fresh.contents(`${name}:${row.split(' ')[0]}`);
}

describe('gc beside pushers, deleters and another gc', () => {
  test(
    `loses nothing, in any order of their operations (seed ${SEED})`,
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await history(SEED + round).catch((error: unknown) => {
          throw new Error(`seed ${SEED + round}`, { cause: error });
        });
      }
    },
    60_000 + ROUNDS * 20_000,
  );
});
