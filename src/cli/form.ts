/** Reads a form of a command's usage: which words it takes, in which order, and which options belong to it. */
import type { Command, Options } from './command.ts';
import { optionKey } from './words.ts';

/** A word in the place where it stands: `SPEC`, `[DIR]`, `[NAME...]`. */
export interface FormWord {
  /** As it is written, without brackets and dots: `NAME|SPEC`. In small letters it stands for itself. */
  readonly what: string;
  readonly optional: boolean;
  /** Optional by itself, so that the next word may stand in its place: `[REMOTE] [NAME...]`, not `[KEY [VALUE]]`. */
  readonly skippable: boolean;
  readonly repeated: boolean;
}

export interface FormOption {
  /** As the command's options call it; as it is written, if they do not know it. */
  readonly key: string;
  readonly required: boolean;
}

export interface Form {
  readonly words: readonly FormWord[];
  readonly options: readonly FormOption[];
  /** Whether it has `[OPTIONS]`: more of the command's options than there is room to name. */
  readonly open: boolean;
}

/** `usage` begins with the command's name. */
export function parseForm(usage: string, known: Options): Form {
  const words: FormWord[] = [];
  const options: FormOption[] = [];
  let open = false;
  let depth = 0;
  let isValue = false;
  // One of several options stands as each of them would: `(--never|--inherit)`.
  const [, ...pieces] = usage.replaceAll('[DEST=]', '').replaceAll('|-', ' -').split(/\s+/);
  for (const piece of pieces) {
    depth += countOf(piece, /[[(]/g);
    const deep = depth - countOf(piece, /[\])]/g);
    const what = piece.replace(/[[\]()]|\.{3}/g, '');
    if (isValue) isValue = false;
    else if (what === 'OPTIONS') open = true;
    else if (what.startsWith('-')) {
      const key = optionKey(what, known);
      options.push({ key: key ?? what, required: depth === 0 });
      isValue = key !== undefined && known[key].kind !== 'switch';
    } else {
      const optional = depth > 0;
      words.push({ what, optional, skippable: optional && deep === 0, repeated: piece.includes('...') });
    }
    depth = deep;
  }
  return { words, options, open };
}

/** The form's word at `index`; a repeated last one stands at every later index too. */
export function wordAt({ words }: Form, index: number): FormWord | undefined {
  const last = words.at(-1);
  return words[index] ?? (last?.repeated ? last : undefined);
}

/** What may stand at `index`: the form's word there, and the one after each that may be left out. */
export function wordsAt(form: Form, index: number): readonly FormWord[] {
  const found: FormWord[] = [];
  for (let at = index, word = wordAt(form, at); word !== undefined; word = wordAt(form, ++at)) {
    found.push(word);
    if (!word.skippable || word.repeated) break;
  }
  return found;
}

/** Whether `text` may stand where the form has `word`: a word in small letters is one of those it names. */
function mayStand(text: string, word: FormWord | undefined): boolean {
  if (word === undefined) return false;
  return !isLiteral(word) || word.what.split('|').includes(text);
}

export function isLiteral({ what }: FormWord): boolean {
  return /^[a-z|-]+$/.test(what);
}

/** The forms of a command that a line may still become, by the words and the keys of the options it has so far. */
export function possibleForms(
  { usage, options }: Command,
  words: readonly string[],
  given: ReadonlySet<string>,
): readonly Form[] {
  const all = usage.map((form) => parseForm(form, options));
  const byWords = all.filter((form) => words.every((text, i) => mayStand(text, wordAt(form, i))));
  const whole = byWords.filter((form) => form.open || [...given].every((key) => hasOption(form, key)));
  return whole.length > 0 ? whole : byWords;
}

/** Of them those that it is now: nothing they need is missing, and what was given is needed if it is by any. */
export function fittingForms(
  command: Command,
  words: readonly string[],
  given: ReadonlySet<string>,
): readonly Form[] {
  const possible = possibleForms(command, words, given);
  const complete = possible.filter((form) => requiredOf(form).every((key) => given.has(key)));
  const needing = complete.filter((form) => requiredOf(form).length > 0);
  return needing.length > 0 ? needing : complete.length > 0 ? complete : possible;
}

function requiredOf({ options }: Form): readonly string[] {
  return options.filter(({ required }) => required).map(({ key }) => key);
}

function hasOption({ options }: Form, key: string): boolean {
  return options.some((option) => option.key === key);
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
