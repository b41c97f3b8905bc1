/** Reads a command line that is not finished yet, and finds out what may come next. Forgives what is wrong in it. */
import type { Command, Options } from './command.ts';
import { COMMANDS, commandIndex } from './commands.ts';
import { fittingForms, isLiteral, possibleForms, wordsAt } from './form.ts';
import { COMMON_OPTIONS, optionKey } from './words.ts';

/** Something that a person is about to type. */
export type Expected =
  | { readonly kind: 'command' }
  /** One of `options`, each with what it says of itself. */
  | { readonly kind: 'option'; readonly options: Options }
  /** A word as the usage calls it (`SPEC`), or the value of `option`, which calls it so. */
  | { readonly kind: 'word'; readonly what: string; readonly option?: string };

export interface TypedLine {
  readonly command: string;
  /** The command's words before the one that is being typed. */
  readonly words: readonly string[];
  /** The last value of each option that has one, by its key. */
  readonly values: ReadonlyMap<string, string>;
  /** The value of `-C`. */
  readonly folder: string | undefined;
  /** What is being typed, up to the cursor. */
  readonly current: string;
  /** What stands before it in the same word: `--option=`. */
  readonly prefix: string;
  readonly expected: readonly Expected[];
}

/** What art understands without a command. */
const ALONE_OPTIONS: Options = { version: { kind: 'switch', describe: 'Show the version' } };

/** `typed` are the words after `art`, the last of them up to the cursor. */
export async function readTypedLine(typed: readonly string[]): Promise<TypedLine> {
  const before = typed.slice(0, -1);
  const last = typed.at(-1) ?? '';
  const at = commandIndex(before);
  const name = at < 0 ? '' : before[at];
  const command = await COMMANDS.get(name)?.load();
  const options: Options = { ...command?.options, ...COMMON_OPTIONS };
  const read = readArguments(
    before.filter((_, i) => i !== at),
    options,
  );
  const cut = read.ended || read.waiting !== undefined || !last.startsWith('--') ? -1 : last.indexOf('=');
  const valued = read.waiting ?? (cut < 0 ? undefined : last.slice(0, cut));
  const line = {
    command: name,
    words: read.words,
    values: read.values,
    folder: read.values.get('C'),
    current: last.slice(cut + 1),
    prefix: last.slice(0, cut + 1),
  };
  if (valued !== undefined) return { ...line, expected: valueOf(valued, options) };
  if (!read.ended && last.startsWith('-')) {
    const fitting = command === undefined ? { ...options, ...ALONE_OPTIONS } : optionsInForms(command, read);
    return { ...line, expected: [{ kind: 'option', options: notGiven(fitting, read.given) }] };
  }
  if (name === '' || (name === 'help' && read.words.length === 0))
    return { ...line, expected: read.ended ? [] : [{ kind: 'command' }] };
  if (command === undefined) return { ...line, expected: [] };
  const words = wordsNext(command, read);
  if (words.length > 0 || last !== '' || read.ended) return { ...line, expected: words };
  // Nothing else fits: then what else can be said.
  return {
    ...line,
    expected: [{ kind: 'option', options: notGiven(optionsInForms(command, read), read.given) }],
  };
}

interface Arguments {
  readonly words: readonly string[];
  /** The keys of the options given. */
  readonly given: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  /** The option, as typed, whose value comes next. */
  readonly waiting: string | undefined;
  /** Whether `--` ended the options. */
  readonly ended: boolean;
}

function readArguments(args: readonly string[], options: Options): Arguments {
  const words: string[] = [];
  const given = new Set<string>();
  const values = new Map<string, string>();
  let waiting: string | undefined;
  for (const [i, word] of args.entries()) {
    if (waiting !== undefined) {
      values.set(optionKey(waiting, options)!, word);
      waiting = undefined;
    } else if (word === '--')
      return { words: [...words, ...args.slice(i + 1)], given, values, waiting, ended: true };
    else if (word.startsWith('-') && word !== '-') {
      // `--type=model`, `-tmodel`, or the value is the next word.
      const end = word.startsWith('--') ? `${word}=`.indexOf('=') : 2;
      const key = optionKey(word.slice(0, end), options);
      if (key === undefined) continue;
      given.add(key);
      if (options[key].kind === 'switch') continue;
      if (end < word.length) values.set(key, word.slice(word[end] === '=' ? end + 1 : end));
      else waiting = word;
    } else words.push(word);
  }
  return { words, given, values, waiting, ended: false };
}

function valueOf(typed: string, options: Options): readonly Expected[] {
  const key = optionKey(typed, options);
  const option = key === undefined ? undefined : options[key];
  if (key === undefined || option === undefined || option.kind === 'switch') return [];
  return [{ kind: 'word', what: option.value, option: key }];
}

function notGiven(options: Options, given: ReadonlySet<string>): Options {
  const left = Object.entries(options).filter(([name, option]) => {
    const again = option.kind === 'text' && option.given !== 'once';
    return again || !given.has(name);
  });
  return Object.fromEntries(left);
}

function ownOptions({ options }: Command, { given }: Arguments): ReadonlySet<string> {
  return new Set([...given].filter((key) => Object.hasOwn(options, key)));
}

/** What may stand as the next word, in each of the forms that fit. */
function wordsNext(command: Command, read: Arguments): readonly Expected[] {
  const forms = fittingForms(command, read.words, ownOptions(command, read));
  const next = forms.flatMap((form) => wordsAt(form, read.words.length));
  const whats = new Set(next.flatMap((word) => (isLiteral(word) ? word.what.split('|') : word.what)));
  return [...whats].map((what) => ({ kind: 'word', what }));
}

/** The options of the forms that are possible, and those that all commands share. */
function optionsInForms(command: Command, read: Arguments): Options {
  const forms = possibleForms(command, read.words, ownOptions(command, read));
  const keys = new Set(forms.flatMap(({ options }) => options.map(({ key }) => key)));
  const all = forms.length === 0 || forms.some(({ open }) => open);
  const own = Object.entries(command.options).filter(([key]) => all || keys.has(key));
  return { ...Object.fromEntries(own), ...COMMON_OPTIONS };
}
