/** Plays every transcript and the README; `UPDATE=1` writes down what came out instead. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { Player } from './player.ts';
import { fits, formatScript, parsePage, parseScript } from './transcript.ts';
import type { Part } from './transcript.ts';

const README = join(import.meta.dirname, '..', '..', 'README.md');
const scripts = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.art'));

async function check(path: string, parse: (text: string) => readonly Part[]): Promise<void> {
  const text = readFileSync(path, 'utf8');
  const parts = parse(text);
  // What is read is what is written: nothing is lost on the way.
  expect(formatScript(parts)).toBe(text);
  using player = new Player();
  const played = formatScript(await player.play(parts));
  if (process.env['UPDATE'] && played !== text) writeFileSync(path, played);
  else expect(played).toBe(text);
}

describe('the manual', () => {
  test.each(scripts)('%s', (file) => check(join(import.meta.dirname, file), parseScript));

  test('README.md', () => check(README, parsePage));

  test('has a page for every command', () => {
    const missing = [...COMMANDS.keys()].filter((name) => !scripts.includes(`${name}.art`));
    expect(missing).toEqual([]);
  });

  test('says a sentence before every block, and shows how each command fails', () => {
    for (const file of scripts) {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8');
      for (const block of text.split('\n\n')) expect(block, file).toMatch(/^# .+[.:]\n\$ /);
      const parts = parseScript(text);
      const statuses = parts.flatMap((part) => (part.kind === 'step' ? (part.expected.at(-1) ?? '') : []));
      expect(
        statuses.some((line) => /^\[exit [1-6]\]$/.test(line)),
        `${file} shows no failure`,
      ).toBe(true);
    }
  });
});

describe('a transcript', () => {
  test('holds any output: what looks like a command or a sentence stands behind a backslash', () => {
    const text =
      '# A sentence.\n$ printf "$ x\\n# y\\n\\nend\\n"\n\\$ x\n\\# y\n\\\nend\n\n# The next.\n$ true\n';
    const parts = parseScript(text);
    const steps = parts.flatMap((part) => (part.kind === 'step' ? [part.expected.length] : []));
    expect(steps).toEqual([4, 0]);
    expect(formatScript(parts)).toBe(text);
  });

  test('says with … what may differ', () => {
    expect(fits(['12 B on disk'], ['… on disk'])).toBe(true);
    expect(fits(['12 B on disks'], ['… on disk'])).toBe(false);
    expect(fits(['a', 'b', 'c'], ['a', '…', 'c'])).toBe(true);
    expect(fits(['a', 'b'], ['a'])).toBe(false);
    expect(fits(['(a+b)?'], ['(a+b)?'])).toBe(true);
  });
});
