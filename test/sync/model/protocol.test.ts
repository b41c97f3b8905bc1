/** Proves, by trying every interleaving, that the remote protocol loses nothing and that each of its rules is needed for it. */
import { describe, expect, test } from 'vitest';
import { explore } from './explorer.ts';
import { protocol } from './protocol.ts';
import { FULL, RULES, without } from './rules.ts';
import type { Rule } from './rules.ts';
import { SCENES, WIDE_SCENES } from './scenes.ts';

/** The scene in which switching a rule off shows soonest. `condemnedKept` has a twin: see below. */
const NEEDED: Readonly<Record<Exclude<Rule, 'condemnedKept'>, keyof typeof SCENES>> = {
  fence: 'otherName',
  fenceAfterCondemned: 'otherName',
  fenceBeforeMark: 'otherName',
  fenceListsAnew: 'newName',
  fenceEmpty: 'otherName',
  secondMark: 'otherName',
  markListsAnew: 'ownList',
  sweptAfterItsFence: 'slowCollector',
  keptUntilCopied: 'otherName',
  copyNotCondemned: 'duplicates',
  copyVerified: 'lostPack',
  staysCondemned: 'ownList',
  condemnedAdopted: 'ownList',
  condemnedNotReused: 'otherName',
  condemnedNewerToo: 'newName',
  pointerBeforeCondemned: 'otherName',
  pointerCreatedFirst: 'newName',
  frontierOfSwapped: 'sameName',
  onlyOwnPointer: 'twoRounds',
  walkedForEach: 'twoPointers',
  listedNow: 'lostPack',
  journaledCountAsFound: 'twoRounds',
  lackedCopiedOut: 'partialClone',
  packsBeforePointer: 'otherName',
  swapsConditional: 'otherName',
  uncertainReadAgain: 'repliesLost',
  uniqueNames: 'otherName',
};

describe('with every rule', () => {
  const seen = new Set<string>();

  test.each(Object.entries(SCENES))('nothing is lost: %s', (_, scene) => {
    const found = explore(protocol(scene));
    expect(found.loss).toBeUndefined();
    expect(found.complete).toBe(true);
    for (const sight of found.seen) seen.add(sight);
  });

  test('the scenes together come past everything worth seeing', () => {
    expect([...seen].sort()).toEqual(Object.keys(protocol(SCENES.otherName).sights).sort());
  });
});

describe('a story of a loss is found without the rule:', () => {
  test.each(Object.entries(NEEDED))('%s', async (rule, scene) => {
    const { loss } = explore(protocol(SCENES[scene], without(rule as Rule)));
    await expect(told([rule as Rule], loss)).toMatchFileSnapshot(`losses/${rule}.txt`);
    expect(loss?.at(-1)).toMatch(/^LOST: /);
  });

  // A pack that is not listed is not reused and one that is condemned is not either: to lose, forget both.
  test('condemnedKept and listedNow', async () => {
    expect(explore(protocol(SCENES.otherName, without('condemnedKept'))).complete).toBe(true);
    const { loss } = explore(protocol(SCENES.otherName, without('condemnedKept', 'listedNow')));
    await expect(told(['condemnedKept', 'listedNow'], loss)).toMatchFileSnapshot('losses/condemnedKept.txt');
    expect(loss?.at(-1)).toMatch(/^LOST: /);
  });
});

describe('nothing is lost', () => {
  test('where names follow content, if packs carry a nonce and deletes name the tag they mean', () => {
    const rules = { ...without('uniqueNames'), deletesConditional: true };
    for (const scene of [SCENES.otherName, SCENES.newName, SCENES.sameName, SCENES.duplicates]) {
      expect(explore(protocol(scene, rules))).toMatchObject({ complete: true });
    }
  });
});

// Minutes and up to a gigabyte: the states to visit in each wide scene, 20,000,000 say.
const statesMax = Number(process.env.ART_MODEL_STATES ?? 0);

describe.skipIf(statesMax === 0)('with every rule and everybody (ART_MODEL_STATES)', () => {
  test.each(Object.entries(WIDE_SCENES))('nothing is lost: %s', { timeout: 1_800_000 }, (name, scene) => {
    const started = performance.now();
    const { states, complete, loss } = explore(protocol(scene, FULL), { statesMax });
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`${name}: ${states} states${complete ? ', all there are' : ' at first'}, ${seconds} s`);
    expect(loss).toBeUndefined();
  });
});

function told(rules: readonly Rule[], loss: readonly string[] = ['nothing is lost']): string {
  return [...rules.map((rule) => `Without the rule: ${RULES[rule]}.`), '', ...loss, ''].join('\n');
}
