/** Takes a command line apart into words and options, by the rules that all commands share. */
import { Parser } from 'yargs/helpers';
import { ArtError, suggest } from '#base';
import type { Option, Options, TextOption, Values } from './command.ts';

/** What is no word: `-` is one, and so is a number below zero. */
const OPTION = /^-[^\d.]/;

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

type Value = string | number | boolean | readonly string[];
type Usage = (message: string, hint?: string) => ArtError;

/**
 * Options may stand anywhere before `--`; unknown ones, missing values and a second time where one is meant raise USAGE
 * with the hint `help`. A value may begin with a dash, unless it reads exactly like an option of this command. An empty
 * one, as a script gives whose variable is not set, is refused where it means nothing.
 */
export function parseWords<const O extends Options>(
  args: readonly string[],
  options: O,
  help: string,
): ParsedWords<O> {
  const usage: Usage = (message, hint = help) => new ArtError('USAGE', message, { hint });
  const { given, switches, words } = takeValues(args, options, usage);
  const values: Record<string, Value | undefined> = { ...emptyValues(options) };
  for (const name of switchesOn(switches, options, usage)) values[name] = true;
  const seen = new Set<string>();
  for (const { name, typed, text } of given) {
    const option = options[name];
    const again = option.kind === 'text' && option.given !== 'once';
    if (seen.has(name) && !again) throw usage(`option ${typed} is given twice`);
    seen.add(name);
    if (option.kind === 'number') values[name] = wholeNumber(typed, text, usage);
    else if (option.kind === 'text') values[name] = added(option, values[name], { typed, text }, usage);
  }
  return { words, values: values as Values<O> };
}

/** A value as it was given: whose, by which of the option's names, and which. */
interface Given {
  readonly name: string;
  readonly typed: string;
  readonly text: string;
}

interface Taken {
  readonly given: readonly Given[];
  /** What is left that begins with a dash. */
  readonly switches: readonly string[];
  readonly words: readonly string[];
}

/**
 * Takes the words apart: values with the options they belong to (`-m fix`, `-mfix`, `--message=fix`), switches, words.
 * Groups like `-qa best` come apart. Raises USAGE where a value is missing, or stands where none is taken.
 */
function takeValues(args: readonly string[], options: Options, usage: Usage): Taken {
  const given: Given[] = [];
  const switches: string[] = [];
  const words: string[] = [];
  const waiting = [...args].reverse();
  for (let word = waiting.pop(); word !== undefined && word !== '--'; word = waiting.pop()) {
    if (!OPTION.test(word)) {
      words.push(word);
      continue;
    }
    const found = foundIn(word, options, usage);
    if (found === undefined) switches.push(word);
    else if (found.option.kind !== 'switch') {
      const { name, option, typed, text = found.rest } = found;
      given.push({
        name,
        typed,
        text: text ?? valueBehind(typed, option.value, waiting.pop(), options, usage),
      });
    } else {
      if (found.text !== undefined) throw usage(`option ${found.typed} takes no value`);
      switches.push(found.typed);
      if (found.rest !== undefined) waiting.push(`-${found.rest}`);
    }
  }
  return { given, switches, words: [...words, ...waiting.reverse()] };
}

/** An option in a word, with what stands behind `=` and behind its letter. */
interface Found {
  readonly name: string;
  readonly option: Option;
  readonly typed: string;
  readonly text?: string;
  readonly rest?: string;
}

/** Undefined for a letter that no option has: yargs finds out which. Raises USAGE for an unknown word. */
function foundIn(word: string, options: Options, usage: Usage): Found | undefined {
  const find = (typed: string) => {
    const name = optionKey(typed, options);
    return name === undefined ? undefined : { name, option: options[name], typed };
  };
  const cut = word.indexOf('=');
  const start = cut > 0 ? word.slice(0, cut) : word;
  const whole = find(word);
  if (whole !== undefined) return whole;
  const named = find(start);
  if (named !== undefined) return { ...named, text: word.slice(cut + 1) };
  // `-tag gold` would be the type `ag`, and `gold` a word: nobody means that.
  if (find(`-${start}`) !== undefined) throw usage(`unknown option ${word}`, `Did you mean -${word}?`);
  if (word.startsWith('--')) throw unknownOption(start, options, usage);
  const letter = find(word.slice(0, 2));
  return letter && { ...letter, rest: word.slice(2) };
}

function valueBehind(
  typed: string,
  value: string,
  text: string | undefined,
  options: Options,
  usage: Usage,
): string {
  if (text === undefined) throw usage(`option ${typed} needs a value: ${value}`);
  if (isOption(text, options)) throw usage(`option ${typed} needs a value: ${value}; ${text} is an option`);
  return text;
}

/** The keys of the switches that are on. They stand alone: yargs would take a word `true` behind one for its value. */
function switchesOn(typed: readonly string[], options: Options, usage: Usage): string[] {
  const known = Object.keys(options).filter((name) => options[name].kind === 'switch');
  const { _: __, ...found } = Parser([...typed], {
    boolean: known,
    alias: aliasesOf(options),
    configuration: PARSING,
  }) as { readonly _: unknown } & Record<string, unknown>;
  for (const name of Object.keys(found)) {
    if (!known.includes(name))
      throw unknownOption(name.length === 1 ? `-${name}` : `--${name}`, options, usage);
    const names = optionNames(name, options[name]);
    const times = typed.filter((word) => names.includes(word));
    if (times.length > 1) throw usage(`option ${times.at(-1)} is given twice`);
  }
  return Object.keys(found);
}

/** Only what is typed counts: `--no-bind` is an option of its own, and a dot in an unknown one means nothing. */
const PARSING = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'short-option-groups': true,
  'strip-aliased': true,
} as const;

function aliasesOf(options: Options): Record<string, string[]> {
  const aliases: Record<string, string[]> = {};
  for (const [name, { short }] of Object.entries(options))
    if (short !== undefined && short !== name) aliases[name] = [short];
  return aliases;
}

function emptyValues(options: Options): Record<string, Value | undefined> {
  const values: Record<string, Value | undefined> = {};
  for (const [name, option] of Object.entries(options)) {
    values[name] =
      option.kind === 'switch' ? false : option.kind === 'text' && option.given === 'list' ? [] : undefined;
  }
  return values;
}

function added(
  { given, value, mayBeEmpty }: TextOption,
  before: Value | undefined,
  { typed, text }: Pick<Given, 'typed' | 'text'>,
  usage: Usage,
): Value {
  if (text === '' && mayBeEmpty !== true) throw usage(`option ${typed} needs a value: ${value}; it is empty`);
  if (given === 'list') return [...(before as readonly string[]), text];
  return given === 'paragraphs' && before ? `${before as string}\n\n${text}` : text;
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
