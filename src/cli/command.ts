/** Says what a command is: data about its words and options, and one run. */
import type { Repository, Setting } from '#repo';
import type { Output } from './output.ts';
import type { Environment } from './who.ts';

interface OptionBase {
  /** One letter, for `-m`. */
  readonly short?: string;
  readonly describe: string;
}

/** Given or not. */
export interface SwitchOption extends OptionBase {
  readonly kind: 'switch';
}

/** Takes one text each time; `list` keeps them all, `paragraphs` joins them with an empty line, `once` allows one. */
export interface TextOption extends OptionBase {
  readonly kind: 'text';
  readonly value: string;
  readonly given: 'once' | 'list' | 'paragraphs';
  /** Whether an empty text says something, too. */
  readonly mayBeEmpty?: true;
}

/** Takes a whole number from 0 up. */
export interface NumberOption extends OptionBase {
  readonly kind: 'number';
  readonly value: string;
}

export type Option = SwitchOption | TextOption | NumberOption;
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends SwitchOption
  ? boolean
  : O extends NumberOption
    ? number | undefined
    : O extends { readonly given: 'list' }
      ? readonly string[]
      : string | undefined;

/** What was given for each option: switches are false, lists empty, the rest undefined if it was not. */
export type Values<O extends Options> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** What a command is given to do its work with. */
export interface Invocation<O extends Options> {
  readonly words: readonly string[];
  readonly options: Values<O>;
  readonly out: Output;
  /** The folder it works in; given paths are relative to it. */
  readonly folder: string;
  /** The user's own configuration file. */
  readonly globalConfig: string;
  readonly now: () => number;
  /** What comes in on standard input; read it once. */
  stdin(): AsyncIterable<Uint8Array>;
  readonly env: Environment;
  /** Lets people read what follows in their pager; for a terminal only. */
  readonly page: () => void;
  /** What everything is done with that needs no repository. */
  readonly setting: () => Setting;
  /** Opens the repository around `folder`, or `at`. `signed`: the command's work carries the author's name. */
  open(options?: { readonly signed?: boolean; readonly at?: string }): Promise<Repository>;
}

export interface Command<O extends Options = Options> {
  /** The forms it has, each without the leading `art`. */
  readonly usage: readonly string[];
  readonly summary: string;
  /** The fewest and the most words it takes. */
  readonly words: readonly [number, number];
  readonly options: O;
  /** Command lines and what they do. */
  readonly examples: readonly (readonly [string, string])[];
  /** What is true after it was stopped; by default that nothing was changed. */
  readonly stopped?: string;
  /** Gives the exit status, if it is not 0. Raises ArtError. */
  run(invocation: Invocation<O>): Promise<number | void>;
}

/** Gives a command back as what any command is, its options checked against its own run. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}
