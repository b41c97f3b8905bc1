/** Plays gc of a folder beside eight pushers, in processes of their own, of which some are killed and some stand still. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Place, art, artJson, ended, startArt } from './art.ts';

const ROUNDS = Number(process.env['ART_GC_E2E_ROUNDS'] ?? 1);
const SEED = Number(process.env['ART_GC_SEED'] ?? Date.now() % 1_000_000);
const PUSHERS = 8;
const NAMES = ['cats', 'dogs', 'eels'];
const GC = ['gc', '--remote', 'origin', '--min-age', '0', '--grace', '0'];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Numbers from a seed (mulberry32, public domain). */
function dice(seed: number): (sides: number) => number {
  let a = seed >>> 0;
  return (sides) => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % sides;
  };
}

const roll = dice(SEED);

function makeClone(place: Place, name: string): string {
  const folder = join(place.path, name);
  mkdirSync(folder);
  art(folder, 'init');
  expect(art(folder, 'remote', 'add', 'origin', join(place.path, 'bucket')).status).toBe(0);
  return folder;
}

/** Commits a new version out of few contents, and now and then deletes an old one. Gives the CID. */
function change(clone: string, name: string, mark: string): { readonly name: string; readonly cid: string } {
  const data = join(clone, 'data');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  writeFileSync(join(data, 'mark'), mark);
  for (let f = 0; f < 6; f++)
    writeFileSync(join(data, `f${f}`), `content ${roll(20)} `.repeat(20 + 4000 * roll(2)));
  const [{ cid }] = artJson<{ cid: string }[]>(clone, 'commit', name, 'data', '--no-bind');
  const versions = artJson<{ version: string; cid: string }[]>(clone, 'log', name);
  if (versions.length > 4) {
    const doomed = versions[1 + roll(versions.length - 1)].version;
    expect(art(clone, 'delete', `${name}:${doomed}`, '--force').status).toBe(0);
  }
  return { name, cid };
}

/** Runs a command; maybe kills it, or stops it until `until` has come. */
async function disturbed(clone: string, words: readonly string[], until: Promise<unknown>): Promise<void> {
  const fate = roll(4);
  const delay = 100 + roll(900);
  const child = startArt(clone, ...words);
  const end = ended(child);
  if (fate === 0) {
    await Promise.race([end, sleep(delay)]);
    child.kill('SIGKILL');
  } else if (fate === 1) {
    await Promise.race([end, sleep(delay)]);
    child.kill('SIGSTOP');
    await Promise.race([end, until]);
    child.kill('SIGCONT');
  }
  await end;
}

test(
  `nothing is lost (seed ${SEED})`,
  async () => {
    using place = new Place();
    mkdirSync(join(place.path, 'bucket'));
    const clones = Array.from({ length: PUSHERS }, (_, i) => makeClone(place, `clone${i}`));
    const collectors = [makeClone(place, 'gc0'), makeClone(place, 'gc1')];
    for (const name of NAMES) change(clones[0], name, 'first');
    expect(art(clones[0], 'push')).toMatchObject({ status: 0 });
    for (let round = 0; round < ROUNDS; round++) {
      const made = clones.map((clone, i) => change(clone, NAMES[roll(NAMES.length)], `${round} ${i}`));
      const gcs = (async () => {
        await sleep(200);
        for (let i = 0; i < 2; i++) await Promise.all(collectors.map((at) => ended(startArt(at, ...GC))));
      })();
      const collected = Promise.all([gcs, disturbed(collectors[round % 2], GC, gcs)]);
      await Promise.all(clones.map((clone) => disturbed(clone, ['push'], gcs)));
      await collected;
      await everythingThere(place, clones, made);
    }
  },
  60_000 + ROUNDS * 60_000,
);

async function everythingThere(
  place: Place,
  clones: readonly string[],
  made: readonly { readonly name: string; readonly cid: string }[],
): Promise<void> {
  // What was killed is done again; what was done is done.
  for (const clone of clones) expect(art(clone, 'push')).toMatchObject({ status: 0 });
  const fresh = makeClone(place, 'fresh');
  expect(art(fresh, 'pull')).toMatchObject({ status: 0 });
  expect(art(fresh, 'fsck', '--deep')).toMatchObject({ status: 0 });
  for (const { name, cid } of made) {
    const cids = artJson<{ cid: string }[]>(fresh, 'log', name).map((row) => row.cid);
    expect(cids).toContain(cid);
  }
  for (const name of NAMES) expect(art(fresh, 'download', name, `out-${name}`)).toMatchObject({ status: 0 });
  rmSync(fresh, { recursive: true });
}
