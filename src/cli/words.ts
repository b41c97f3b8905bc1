/** Takes a command line apart into words and options, by the rules that all commands share. */
import { parseArgs } from 'node:util';
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
  // Not strict: its own messages name no option that might have been meant, and it refuses values like "- fix".
  const { tokens } = parseArgs({
    args: [...args],
    options: forNode(options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const values = emptyValues(options);
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined || rawName === `--${option.short}`) throw unknownOption(rawName, options, usage);
    const again = option.kind === 'text' && option.given !== 'once';
    if (seen.has(name) && !again) throw usage(`option ${rawName} is given twice`);
    seen.add(name);
    if (option.kind === 'switch') {
      if (value !== undefined) throw usage(`option ${rawName} takes no value`);
      values[name] = true;
      continue;
    }
    if (value === undefined) throw usage(`option ${rawName} needs a value: ${option.value}`);
    if (!token.inlineValue && isOption(value, options)) {
      throw usage(`option ${rawName} needs a value: ${option.value}; ${value} is an option`);
    }
    values[name] =
      option.kind === 'number'
        ? wholeNumber(rawName, value, usage)
        : added(option.given, values[name], value);
  }
  return { words, values: values as Values<O> };
}

function forNode(options: Options): NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']> {
  const kinds = Object.entries(options).map(([name, { kind, short }]) => {
    const type = kind === 'switch' ? ('boolean' as const) : ('string' as const);
    return [name, { type, multiple: true, ...(short !== undefined && { short }) }] as const;
  });
  return Object.fromEntries(kinds);
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
  const meant = rawName.startsWith('--') ? suggest(rawName, namesOf(options)) : undefined;
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
