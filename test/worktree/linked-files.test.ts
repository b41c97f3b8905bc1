import { linkSync, lstatSync, mkdtempSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
// By its path: only a checkout that is raced would show it.
import { LinkedFiles } from '../../src/worktree/linked-files.ts';
import type { PlanRow } from '../../src/worktree/plan-row.ts';

describe('names of one file', () => {
  let root = '';
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'art-linked-'))));
  afterEach(() => rmSync(root, { recursive: true }));
  const at = (name: string) => join(root, name);

  function linked(): (name: string) => PlanRow {
    writeFileSync(at('a'), 'text');
    linkSync(at('a'), at('b'));
    linkSync(at('a'), at('c'));
    const { size, mtimeMs, ctimeMs, ino } = lstatSync(at('a'));
    return (path) => ({ path, found: { size, mtimeMs, ctimeMs, ino }, linked: true }) as unknown as PlanRow;
  }

  test('stay what the plan found when one of them goes', () => {
    const row = linked();
    const files = new LinkedFiles();
    files.during(at('a'), row('a'), () => unlinkSync(at('a')));
    expect(files.isUnchanged(at('b'), row('b'))).toBe(true);
    expect(files.isUnchanged(at('a'), row('a'))).toBe(true);
    files.during(at('b'), row('b'), () => unlinkSync(at('b')));
    expect(files.isUnchanged(at('c'), row('c'))).toBe(true);
    expect(new LinkedFiles().isUnchanged(at('c'), row('c'))).toBe(false);
  });

  test('are told from what somebody edited meanwhile, times put back', () => {
    const row = linked();
    const files = new LinkedFiles();
    files.during(at('a'), row('a'), () => unlinkSync(at('a')));
    const { atime, mtime } = lstatSync(at('b'));
    while (lstatSync(at('b')).ctimeMs >= Date.now() - 20); // A clock of the kernel ticks in milliseconds.
    writeFileSync(at('b'), 'TEXT');
    utimesSync(at('b'), atime, mtime);
    expect(files.isUnchanged(at('c'), row('c'))).toBe(false);
  });
});
