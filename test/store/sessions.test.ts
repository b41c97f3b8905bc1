import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { whoAmI } from '../../src/store/holder.ts';
import type { Holder } from '../../src/store/holder.ts';
import { Session, reapSessions, sparedPacks } from '../../src/store/sessions.ts';

let tmp: string;
beforeEach(() => {
  tmp = mkdtempSync(join(tmpdir(), 'art-sessions-'));
});
afterEach(() => rmSync(tmp, { recursive: true, force: true }));

const DEAD = 2 ** 22 + 1; // Above what Linux gives out.

/** What a process left that is no more, or that cannot be seen from here. */
function left(nonce: string, who: Partial<Holder>, packs: readonly number[]): void {
  writeFileSync(join(tmp, `session-${nonce}.json`), JSON.stringify({ ...whoAmI(nonce), ...who, packs }));
  writeFileSync(join(tmp, `${nonce}-0.pack`), 'half');
}

describe('a session', () => {
  test('spares what it has published until it ends', () => {
    const session = new Session(tmp);
    session.newPackPath();
    expect(sparedPacks(tmp)).toEqual(new Set());
    session.note(7);
    session.note(9);
    expect(sparedPacks(tmp)).toEqual(new Set([7, 9]));
    session.end();
    expect(sparedPacks(tmp)).toEqual(new Set());
    expect(readdirSync(tmp)).toEqual([]);
  });

  test('that publishes nothing leaves no trace', () => {
    new Session(tmp).end();
    expect(readdirSync(tmp)).toEqual([]);
  });

  test('gives each unfinished pack a name of its own, by which others know whose it is', () => {
    const [a, b] = [new Session(tmp), new Session(tmp)];
    const names = [a.newPackPath(), a.newPackPath(), b.newPackPath()].map((path) => basename(path));
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{16}-\d+\.pack$/);
    expect(existsSync(join(tmp, `session-${names[0].slice(0, 16)}.json`))).toBe(true);
  });

  test('clears away what the dead left when it begins, and nothing of the living', () => {
    left('aa', { pid: DEAD }, [3]);
    const living = new Session(tmp);
    writeFileSync(living.newPackPath(), 'going on');
    expect(existsSync(join(tmp, 'aa-0.pack'))).toBe(false);
    const before = readdirSync(tmp);
    const later = new Session(tmp);
    later.newPackPath();
    later.end();
    expect(readdirSync(tmp)).toEqual(before);
  });
});

describe('what other processes left', () => {
  test('counts no more if its process is gone', () => {
    left('aa', { pid: DEAD }, [3]);
    left('bb', { started: '1' }, [4]); // The number belongs to another process now.
    left('cc', { boot: 'an earlier one' }, [5]);
    expect(sparedPacks(tmp)).toEqual(new Set());
    expect(reapSessions(tmp)).toBe(3);
    expect(readdirSync(tmp)).toEqual([]);
  });

  test('stays if its process may live where we cannot see it', () => {
    left('aa', { pid: DEAD, host: 'elsewhere' }, [3]);
    left('bb', { pid: DEAD, pidNamespace: 'a container' }, [4]);
    expect(sparedPacks(tmp)).toEqual(new Set([3, 4]));
    expect(reapSessions(tmp)).toBe(0);
    expect(readdirSync(tmp)).toHaveLength(4);
  });

  test('and does not say whose it is stays a while, and what it names is spared', () => {
    for (const [name, text] of [
      ['session-aa.json', ''],
      ['session-bb.json', '{"packs":[1]}'],
      ['session-cc.json', 'null'],
      ['session-dd.json', JSON.stringify({ ...whoAmI('dd'), packs: 'all' })],
      ['other.json', '{}'],
    ])
      writeFileSync(join(tmp, name), text);
    expect(sparedPacks(tmp)).toEqual(new Set([1]));
    expect(reapSessions(tmp)).toBe(0);
    expect(readdirSync(tmp)).toHaveLength(5);
  });

  test('in a folder that is not there is nothing', () => {
    expect([sparedPacks(join(tmp, 'none')), reapSessions(join(tmp, 'none'))]).toEqual([new Set(), 0]);
  });
});
