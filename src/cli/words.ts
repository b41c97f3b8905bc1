/** Takes a command line apart into words and options, by the rules that all commands share. */
import { Parser } from 'yargs/helpers';
import { ArtError, suggest } from '#base';
import type { Option, Options, Values } from './command.ts';

/** What every command understands. */
export const COMMON_OPTIONS = {
  C: { kind: 'text', short: 'C', value: 'DIR', given: 'once', describe: 'Work as if started in DIR' },
  quiet: { kind: 'switch', short: 'q', describe: 'Say nothing but results, warnings and errors' },
  json: { kind: 'switch', describe: 'Write one JSON document' },
  help: { kind: 'switch', short: 'h', describe: 'Show this help' },
} as const satisfies Options;

export interface ParsedWords<O extends Options> {
  readonly words: readonly string[];
  readonly values: Values<O>;
}

type Value = string | number | boolean | string[];
type Usage = (message: string, hint?: string) => ArtError;

/**
 * Options may stand anywhere before `--`; unknown ones, missing values and a second time where one is meant raise USAGE
 * with the hint `help`. A value may begin with a dash, unless it reads exactly like an option of this command.
 */
export function parseWords<const O extends Options>(
  args: readonly string[],
  options: O,
  help: string,
): ParsedWords<O> {
  const usage: Usage = (message, hint = help) => new ArtError('USAGE', message, { hint });
  const joined = joinValues(args, options, usage);
  const takers = Object.keys(options).filter((name) => options[name].kind !== 'switch');
  const parsed = Parser(joined, {
    array: takers.map((key) => ({ key, string: true as const })),
    boolean: Object.keys(options).filter((name) => options[name].kind === 'switch'),
    alias: aliasesOf(options),
    string: ['_'],
    configuration: PARSING,
  });
  const {
    _: words,
    '--': behind = [],
    ...found
  } = parsed as { _: string[]; '--'?: string[] } & Record<string, unknown>;
  const values = emptyValues(options);
  for (const [name, given] of Object.entries(found)) {
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined)
      throw unknownOption(name.length === 1 ? `-${name}` : `--${name}`, options, usage);
    const times = Array.isArray(given) ? (given as (string | boolean)[]) : [given as string | boolean];
    const typed = typings(name, option, joined);
    const rawName = typed.at(-1) ?? `--${name}`;
    const again = option.kind === 'text' && option.given !== 'once';
    if (Math.max(times.length, typed.length) > 1 && !again) throw usage(`option ${rawName} is given twice`);
    for (const value of times) {
      if (option.kind === 'switch') values[name] = value === true;
      else if (option.kind === 'number') values[name] = wholeNumber(rawName, String(value), usage);
      else values[name] = added(option.given, values[name], String(value));
    }
  }
  return { words: [...words, ...behind].map(String), values: values as Values<O> };
}

/** yargs' defaults would let `-a best cifar data` swallow the words, and turn texts into numbers. */
const PARSING = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': true,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'short-option-groups': true,
  'strip-aliased': true,
} as const;

/**
 * Ties each value to its option (`-m`, `- fix` becomes `-m=- fix`): yargs takes a value that begins with a dash only so;
 * and takes groups like `-qh` apart.
 * Raises USAGE where a value is missing, or stands where none is taken.
 */
function joinValues(args: readonly string[], options: Options, usage: Usage): string[] {
  const byName = new Map(
    Object.entries(options).flatMap(([name, option]) =>
      optionNames(name, option).map((typed) => [typed, option] as const),
    ),
  );
  const joined: string[] = [];
  const waiting = [...args].reverse();
  for (let word = waiting.pop(); word !== undefined; word = waiting.pop()) {
    if (word === '--') return [...joined, '--', ...waiting.reverse()];
    const option = byName.get(word);
    const cut = word.indexOf('=');
    const named = cut > 0 ? byName.get(word.slice(0, cut)) : undefined;
    const attached = /^-[^-]./s.test(word) ? byName.get(word.slice(0, 2)) : undefined;
    // `-tag gold` would be the type `ag`, and `gold` a word: nobody means that.
    if (option === undefined && word.startsWith('-') && byName.has(`-${cut > 0 ? word.slice(0, cut) : word}`))
      throw usage(`unknown option ${word}`, `Did you mean -${word}?`);
    if (option !== undefined && option.kind !== 'switch') {
      const value = waiting.pop();
      if (value === undefined) throw usage(`option ${word} needs a value: ${option.value}`);
      if (isOption(value, options))
        throw usage(`option ${word} needs a value: ${option.value}; ${value} is an option`);
      joined.push(tied(word, value));
    } else if (option === undefined && named?.kind === 'switch') {
      throw usage(`option ${word.slice(0, cut)} takes no value`);
    } else if (
      option === undefined &&
      named === undefined &&
      attached !== undefined &&
      attached.kind !== 'switch'
    ) {
      joined.push(tied(word.slice(0, 2), word.slice(2)));
    } else if (option === undefined && attached?.kind === 'switch' && named === undefined) {
      joined.push(word.slice(0, 2));
      waiting.push(`-${word.slice(2)}`);
    } else if (word.startsWith('--') && option === undefined && named === undefined) {
      throw unknownOption(cut > 0 ? word.slice(0, cut) : word, options, usage);
    } else joined.push(named === undefined ? word : tied(word.slice(0, cut), word.slice(cut + 1)));
  }
  return joined;
}

/** yargs takes one pair of quotes off a value, so one that has its own gets a pair to lose. */
function tied(name: string, value: string): string {
  const quoted = /^["']/.test(value) && value.endsWith(value[0]);
  return quoted ? `${name}="${value}"` : `${name}=${value}`;
}

function aliasesOf(options: Options): Record<string, string[]> {
  const aliases: Record<string, string[]> = {};
  for (const [name, { short }] of Object.entries(options))
    if (short !== undefined && short !== name) aliases[name] = [short];
  return aliases;
}

/** How an option was typed each time, for messages. */
function typings(name: string, option: Option, args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const names = optionNames(name, option);
  return (end < 0 ? args : args.slice(0, end)).flatMap((word) =>
    names.filter((typed) => word === typed || word.startsWith(`${typed}=`)),
  );
}

function emptyValues(options: Options): Record<string, Value | undefined> {
  const values: Record<string, Value | undefined> = {};
  for (const [name, option] of Object.entries(options)) {
    values[name] =
      option.kind === 'switch' ? false : option.kind === 'text' && option.given === 'list' ? [] : undefined;
  }
  return values;
}

function added(given: 'once' | 'list' | 'paragraphs', before: Value | undefined, text: string): Value {
  if (given === 'list') return [...(before as string[]), text];
  return given === 'paragraphs' && before !== undefined ? `${before as string}\n\n${text}` : text;
}

function wholeNumber(rawName: string, text: string, usage: Usage): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw usage(`option ${rawName} needs a whole number, not ${JSON.stringify(text)}`);
}

function unknownOption(rawName: string, options: Options, usage: Usage): ArtError {
  const meant = suggest(
    rawName,
    namesOf(options).filter((name) => name.length > 2 || rawName.length > 2),
  );
  return usage(`unknown option ${rawName}`, meant === undefined ? undefined : `Did you mean ${meant}?`);
}

function isOption(text: string, options: Options): boolean {
  return text === '--' || namesOf(options).includes(text);
}

function namesOf(options: Options): string[] {
  return Object.entries(options).flatMap(([name, option]) => optionNames(name, option));
}

/** As it is typed: the short form first. A one-letter option has no long form. */
export function optionNames(name: string, { short }: Option): string[] {
  const names = short === undefined ? [] : [`-${short}`];
  return name === short ? names : [...names, `--${name}`];
}

/** The key of the option that is typed so, dashes included; undefined if there is none. */
export function optionKey(typed: string, options: Options): string | undefined {
  return Object.keys(options).find((name) => optionNames(name, options[name]).includes(typed));
}
