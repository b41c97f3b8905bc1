import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { initRepository, layoutOf, openRepository } from '#repo';
import { LevelStore, MemoryStore } from '#store';
import { Sequence } from './sequence.ts';
import type { Stage } from './sequence.ts';

const SEQUENCES = Number(process.env['ART_SEQUENCES'] ?? 25);
/** How many of these are played again on the store that people have, which takes ten times as long. */
const ON_DISK = Number(process.env['ART_SEQUENCES_ON_DISK'] ?? Math.min(2, SEQUENCES));
const SEED = Number(process.env['ART_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = 30;
const CONTENTS = 4;

const root = mkdtempSync(join(tmpdir(), 'art-sequences-'));
const contents = Array.from({ length: CONTENTS }, (_, i) => join(root, `content-${i}`));

beforeAll(async () => {
  await initRepository(root);
  contents.forEach((folder, i) => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'x'.repeat(i + 1));
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** How often each kind of operation ended how: a campaign that only fails shows nothing. */
const OUTCOMES = new Map<string, number>();
const tell = (told: string) => OUTCOMES.set(told, (OUTCOMES.get(told) ?? 0) + 1);

async function play(seed: number, stage: Omit<Stage, 'contents' | 'tell'>, again: string): Promise<void> {
  const sequence = new Sequence(seed, { ...stage, contents, tell });
  try {
    for (let step = 0; step < STEPS; step++) await sequence.step();
  } catch (error) {
    const shown = sequence.done.map((line, at) => `${at + 1}. ${line}`).join('\n');
    throw new Error(`ART_SEED=${seed} ${again}:\n${shown}`, { cause: error });
  }
}

async function fsck(folder: string) {
  await using repository = await openRepository({
    author: 'ada',
    host: 'here',
    command: 'test',
    run: null,
    now: () => Date.UTC(2026, 0, 1),
    folder,
    artifactsFolder: 'artifacts',
  });
  return await repository.fsck({ deep: true });
}

function tellAll(count: number): void {
  if (count < 100) return;
  const told = [...OUTCOMES].sort().map(([what, times]) => `${what}: ${times}`);
  console.log([`${count} sequences of ${STEPS} steps, no difference; seed ${SEED}`, ...told].join('\n'));
}

test(
  `any operations of several users, undone and redone, leave what a plain model says (ART_SEED=${SEED})`,
  async () => {
    const { stat } = layoutOf(root);
    for (let i = 0; i < SEQUENCES; i++) {
      // The stat cache knows the store of the sequence before.
      rmSync(stat, { recursive: true });
      mkdirSync(stat);
      const stage = { layout: layoutOf(root), store: new MemoryStore() };
      await play(SEED + i, stage, 'ART_SEQUENCES=1');
    }
    tellAll(SEQUENCES);
  },
  30_000 + SEQUENCES * 2000,
);

test(
  `so they do on the disk (ART_SEED=${SEED})`,
  async () => {
    OUTCOMES.clear();
    for (let i = 0; i < ON_DISK; i++) {
      const folder = join(root, `disk-${i}`);
      await initRepository(folder, { nested: true });
      const layout = layoutOf(folder);
      {
        await using store = new LevelStore(layout.art);
        await play(SEED + i, { layout, store }, 'ART_SEQUENCES=1 ART_SEQUENCES_ON_DISK=1');
      }
      expect(await fsck(folder)).toMatchObject({ ok: true, damaged: [] });
      rmSync(folder, { recursive: true });
    }
    tellAll(ON_DISK);
  },
  30_000 + ON_DISK * 20_000,
);
