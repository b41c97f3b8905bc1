/**
 * Plays gc of a remote beside eight pushers, in processes of their own, of which some are killed and some stand still:
 * in a folder, and on a real S3 server where `.ci/s3` has started one.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBucket, pull } from '#sync';
import { Scene } from '../repo/scene.ts';
import { art, ended, startArt } from './art.ts';
import { dice } from '../dice.ts';

/** Many by hand: `ART_GC_E2E_ROUNDS=300 npx vitest run … test/e2e/remote-gc.test.ts`. */
const ROUNDS = Number(process.env['ART_GC_E2E_ROUNDS'] ?? 2);
/** A file that gets a line a round: what was played, and what became of whom. */
const TALLY = process.env['ART_GC_E2E_TALLY'];
const SEED = Number(process.env['ART_GC_SEED'] ?? Date.now() % 1_000_000);
const PUSHERS = 8;
const NAMES = ['cats', 'dogs', 'eels'];
const VERSIONS_MAX = 4;
const GC = ['gc', '--remote', 'origin', '--min-age', '0', '--grace', '0'];
const S3 = process.env['ART_TEST_S3_ENDPOINT'];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Made {
  readonly name: string;
  readonly cid: string;
}

interface Tally {
  /** Processes that were at work when they were killed, or stopped. */
  killed: number;
  frozen: number;
  downloaded: number;
}

/** The names and contents of files, in short. */
function printOf(files: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const path of Object.keys(files).sort()) hash.update(`${path}\0${files[path]}\0`);
  return hash.digest('hex');
}

/** A bucket, and those who use it. */
class Play {
  readonly clones: Scene[] = [];
  readonly collectors: Scene[] = [];
  readonly tally: Tally = { killed: 0, frozen: 0, downloaded: 0 };
  readonly #url: string;
  readonly #roll = dice(SEED);
  /** What every version ever made checks out as, by its CID. */
  readonly #prints = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  async begin(): Promise<void> {
    for (let i = 0; i < PUSHERS; i++) this.clones.push(await this.#clone());
    for (let i = 0; i < 2; i++) this.collectors.push(await this.#clone());
    for (const name of NAMES) await this.#change(this.clones[0], name, 'first');
    expect(art(this.clones[0].root, 'push')).toMatchObject({ status: 0 });
  }

  /** Everybody commits and pushes while gc runs; then all that was made must be there, whole. */
  async round(round: number): Promise<void> {
    const made: Made[] = [];
    for (const [i, clone] of this.clones.entries())
      made.push(await this.#change(clone, NAMES[this.#roll(NAMES.length)], `${round} ${i}`));
    const gcs = (async () => {
      await sleep(200);
      for (let i = 0; i < 2; i++)
        await Promise.all(this.collectors.map(({ root }) => ended(startArt(root, ...GC))));
    })();
    const disturbed = this.#disturbed(this.collectors[round % 2], GC, gcs);
    await Promise.all(this.clones.map((clone) => this.#disturbed(clone, ['push'], gcs)));
    await Promise.all([gcs, disturbed]);
    // What was killed is done again; what was done is done.
    await Promise.all(
      this.clones.map(async ({ root }) => expect(await ended(startArt(root, 'push'))).toBe(0)),
    );
    await this.#everythingThere(made);
  }

  async end(): Promise<void> {
    for (const scene of [...this.clones, ...this.collectors]) await scene[Symbol.asyncDispose]();
  }

  async #clone(): Promise<Scene> {
    const scene = await Scene.make();
    await scene.in(async (repository) =>
      repository.addRemote({ name: 'origin', url: this.#url, ...(S3 && { endpoint: S3 }) }),
    );
    return scene;
  }

  /** Commits a new version out of few contents, and now and then deletes an old one. */
  async #change(scene: Scene, name: string, mark: string): Promise<Made> {
    rmSync(scene.path('data'), { recursive: true, force: true });
    const files: Record<string, string> = { mark };
    for (let f = 0; f < 6; f++)
      files[`f${f}`] = `content ${this.#roll(20)} `.repeat(20 + 4000 * this.#roll(2));
    scene.write(Object.fromEntries(Object.entries(files).map(([path, text]) => [`data/${path}`, text])));
    return scene.in(
      async (repository) => {
        const [{ cid }] = await repository.commit({ name, paths: ['data'], bind: false });
        this.#prints.set(cid!, printOf(files));
        const versions: string[] = [];
        for await (const { version } of repository.log(name)) versions.push(version);
        if (versions.length > VERSIONS_MAX) {
          const doomed = versions[1 + this.#roll(versions.length - 1)];
          await repository.delete({ targets: [`${name}:${doomed}`], force: true });
        }
        return { name, cid: cid! };
      },
      { now: Date.now },
    );
  }

  /** Runs a command; maybe kills it, or stops it until `until` has come. */
  async #disturbed(scene: Scene, words: readonly string[], until: Promise<unknown>): Promise<void> {
    const fate = this.#roll(4);
    const delay = 100 + this.#roll(900);
    const child = startArt(scene.root, ...words);
    const end = ended(child);
    if (fate === 0) {
      await Promise.race([end, sleep(delay)]);
      if (child.kill('SIGKILL')) this.tally.killed++;
    } else if (fate === 1) {
      await Promise.race([end, sleep(delay)]);
      if (child.kill('SIGSTOP')) this.tally.frozen++;
      await Promise.race([end, until]);
      child.kill('SIGCONT');
    }
    await end;
  }

  /** A new clone gets every version, whole. */
  async #everythingThere(made: readonly Made[]): Promise<void> {
    await using fresh = await this.#clone();
    await using bucket = await openBucket(this.#url, {
      cwd: '/',
      env: process.env,
      ...(S3 && { endpoint: S3 }),
    });
    await fresh.in(async (repository) => {
      await pull(repository, { remote: 'origin', bucket });
      const { ok, problems } = await repository.fsck({ deep: true });
      expect({ ok, problems }).toEqual({ ok: true, problems: [] });
      for (const name of NAMES) {
        const cids: string[] = [];
        for await (const { version, cid } of repository.log(name)) {
          cids.push(cid);
          const dir = `${name}-${version}`;
          await repository.download({ spec: `${name}:${version}`, dir });
          expect([name, version, printAt(fresh, dir)]).toEqual([name, version, this.#prints.get(cid)]);
          this.tally.downloaded++;
        }
        const expected = made.filter((one) => one.name === name).map(({ cid }) => cid);
        expect(cids).toEqual(expect.arrayContaining(expected));
      }
    });
  }
}

function printAt(scene: Scene, dir: string): string {
  return printOf(
    Object.fromEntries(readdirSync(scene.path(dir)).map((path) => [path, scene.read(join(dir, path))])),
  );
}

async function play(url: string): Promise<void> {
  const play = new Play(url);
  try {
    await play.begin();
    for (let round = 0; round < ROUNDS; round++) {
      await play.round(round).catch((error: unknown) => {
        throw new Error(`round ${round} of seed ${SEED}`, { cause: error });
      });
      const row = { url, seed: SEED, round, ...play.tally };
      if (TALLY !== undefined) appendFileSync(TALLY, `${JSON.stringify(row)}\n`);
    }
  } finally {
    await play.end();
  }
}

describe(`gc beside eight pushers, killed and frozen, loses nothing (seed ${SEED})`, () => {
  const timeout = 60_000 + ROUNDS * 120_000;

  test('in a folder', { timeout }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'art-e2e-'));
    mkdirSync(join(folder, 'bucket'));
    try {
      await play(join(folder, 'bucket'));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test.skipIf(S3 === undefined)('on an S3 server', { timeout }, async () => {
    process.env['AWS_ACCESS_KEY_ID'] = process.env['ART_TEST_S3_KEY'];
    process.env['AWS_SECRET_ACCESS_KEY'] = process.env['ART_TEST_S3_SECRET'];
    await play(`s3://${process.env['ART_TEST_S3_BUCKET']}/e2e-${Date.now().toString(36)}`);
  });
});
