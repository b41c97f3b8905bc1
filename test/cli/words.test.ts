/** Checks the rules by which command lines are read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Option, Options } from '../../src/cli/command.ts';
import { COMMANDS, SOMETIMES_VALUE_OPTIONS, VALUE_OPTIONS, commandIndex } from '../../src/cli/commands.ts';
import { COMMON_OPTIONS, optionNames, parseWords } from '../../src/cli/words.ts';

const OPTIONS = {
  ...COMMON_OPTIONS,
  alias: { kind: 'text', short: 'a', value: 'ALIAS', given: 'list', describe: '' },
  message: { kind: 'text', short: 'm', value: 'TEXT', given: 'paragraphs', mayBeEmpty: true, describe: '' },
  type: { kind: 'text', short: 't', value: 'TYPE', given: 'once', describe: '' },
  limit: { kind: 'number', value: 'N', describe: '' },
  l: { kind: 'switch', short: 'l', describe: '' },
} as const satisfies Options;

const parse = (...args: string[]) => parseWords(args, OPTIONS, 'See help.');

describe('one command line', () => {
  test('an option takes one value and leaves the words after it alone', () => {
    const { words, values } = parse('-a', 'best', 'cifar', './data', '-a', 'prod');
    expect(words).toEqual(['cifar', './data']);
    expect(values.alias).toEqual(['best', 'prod']);
  });

  test('what is not given is false, empty or undefined', () => {
    const { values } = parse();
    expect(values).toEqual({
      C: undefined,
      quiet: false,
      json: false,
      help: false,
      alias: [],
      message: undefined,
      type: undefined,
      limit: undefined,
      l: false,
    });
  });

  test('texts of -m become paragraphs', () => {
    expect(parse('-m', 'one', '--message=two').values.message).toBe('one\n\ntwo');
  });

  test('an empty text is one, wherever it stands', () => {
    for (const args of [['-m', ''], ['--message', ''], ['--message='], ['-m', '', '-q'], ['-qm', '']])
      expect(parse('d', ...args).values.message).toBe('');
    expect(parse('d', '', '-q').words).toEqual(['d', '']);
    expect(parse('-m', '', '-m', 'two').values.message).toBe('two');
  });

  test('a word that reads like the value of a switch stays a word', () => {
    expect(parse('--json', 'true')).toMatchObject({ words: ['true'], values: { json: true } });
    expect(parse('-q', 'false')).toMatchObject({ words: ['false'], values: { quiet: true } });
  });

  test('values stay text, however much they look like numbers or keys', () => {
    expect(parse('-t', '007', '-m', '1e3', '-a', 'a.b').values).toMatchObject({
      type: '007',
      message: '1e3',
      alias: ['a.b'],
    });
    expect(parse('010', '1.0').words).toEqual(['010', '1.0']);
  });

  test('a value may begin with a dash', () => {
    expect(parse('-m', '- first').values.message).toBe('- first');
    expect(parse('--message=--json').values).toMatchObject({ message: '--json', json: false });
  });

  test('a dash alone and a number below zero are words', () => {
    expect(parse('-', '-5', '-0.5').words).toEqual(['-', '-5', '-0.5']);
  });

  test('-- ends options', () => {
    expect(parse('a', '--', '-m', '--json')).toMatchObject({
      words: ['a', '-m', '--json'],
      values: { json: false },
    });
  });

  test('short options may stand together', () => {
    expect(parse('-lq').values).toMatchObject({ l: true, quiet: true });
    expect(parse('-qabest').values).toMatchObject({ alias: ['best'], quiet: true });
  });

  test.each([
    [['--limmit', '1'], 'unknown option --limmit', 'Did you mean --limit?'],
    [['-x'], 'unknown option -x', 'See help.'],
    [['--l'], 'unknown option --l', 'Did you mean -l?'],
    [['-limit', '3'], 'unknown option -limit', 'Did you mean --limit?'],
    [['-alias', 'best'], 'unknown option -alias', 'Did you mean --alias?'],
    [['--__proto__'], 'unknown option --__proto__', 'See help.'],
    [['--limit'], 'option --limit needs a value: N', 'See help.'],
    [['--limit', 'ten'], 'option --limit needs a whole number, not "ten"', 'See help.'],
    [['--limit', '-1'], 'option --limit needs a whole number, not "-1"', 'See help.'],
    [['--limit', '1', '--limit', '1'], 'option --limit is given twice', 'See help.'],
    [['-t', 'a', '--type', 'a'], 'option --type is given twice', 'See help.'],
    [['--json', '--json'], 'option --json is given twice', 'See help.'],
    [['--json=1'], 'option --json takes no value', 'See help.'],
    [['-m', '--json'], 'option -m needs a value: TEXT; --json is an option', 'See help.'],
    [['--type', ''], 'option --type needs a value: TYPE; it is empty', 'See help.'],
    [['-t', ''], 'option -t needs a value: TYPE; it is empty', 'See help.'],
    [['--type='], 'option --type needs a value: TYPE; it is empty', 'See help.'],
    [['-a', '', 'd'], 'option -a needs a value: ALIAS; it is empty', 'See help.'],
    [['-C', ''], 'option -C needs a value: DIR; it is empty', 'See help.'],
    [['--limit', ''], 'option --limit needs a whole number, not ""', 'See help.'],
    [['-xq'], 'unknown option -x', 'See help.'],
  ])('%j is refused', (args, message, hint) => {
    let raised: unknown;
    try {
      parse(...args);
    } catch (error) {
      raised = error;
    }
    expect(raised).toMatchObject({ code: 'USAGE', exit: 2, message, hint });
  });

  test.each(['""', '"', `'all'`, '"best" of "two"', '"'.repeat(4)])(
    'a value keeps its quotes: %s',
    (value) => {
      for (const args of [[`-m${value}`], ['-m', value], [`--message=${value}`], ['--message', value]])
        expect(parse(...args).values.message).toBe(value);
    },
  );

  test('any text survives as a value after =, and as a word after --', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (value, words) => {
        const parsed = parse(`--message=${value}`, '--', ...words);
        expect(parsed.values.message).toBe(value);
        expect(parsed.words).toEqual(words);
      }),
    );
  });
});

describe('every command', () => {
  test('reads its options before, between and after its words alike', async () => {
    for (const [, { load }] of COMMANDS) {
      const { options } = await load();
      for (const [name, option] of Object.entries({ ...options, ...COMMON_OPTIONS })) {
        for (const typed of optionNames(name, option)) {
          const given = option.kind === 'switch' ? [typed] : [typed, '7'];
          const all = { ...options, ...COMMON_OPTIONS };
          const lines = [
            [...given, 'one', 'two'],
            ['one', ...given, 'two'],
            ['one', 'two', ...given],
          ];
          const read = lines.map((args) => parseWords(args, all, ''));
          for (const { words, values } of read) {
            expect(words).toEqual(['one', 'two']);
            expect(values).toEqual(read[0].values);
            expect((values as Record<string, unknown>)[name]).toEqual(valueOf(option));
          }
        }
      }
    }
  });

  test('is found behind options and their values', () => {
    expect(commandIndex(['-C', 'log', 'commit'])).toBe(2);
    expect(commandIndex(['-q', '--json', 'log'])).toBe(2);
    expect(commandIndex(['-m', 'text', 'commit', 'x'])).toBe(2);
    expect(commandIndex(['--limit=3', 'log'])).toBe(1);
    expect(commandIndex(['--remove', 'train/', 'commit', 'x'])).toBe(2);
    expect(commandIndex(['--remove', 'alias', 'd:best'])).toBe(1);
    expect(commandIndex(['--remove'])).toBe(-1);
    expect(commandIndex(['--', 'log'])).toBe(-1);
    expect(commandIndex(['--help'])).toBe(-1);
  });

  test('has its value options in the list that finds it', async () => {
    const taking = new Set<string>();
    const switches = new Set<string>();
    for (const [, { load }] of COMMANDS) {
      for (const [name, option] of Object.entries({
        ...(await load()).options,
        ...COMMON_OPTIONS,
      } as Options)) {
        for (const typed of optionNames(name, option)) {
          if (option.kind !== 'switch') taking.add(typed);
          else switches.add(typed);
        }
      }
    }
    expect([...SOMETIMES_VALUE_OPTIONS]).toEqual([...taking].filter((typed) => switches.has(typed)));
    expect([...VALUE_OPTIONS].sort()).toEqual([...taking].filter((typed) => !switches.has(typed)).sort());
  });
});

function valueOf(option: Option): unknown {
  if (option.kind === 'switch') return true;
  if (option.kind === 'number') return 7;
  return option.given === 'list' ? ['7'] : '7';
}
