/** The stories of test/sync/model/losses that are about gc, told by the real code: whoever is slow, nothing is lost. */
import { describe, expect, test } from 'vitest';
import { bytesBody, condemnedKey, decodeCondemned, decodePointer, readAll } from '#sync';
import { encodeCondemned, encodePointer, packKey, pointerKey } from '#sync';
import type { Bucket } from '#sync';
import { parseArtifactName } from '#version';
import { Clone, twoClones } from './scene.ts';
import { TurnBucket, Turns } from './interleaved.ts';
import { keysOf, noise } from './samples.ts';

const BIG = 'x'.repeat(2000);
const HOUR_MS = 60 * 60 * 1000;

const packsOf = async (bucket: Bucket) => (await keysOf(bucket, 'packs/')).map((key) => key.slice(9, -5));

async function condemnedIn(bucket: Bucket, epoch: number): Promise<string[] | undefined> {
  const got = await bucket.get(condemnedKey(epoch));
  return got && decodeCondemned((await readAll(got.body, 1 << 20))!, 'it');
}

async function pointerOf(bucket: Bucket, name: string) {
  const got = await bucket.get(pointerKey(parseArtifactName(name)));
  return decodePointer((await readAll(got!.body, 2000))!, name);
}

type When = (act: string, key: string) => boolean;

/** The bucket as somebody has it who stops right before the operation that `when` is true for. */
function stopping(bucket: Bucket, when: When) {
  const { bucket: slow, stops } = stoppingOften(bucket, [when]);
  return { bucket: slow, ...stops[0] };
}

/** The same, for somebody who stops several times, in this order. */
function stoppingOften(bucket: Bucket, whens: readonly When[]) {
  const turns = new Turns(1);
  void turns.during(() => Promise.resolve());
  const slow = new TurnBucket(bucket, turns, 'slow');
  const gates = whens.map((when) => ({ when, held: gate(), reached: gate() }));
  let next = 0;
  slow.before = (act, key) => {
    if (!gates[next]?.when(act, key)) return undefined;
    const { held, reached } = gates[next++];
    reached.open();
    return held.passed;
  };
  return {
    bucket: slow,
    stops: gates.map(({ held, reached }) => ({ stopped: reached.passed, goOn: held.open })),
  };
}

function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** Everything that anybody can see is whole. */
async function whole(bucket: Bucket, names: readonly string[]): Promise<void> {
  await using fresh = await Clone.make(bucket);
  await fresh.pull();
  expect(await fresh.names()).toEqual(names);
  await fresh.check();
}

/** One version of cats, deleted there, so that its packs are nobody's; ben has not heard of it. */
async function deadCats() {
  const { bucket, ada, ben } = await twoClones();
  await ada.commit('cats', { a: BIG });
  await ada.push();
  const dead = await packsOf(bucket);
  await ada.commit('cats', { b: 'newer' });
  await ada.push();
  await ada.remove('cats', 0);
  await ada.push();
  return { bucket, ada, ben, dead };
}

describe('a pusher that stops right before its swap', () => {
  test('cannot publish what gc has swept since: it sends it again', async () => {
    const { bucket, ada, ben, dead } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    await ben.commit('dogs', { a: BIG });
    const slow = stopping(bucket, (act) => act === 'putIfTag');
    ben.bucket = slow.bucket;
    const pushed = ben.push();
    await slow.stopped;
    await ada.gc();
    expect(await packsOf(bucket)).not.toContain(dead[0]);
    slow.goOn();
    await pushed;
    await whole(bucket, ['cats', 'dogs']);
  });

  test('of a new name is fenced too: an empty pointer is one', async () => {
    const { bucket, ada, ben } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    await ben.commit('dogs', { a: BIG });
    const slow = stopping(bucket, (act) => act === 'putIfTag');
    ben.bucket = slow.bucket;
    const pushed = ben.push();
    await slow.stopped;
    await ada.gc();
    expect(await pointerOf(bucket, 'dogs')).toMatchObject({ state: null, epoch: 1 });
    slow.goOn();
    await pushed;
    expect(await pointerOf(bucket, 'dogs')).toMatchObject({ epoch: 1 });
    await whole(bucket, ['cats', 'dogs']);
  });
});

describe('a bucket that has lost its lists of what is condemned', () => {
  test('fences beyond the epochs of its pointers, so that a pusher sends again what was swept', async () => {
    const { bucket, ada, ben } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    await ada.gc();
    await ben.pull();
    await ben.commit('cats', { a: noise(77, 200_000) });
    const slow = stopping(bucket, (act) => act === 'putIfTag');
    ben.bucket = slow.bucket;
    const pushed = ben.push();
    await slow.stopped;
    for (const key of await keysOf(bucket, 'gc/condemned/')) await bucket.delete(key);
    await ada.gc();
    expect(await pointerOf(bucket, 'cats')).toMatchObject({ epoch: 2 });
    slow.goOn();
    await pushed;
    await whole(bucket, ['cats']);
  });

  test('is refused where the epochs have run out', async () => {
    const { bucket, ada } = await deadCats();
    await using _a = ada;
    const at = (await pointerOf(bucket, 'cats'))!;
    const last = { ...at, seq: at.seq + 1, epoch: 999_999_999_999 };
    const { tag } = (await bucket.get('refs/a/cats'))!;
    await bucket.putIfTag('refs/a/cats', bytesBody(encodePointer(last)), tag);
    await expect(ada.gc()).rejects.toMatchObject({ code: 'REMOTE_CORRUPT' });
    await whole(bucket, ['cats']);
  });
});

describe('a gc that stops', () => {
  test('before it deletes, and goes on when all is swept, deletes nothing that was condemned later', async () => {
    const { bucket, ada, ben, dead } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    await using eve = await Clone.make(bucket);
    const slow = stopping(bucket, (act, key) => act === 'delete' && key.startsWith('idx/'));
    ada.bucket = slow.bucket;
    const collected = ada.gc();
    await slow.stopped;
    // Meanwhile the dead comes back to life, in packs of its own.
    await ben.commit('dogs', { a: BIG });
    await ben.push();
    await eve.gc();
    await eve.gc();
    slow.goOn();
    await collected;
    expect(await packsOf(bucket)).not.toContain(dead[0]);
    await whole(bucket, ['cats', 'dogs']);
  });

  test('after its fence does not delete what a later epoch condemns and has not fenced', async () => {
    const { bucket, ada, ben } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    await using eve = await Clone.make(bucket);
    await ben.commit('dogs', { a: 'one' });
    await ben.push();
    await ada.gc({ graceMs: HOUR_MS });
    const isMark = (
      (lists) => (act: string, key: string) =>
        act === 'list' && key === 'refs/' && ++lists === 2
    )(0);
    const slow = stoppingOften(bucket, [isMark, (act, key) => act === 'list' && key === 'packs/']);
    ada.bucket = slow.bucket;
    const collected = ada.gc();
    await slow.stops[0].stopped;
    const pusher = stopping(bucket, (act) => act === 'putIfTag');
    ben.bucket = pusher.bucket;
    await ben.commit('dogs', { a: `${BIG} two` });
    const pushed = ben.push();
    await pusher.stopped;
    // Right after it condemned, before it fences.
    const later = stoppingOften(bucket, [
      (act, key) => act === 'putIfAbsent' && key === condemnedKey(2),
      (act, key) => act === 'list' && key === 'refs/',
    ]);
    later.stops[0].goOn();
    eve.bucket = later.bucket;
    const collectedLater = eve.gc();
    await later.stops[1].stopped;
    expect(await condemnedIn(bucket, 2)).not.toEqual([]);
    slow.stops[0].goOn();
    await slow.stops[1].stopped;
    pusher.goOn();
    await pushed;
    expect(await pointerOf(bucket, 'dogs')).toMatchObject({ epoch: 1 });
    slow.stops[1].goOn();
    await collected;
    await whole(bucket, ['cats', 'dogs']);
    later.stops[1].goOn();
    await collectedLater;
    await whole(bucket, ['cats', 'dogs']);
  });

  test('before it condemns, takes the list that somebody else wrote meanwhile', async () => {
    const { bucket, ada, ben } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    await using eve = await Clone.make(bucket);
    const slow = stopping(bucket, (act, key) => act === 'putIfAbsent' && key.startsWith('gc/condemned/'));
    ada.bucket = slow.bucket;
    const collected = ada.gc();
    await slow.stopped;
    await eve.gc({ graceMs: HOUR_MS });
    const theirs = await condemnedIn(bucket, 1);
    // What only the slow one would condemn lives again.
    await ben.commit('dogs', { a: BIG });
    await ben.push();
    slow.goOn();
    await collected;
    expect(await condemnedIn(bucket, 1)).toEqual(theirs);
    await whole(bucket, ['cats', 'dogs']);
  });

  test('before it swaps its fence, finds a pointer moved on and fences what is there', async () => {
    const { bucket, ada, ben } = await deadCats();
    await using _a = ada;
    await using _b = ben;
    const slow = stopping(bucket, (act, key) => act === 'putIfTag' && key === 'refs/a/cats');
    ada.bucket = slow.bucket;
    const collected = ada.gc();
    await slow.stopped;
    await ben.pull();
    await ben.commit('cats', { c: 'three' });
    await ben.push();
    slow.goOn();
    await collected;
    expect(await pointerOf(bucket, 'cats')).toMatchObject({ epoch: 1 });
    await whole(bucket, ['cats']);
  });

  test('in the middle, killed, is gone on with by the next one', async () => {
    for (const phase of ['gc/condemned/', 'gc/state', 'refs/a/', 'idx/']) {
      const { bucket, ada, ben, dead } = await deadCats();
      await using _a = ada;
      await using _b = ben;
      const turns = new Turns(1);
      void turns.during(() => Promise.resolve());
      const killed = new TurnBucket(bucket, turns, 'killed');
      let reached = false;
      killed.before = (act, key) => {
        // From the second on: the first of its kind was done.
        if (reached && act !== 'get' && act !== 'list') throw new Error('killed');
        if ((act === 'delete' || act.startsWith('put')) && key.startsWith(phase)) reached = true;
      };
      ada.bucket = killed;
      await expect(ada.gc(), phase).rejects.toThrow('killed');
      await ben.gc();
      await ben.gc();
      expect(await packsOf(bucket), phase).not.toContain(dead[0]);
      await whole(bucket, ['cats']);
    }
  }, 60_000);
});

describe('copies', () => {
  test('in two condemned packs do not vouch for each other: one is copied out', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cats', { a: BIG });
    await ada.push();
    await bucket.putIfAbsent(condemnedKey(1), bytesBody(encodeCondemned(await packsOf(bucket))));
    await ben.commit('dogs', { a: BIG });
    await ben.push();
    const both = await packsOf(bucket);
    expect(both).toHaveLength(2);
    await bucket.putIfAbsent(condemnedKey(2), bytesBody(encodeCondemned(both)));
    const first = await ada.gc();
    expect(first.deleted, first.reasons.join()).toBeGreaterThan(0);
    await ada.gc();
    for (const pack of await packsOf(bucket)) expect(both).not.toContain(pack);
    await whole(bucket, ['cats', 'dogs']);
  });

  test('that only an index tells of do not count', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cats', { a: BIG });
    await ada.push();
    const [first] = await packsOf(bucket);
    await bucket.putIfAbsent(condemnedKey(1), bytesBody(encodeCondemned([first])));
    await ben.commit('dogs', { a: BIG });
    await ben.push();
    const lost = (await packsOf(bucket)).find((pack) => pack !== first)!;
    await ada.pull();
    await bucket.delete(packKey(lost));
    // Whoever marks has dogs, so that it can be told what it keeps alive.
    await ada.gc();
    expect(ada.scene.warnings.join()).toContain(`${lost} is gone`);
    await ada.gc();
    await using fresh = await Clone.make(bucket);
    await fresh.pull({ names: ['cats'] });
    await fresh.check();
    expect(await fresh.contents('cats')).toEqual(await ada.contents('cats'));
  });

  test('of what is damaged are found before the rest is deleted', async () => {
    const { bucket, ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await ada.commit('cats', { a: BIG });
    await ada.push();
    const [first] = await packsOf(bucket);
    await bucket.putIfAbsent(condemnedKey(1), bytesBody(encodeCondemned([first])));
    await ben.commit('dogs', { a: BIG });
    await ben.push();
    const damaged = (await packsOf(bucket)).find((pack) => pack !== first)!;
    const bytes = Buffer.from((await readAll((await bucket.get(packKey(damaged)))!.body, 1 << 20))!);
    bytes.fill(0, 40, 60);
    await bucket.delete(packKey(damaged));
    await bucket.putIfAbsent(packKey(damaged), bytesBody(bytes));
    // What nobody can read, nobody can tell what it keeps alive.
    const before = await packsOf(bucket);
    await expect(ada.gc()).rejects.toMatchObject({ code: 'REMOTE_CORRUPT' });
    expect(await packsOf(bucket)).toEqual(before);
    // Who has it can.
    await ben.gc();
    await ben.gc();
    expect(await packsOf(bucket)).toContain(damaged);
    await using fresh = await Clone.make(bucket);
    await fresh.pull({ names: ['cats'] });
    expect(await fresh.contents('cats')).toEqual(await ada.contents('cats'));
  });
});
