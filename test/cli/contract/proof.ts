/** Proves rows of the contract: runs their lines, for people and with `--json`, with options in every place. */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command, Options } from '../../../src/cli/command.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { fittingForms, parseForm, wordAt } from '../../../src/cli/form.ts';
import { COMMON_OPTIONS, optionKey, parseWords } from '../../../src/cli/words.ts';
import { art } from '../host.ts';
import type { Contract, CommandContract, Run } from './contract.ts';
import { EXITS } from './exits.ts';
import { ContractScene, wordsOf } from './scene.ts';
import { mismatches, nullable } from './shape.ts';
import type { Seen, Shape } from './shape.ts';

const ERROR: Shape = {
  keys: { error: { keys: { code: 'text', message: 'text', hint: 'text', exit: 'count' } } },
};

export function prove(contract: Contract): void {
  const commands = new Map<string, Command>();
  let scene: ContractScene;

  beforeAll(async () => {
    for (const name of Object.keys(contract)) commands.set(name, await COMMANDS.get(name)!.load());
    scene = await ContractScene.make();
  });

  afterAll(() => scene[Symbol.dispose]());

  describe.each(Object.entries(contract))('art %s', (name, row) => {
    const seen: Seen = new Map();

    test.each(row.runs.map((run) => [run.line, run] as const))('art %s', async (_, run) => {
      if (run.only !== 'json') await forPeople(scene, run, row);
      if (run.only !== 'people' && row.json !== null)
        await asDocument(scene, run, row, { seen, command: commands.get(name)! });
    });

    test('every form and option is run, and every place that may be null is seen both ways', () => {
      const command = commands.get(name)!;
      const { options, forms } = ranBy(command, row);
      expect([...options].sort()).toEqual(Object.keys(command.options).sort());
      expect(command.usage.filter((usage) => !forms.has(formKey(usage, command)))).toEqual([]);
      if (row.json === null) return;
      const onlyOne = nullable(row.json).filter((place) => seen.get(place)?.size !== 2);
      expect(onlyOne.sort()).toEqual(Object.keys(row.unseen ?? {}).sort());
    });

    if (row.json !== null) return;
    test('has no --json, and says so in JSON', async () => {
      const [line] = row.runs.map(({ line }) => line);
      const { status, out } = await art([...wordsOf(line), '--json'], { cwd: tmpdir() });
      expect(status).toBe(EXITS.USAGE);
      expect(mismatches(JSON.parse(out), ERROR)).toEqual([]);
    });
  });
}

function exitOf({ error, exit = 0 }: Run): number {
  return error === undefined ? exit : EXITS[error];
}

async function forPeople(scene: ContractScene, run: Run, { reads }: CommandContract): Promise<void> {
  await prepare(scene, run, { reads });
  const { status, out, err } = await scene.art(wordsOf(run.line), run);
  expect(status, err).toBe(exitOf(run));
  if (run.error !== undefined)
    expect({ out, err }).toEqual({ out: '', err: expect.stringContaining(`[${run.error}]`) });
  if (typeof run.says === 'string') expect(out + err).toContain(run.says);
  else if (run.says !== undefined) expect(out + err).toMatch(run.says);
}

async function asDocument(
  scene: ContractScene,
  run: Run,
  { json, reads }: CommandContract,
  { seen, command }: { readonly seen: Seen; readonly command: Command },
): Promise<void> {
  const exit = exitOf(run);
  let first: unknown;
  for (const line of run.error === undefined ? ordersOf(run, command) : [[...wordsOf(run.line), '--json']]) {
    await prepare(scene, run, { reads });
    const { status, out, err } = await scene.art(line, run);
    expect(status, err).toBe(exit);
    const document: unknown = JSON.parse(out);
    first ??= document;
    expect(document).toEqual(first);
    // Warnings are for people; a failure says all in its document.
    if (run.error !== undefined) expect(err).toBe('');
  }
  if (run.error === undefined)
    expect(mismatches(first, run.json ?? json!, run.json === undefined ? seen : undefined)).toEqual([]);
  else {
    expect(mismatches(first, ERROR)).toEqual([]);
    expect(first).toMatchObject({ error: { code: run.error, exit } });
  }
}

/** The line with its options before the command, before, between and after its words. */
function ordersOf(run: Run, { options }: Command): readonly (readonly string[])[] {
  const [command, ...args] = wordsOf(run.line);
  const known: Options = { ...options, ...COMMON_OPTIONS };
  const given: string[] = [];
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const key = optionKey(args[i], known);
    if (key === undefined) words.push(args[i]);
    else given.push(args[i], ...(known[key].kind === 'switch' ? [] : [args[++i]]));
  }
  const last = [command, ...words, ...given, '--json'];
  // One place is as good as another for `--json` alone; `words.test.ts` tries it for each option.
  if (given.length === 0) return [last];
  const [first, ...others] = words;
  const between = others.length === 0 ? [] : [[command, first, ...given, '--json', ...others]];
  const before = words.length === 0 ? [] : [[command, '--json', ...given, ...words]];
  return [['--json', ...given, command, ...words], ...before, ...between, last];
}

/** Puts the scene back if it may have changed, and does what comes before the line. */
async function prepare(
  scene: ContractScene,
  { after = [], error }: Run,
  { reads = false }: { readonly reads?: boolean | undefined },
): Promise<void> {
  scene.reset();
  for (const line of after) expect(await scene.run(line), line).toMatchObject({ status: 0 });
  // What only reads, or fails, leaves the scene as it was.
  if (after.length > 0 || !(reads || error !== undefined)) scene.spoilt();
}

function ranBy(command: Command, { runs }: CommandContract) {
  const options = new Set<string>();
  const forms = new Set<string>();
  for (const { line } of runs.filter(({ error }) => error === undefined)) {
    const [, ...args] = wordsOf(line);
    const { words, values } = parseWords(args, { ...command.options, ...COMMON_OPTIONS } as Options, '');
    const given = new Set(Object.keys(command.options).filter((key) => isGiven(values[key])));
    for (const key of given) options.add(key);
    for (const form of fittingForms(command, words, given)) {
      const needed = form.words.filter(({ optional }) => !optional).length;
      const whole =
        words.length >= needed && (words.length === 0 || wordAt(form, words.length - 1) !== undefined);
      if (whole) forms.add(JSON.stringify(form));
    }
  }
  return { options, forms };
}

function formKey(usage: string, { options }: Command): string {
  return JSON.stringify(parseForm(usage, options));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}
