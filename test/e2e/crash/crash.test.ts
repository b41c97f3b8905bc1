/**
 * Sweeps over every change that a command makes on disk: there it is killed, torn, or told that the disk is full or
 * broken; then everything must be whole, and the repeated command must end as if nothing had been.
 *
 * A sample by a seed; all of it by hand: `ART_CRASH=all npx vitest run … test/e2e/crash -t 'gc$'`. `ART_CRASH=12` tries
 * twelve a command, `ART_CRASH_SEED` says which, `ART_CRASH_HOW=kill,power` only such ones of all, `ART_CRASH_AT=17,kill`
 * one only.
 */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dice } from '../../dice.ts';
import { HOWS, artWithSmallPacks, fits } from './place.ts';
import type { Fault, How } from './place.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { Stage } from './trial.ts';

const WANTED = process.env['ART_CRASH'] ?? '1';
const SEED = Number(process.env['ART_CRASH_SEED'] ?? 1);
const ONLY = process.env['ART_CRASH_HOW']?.split(',');
const ONE = process.env['ART_CRASH_AT']?.split(',');
const TIMEOUT_MS = WANTED === 'all' ? 6 * 60 * 60_000 : 300_000 + 120_000 * Number(WANTED);

function faultsFor(scenario: Scenario, changes: readonly string[]): Fault[] {
  if (ONE !== undefined) return [{ at: Number(ONE[0]), how: ONE[1] as How, seed: SEED }];
  const roll = dice(SEED + SCENARIOS.indexOf(scenario));
  const all = changes.flatMap((change, i) =>
    HOWS.filter((how) => fits(how, change)).map((how) => ({ at: i + 1, how, seed: SEED })),
  );
  if (WANTED === 'all') return all.filter(({ how }) => ONLY === undefined || ONLY.includes(how));
  return Array.from({ length: Number(WANTED) }, () => ({ ...all[roll(all.length)], seed: roll(1_000_000) }));
}

describe(`a disturbed command (seed ${SEED})`, () => {
  let smallPacks: string;
  beforeAll(() => {
    smallPacks = artWithSmallPacks();
  });
  const stages: Stage[] = [];
  afterAll(() => {
    for (const stage of stages) stage[Symbol.dispose]();
    rmSync(dirname(smallPacks), { recursive: true, force: true });
  });

  test.each(SCENARIOS)('$name', { timeout: TIMEOUT_MS }, async (scenario) => {
    const stage = await Stage.make(scenario, scenario.smallPacks && smallPacks);
    stages.push(stage);
    const found: string[] = [];
    for (const fault of faultsFor(scenario, stage.changes)) {
      const { at, how, seed } = fault;
      const which = `ART_CRASH_SEED=${seed} ART_CRASH_AT=${at},${how} (${stage.changes[at - 1]})`;
      for (const wrong of await stage.trial(fault)) {
        found.push(`${which}: ${wrong}`);
        if (WANTED === 'all') console.error(found.at(-1));
      }
    }
    expect(found).toEqual([]);
  });
});
