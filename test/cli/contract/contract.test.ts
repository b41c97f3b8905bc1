/** Checks the contract against the commands themselves, and against what is written about them. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ERRORS } from '#base';
import type { Command } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { parseForm } from '../../../src/cli/form.ts';
import { COMMON_OPTIONS, optionKey } from '../../../src/cli/words.ts';
import { art } from '../host.ts';
import { EXITS, REASONS } from './exits.ts';
import { optionText } from './option-text.ts';
import { CONTRACT } from './table.ts';

const README = readFileSync(join(import.meta.dirname, '..', '..', '..', 'README.md'), 'utf8');
const names = Object.keys(CONTRACT);

const commands = new Map<string, Command>();

beforeAll(async () => {
  for (const [name, { load }] of COMMANDS) commands.set(name, await load());
});

describe('the definitions', () => {
  test('there is a row for every command, and none for another', () => {
    expect([...names].sort()).toEqual([...COMMANDS.keys()].sort());
  });

  test.each(names)('%s has the forms and options of its row', (name) => {
    const { usage, options, words } = commands.get(name)!;
    const { forms, options: promised } = CONTRACT[name];
    expect(usage).toEqual(forms);
    expect(Object.entries(options).map(optionText).sort()).toEqual([...promised].sort());
    const parsed = usage.map((form) => parseForm(form, options));
    for (const form of parsed)
      for (const { key } of form.options) expect(options, `${name}: ${key} in its usage`).toHaveProperty(key);
    if (!parsed.some(({ open }) => open)) {
      const named = new Set(parsed.flatMap((form) => form.options.map(({ key }) => key)));
      expect([...named].sort()).toEqual(Object.keys(options).sort());
    }
    const fewest = Math.min(...parsed.map((form) => form.words.filter(({ optional }) => !optional).length));
    const most = Math.max(
      ...parsed.map((form) => (form.words.at(-1)?.repeated ? Infinity : form.words.length)),
    );
    expect(words[0]).toBeLessThanOrEqual(fewest);
    expect(words[1]).toBe(most);
  });
});

describe('the documentation', () => {
  test.each(names)('art %s --help says every form and every option of the row', async (name) => {
    const { out } = await art([name, '--help'], { cwd: tmpdir() });
    for (const form of CONTRACT[name].forms) expect(out).toContain(`art ${form}`);
    const section = out.split('\nOptions\n')[1].split('\n\n')[0].split('\n');
    const said = section.map((line) => line.trim().split(/ {2,}/)[0]).sort();
    const common = Object.entries(COMMON_OPTIONS).map(optionText);
    const own = CONTRACT[name].options.map((option) => option.replace('...', ''));
    expect(said).toEqual([...own, ...common].sort());
  });

  test("the README's table of commands has every command, and no other", () => {
    const table = README.split('\n## Commands\n')[1].split('\n## ')[0];
    const rows = table.split('\n').filter((line) => line.startsWith('| `art '));
    const said = rows.flatMap((row) =>
      [...row.split(' | ')[0].matchAll(/`art (\w+)/g)].map(([, name]) => name),
    );
    expect([...new Set(said)].sort()).toEqual([...names].sort());
    // Options stand beside the command they belong to.
    for (const row of rows) {
      const [, name] = /`art (\w+)/.exec(row)!;
      const { options } = commands.get(name)!;
      for (const [typed] of row.matchAll(/(?<=[`\s])--?[a-z][a-z-]*/g))
        expect(optionKey(typed, options), `${typed} of art ${name}`).toBeDefined();
    }
  });

  test('the README and the hints name only commands and options that there are', () => {
    const texts = [README, ...Object.values(ERRORS).map((kind) => ('hint' in kind ? kind.hint : ''))];
    for (const text of texts) {
      for (const [line, name] of text.matchAll(/`art ([a-z]+)[^`]*`/g)) {
        expect(names, line).toContain(name);
        for (const [typed] of line.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
          const { options } = commands.get(name)!;
          expect(optionKey(typed, { ...options, ...COMMON_OPTIONS }), line).toBeDefined();
        }
      }
    }
  });

  test('the README says the exit statuses that errors have', () => {
    const said = /Exit status: ([^]*?)\./.exec(README)![1].replaceAll('\n', ' ');
    expect(said.split(', ')).toEqual(Object.entries(REASONS).map(([exit, why]) => `${exit} ${why}`));
    const unused = Object.keys(REASONS).filter(
      (exit) => !Object.values<number>(EXITS).includes(Number(exit)),
    );
    expect(unused).toEqual(['0']);
  });
});

test('every error ends with the status that is promised for it', () => {
  const found = Object.entries(ERRORS).map(([code, { exit }]) => [code, exit]);
  expect(Object.fromEntries(found)).toEqual(EXITS);
});
