import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { merge } from '#sync';
import type { History, MergeInput } from '#sync';
import type { Fate } from '#version';

const NONE: ReadonlyMap<string, number> = new Map();

/** A commit is told by its number in these tests. */
const commit = (id: number) => Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? id & 255 : id >> 8));

function live(number: number, id: number, said: { tags?: string[]; producers?: string[] } = {}): Fate {
  const { tags = [], producers = [] } = said;
  return { alive: true, version: { number, bytes: 1, commit: commit(id), tags, ttl: null, producers } };
}

function dead(number: number, id: number, who = 'ada'): Fate {
  return { alive: false, tombstone: { number, bytes: 1, commit: commit(id), who, when: 1 } };
}

function history(fates: readonly Fate[], said: Partial<History> = {}): History {
  const numberOf = (fate: Fate) => (fate.alive ? fate.version.number : fate.tombstone.number);
  return {
    type: 'dataset',
    description: '',
    tags: [],
    aliases: new Map(),
    next: fates.length === 0 ? 0 : Math.max(...fates.map(numberOf)) + 1,
    fates: new Map(fates.map((fate) => [numberOf(fate), fate])),
    ext: {},
    ...said,
  };
}

const input = (base: History | undefined, ours: History, theirs: History): MergeInput => ({
  base,
  ours,
  theirs,
  fixedBelow: 0,
  settled: NONE,
});

/** What theirs becomes. */
function merged(given: MergeInput): History {
  const result = merge(given);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const { merged: after } = result;
  const { renumbered: _, ...said } = after;
  return { ...said, fates: new Map([...given.theirs.fates, ...after.fates]) };
}

const commitsOf = ({ fates }: History) =>
  new Map([...fates].flatMap(([number, fate]) => (fate.alive ? [[number, fate.version.commit[0]]] : [])));

describe('merge', () => {
  test('theirs keep their numbers and ours follow in order', () => {
    const base = history([live(0, 1)]);
    const ours = history([live(0, 1), live(1, 10), live(2, 11)]);
    const theirs = history([live(0, 1), live(1, 20)]);
    const result = merge(input(base, ours, theirs));
    expect(result.ok && result.merged.renumbered).toEqual([
      { from: 1, to: 2 },
      { from: 2, to: 3 },
    ]);
    expect([...commitsOf(merged(input(base, ours, theirs)))]).toEqual([
      [0, 1],
      [1, 20],
      [2, 10],
      [3, 11],
    ]);
  });

  test('a commit that both have is one version, with the tags and producers of both', () => {
    const ours = history([live(0, 1, { tags: ['mine'], producers: ['r1'] })]);
    const theirs = history([live(0, 9), live(1, 1, { tags: ['its'], producers: ['r2'] })]);
    const after = merged(input(undefined, ours, theirs));
    expect(after.fates.get(1)).toEqual(live(1, 1, { tags: ['its', 'mine'], producers: ['r1', 'r2'] }));
    expect(after.next).toBe(2);
  });

  test('what they deleted is gone, unless it got an alias here since', () => {
    const base = history([live(0, 1)]);
    const theirs = history([dead(0, 1, 'ben')]);
    expect(commitsOf(merged(input(base, base, theirs))).size).toBe(0);
    const aliased = history([live(0, 1)], { aliases: new Map([['best', 0]]) });
    expect(merge(input(base, aliased, theirs))).toEqual({
      ok: false,
      problems: [{ kind: 'deleted', number: 0, alias: 'best', by: 'theirs' }],
    });
  });

  test('an undone delete beats the tombstone it saw', () => {
    const both = history([dead(0, 1)]);
    expect(commitsOf(merged(input(both, history([live(0, 1)]), both))).get(0)).toBe(1);
  });

  test('an alias moved on both sides is a conflict that names both, until somebody settles it', () => {
    const base = history([live(0, 1), live(1, 2)], { aliases: new Map([['best', 0]]) });
    const ours = history([live(0, 1), live(1, 2), live(2, 3)], { aliases: new Map([['best', 2]]) });
    const theirs = history([live(0, 1), live(1, 2), live(2, 4)], { aliases: new Map([['best', 1]]) });
    const given = input(base, ours, theirs);
    expect(merge(given)).toEqual({
      ok: false,
      problems: [{ kind: 'alias', alias: 'best', ours: 2, theirs: 1 }],
    });
    expect(merged({ ...given, settled: new Map([['best', 1]]) }).aliases.get('best')).toBe(3);
    // They moved it again since: that is another question.
    expect(merge({ ...given, settled: new Map([['best', 0]]) }).ok).toBe(false);
  });

  test('an alias moved to the same commit on both sides is no conflict', () => {
    const base = history([live(0, 1)]);
    const ours = history([live(0, 1), live(1, 5)], { aliases: new Map([['best', 1]]) });
    const theirs = history([live(0, 1), live(1, 4), live(2, 5)], { aliases: new Map([['best', 2]]) });
    expect(merged(input(base, ours, theirs)).aliases.get('best')).toBe(2);
  });

  test('a number that another remote knows does not change', () => {
    const given = input(history([]), history([live(0, 1)]), history([live(0, 2)]));
    expect(merge({ ...given, fixedBelow: 1 })).toEqual({
      ok: false,
      problems: [{ kind: 'diverged', number: 0 }],
    });
  });

  test('another commit under a known number is another history', () => {
    const given = input(history([live(0, 1)]), history([live(0, 1)]), history([live(0, 7)]));
    expect(merge(given)).toEqual({ ok: false, problems: [{ kind: 'rewritten', number: 0 }] });
    const shorter = input(history([live(0, 1), live(1, 2)]), history([live(0, 1), live(1, 2)]), history([]));
    expect(merge(shorter).ok).toBe(false);
  });

  test('two types do not meet', () => {
    const theirs = history([live(0, 2)], { type: 'model' });
    expect(merge(input(undefined, history([live(0, 1)]), theirs)).ok).toBe(false);
  });
});

describe('any two histories with a common past', () => {
  type Edit = { readonly kind: number; readonly at: number };
  const edits = fc.array(fc.record({ kind: fc.nat(4), at: fc.nat(9) }), { maxLength: 8 });

  /** Does edits as a repository would; `id` tells the commits of the two sides apart. */
  function edited(base: History, list: readonly Edit[], id: number, who: string): History {
    const fates = new Map(base.fates);
    const tags = new Set(base.tags);
    const aliases = new Map(base.aliases);
    let { next } = base;
    for (const { kind, at } of list) {
      const fate = fates.get(at);
      if (kind <= 1) fates.set(next, live(next++, id++));
      else if (kind === 2) tags.add(`${who}${at}`);
      else if (fate?.alive === true && kind === 3) {
        const { version } = fate;
        fates.set(at, {
          alive: true,
          version: { ...version, tags: [...new Set([...version.tags, who])].sort() },
        });
      } else if (fate?.alive === true && kind === 4) {
        fates.set(at, dead(at, fate.version.commit[0], who));
        for (const [alias, number] of aliases) if (number === at) aliases.delete(alias);
      }
    }
    return { ...base, fates, tags: [...tags].sort(), aliases, next };
  }

  const cases = fc.tuple(edits, edits, edits).map(([past, mine, its]) => {
    const base = edited(history([live(0, 1)]), past, 2, 'base');
    return { base, ours: edited(base, mine, 100, 'ours'), theirs: edited(base, its, 200, 'theirs') };
  });

  test('lose no version, keep the numbers of theirs, and give none twice', () => {
    fc.assert(
      fc.property(cases, ({ base, ours, theirs }) => {
        const after = merged(input(base, ours, theirs));
        const commits = [...commitsOf(after).values()];
        expect(new Set(commits).size).toBe(commits.length);
        for (const [number, id] of commitsOf(theirs))
          if (ours.fates.get(number)?.alive !== false || id >= 200)
            expect(commitsOf(after).get(number)).toBe(id);
        for (const [number, id] of commitsOf(ours))
          if (id >= 100) expect(commits).toContain(id);
          else if (theirs.fates.get(number)?.alive === true) expect(commitsOf(after).get(number)).toBe(id);
        expect(after.next).toBeGreaterThanOrEqual(Math.max(theirs.next, ...after.fates.keys()));
      }),
    );
  });

  test('merge to what merging again leaves as it is', () => {
    fc.assert(
      fc.property(cases, ({ base, ours, theirs }) => {
        const once = merged(input(base, ours, theirs));
        expect(merged(input(base, ours, once))).toEqual(once);
        // And once it is common, neither side has anything to add.
        expect(merged(input(once, once, once))).toEqual(once);
      }),
    );
  });

  test('take what only one side changed as that side has it', () => {
    fc.assert(
      fc.property(cases, ({ base, ours }) => {
        expect(merged(input(base, ours, base))).toEqual(ours);
        expect(merged(input(base, base, ours))).toEqual(ours);
      }),
    );
  });
});
