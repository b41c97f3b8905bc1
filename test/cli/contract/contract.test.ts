/** Checks the contract against the commands themselves, and against what is written about them. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ERRORS } from '#base';
import type { ErrorCode } from '#base';
import type { Command } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { parseForm } from '../../../src/cli/form.ts';
import { COMMON_OPTIONS, optionKey } from '../../../src/cli/words.ts';
import { art } from '../host.ts';
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
    const said = /Exit status: ([^]*?)\./.exec(README)![1].matchAll(/(\d+) [a-z]/g);
    const statuses = new Set([0, ...Object.values(ERRORS).map(({ exit }) => exit)]);
    expect([...said].map(([, status]) => Number(status)).sort((a, b) => a - b)).toEqual(
      [...statuses].sort((a, b) => a - b),
    );
  });
});

/** Exit statuses are an API: a code that is here keeps its own. */
const EXITS = {
  1: 'DISK_FULL FILE_CHANGED FILE_UNREADABLE FILE_UNSUPPORTED FOLDER_UNWRITABLE IO_FAILED PATH_INVALID_UTF8 REPOSITORY_NESTED REPOSITORY_TOO_NEW',
  2: 'USAGE NAME_INVALID METADATA_INVALID SPEC_INVALID HASH_AMBIGUOUS CONFIG_INVALID NOTHING_BOUND',
  3: 'REPOSITORY_NOT_FOUND ARTIFACT_NOT_FOUND VERSION_NOT_FOUND ALIAS_NOT_FOUND ENTRY_NOT_FOUND PATH_NOT_FOUND BINDING_NOT_FOUND OBJECT_NOT_FOUND CONFIG_NOT_FOUND',
  4: 'OBJECT_CORRUPT OBJECT_INVALID PACK_CORRUPT STORE_DAMAGED TREE_UNSAFE',
  5: 'UNCOMMITTED_CHANGES TYPE_MISMATCH NAME_TAKEN BINDING_CONFLICT BOUND_PATH_GONE REF_MOVED REUSED_GONE',
  6: 'LOCKED',
  130: 'INTERRUPTED',
} as const;

test.each(Object.entries(EXITS))('errors that end with %s keep ending so', (exit, codes) => {
  for (const code of codes.split(' ')) expect(ERRORS[code as ErrorCode].exit, code).toBe(Number(exit));
});
