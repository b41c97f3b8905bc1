/** Says what a row of the contract is: what a command promises, and the lines that prove it. */
import type { ErrorCode } from '#base';
import type { Shape } from './shape.ts';

/** A line without the leading `art`, run in a fresh copy of the scene. */
export interface Run {
  readonly line: string;
  /** Run before it, in the same copy; those that begin with `$ ` by the shell. */
  readonly after?: readonly string[];
  /** What it is given on its standard input. */
  readonly stdin?: string;
  /** 0 unless it is said. */
  readonly exit?: number;
  /** The code of its failure; says the exit status too. */
  readonly error?: ErrorCode;
  /** What its JSON is, if not what the command's is. */
  readonly json?: Shape;
  /** Part of what it writes without `--json`, to either stream. */
  readonly says?: string | RegExp;
  /** Whether it is run for people alone, or with `--json` alone, where the two differ. */
  readonly only?: 'people' | 'json';
  /** Where it is run, relative to the scene; outside of it for some failures. */
  readonly in?: string;
}

export interface CommandContract {
  /** As `--help` shows them. */
  readonly forms: readonly string[];
  /** As `--help` shows them, `...` behind those that may be given again. */
  readonly options: readonly string[];
  /** Whether it changes nothing, however it ends. */
  readonly reads?: boolean;
  /** What `--json` writes; null if the command has none. */
  readonly json: Shape | null;
  /** Places of `json` that no run can show null, or other than null, and why. */
  readonly unseen?: Readonly<Record<string, string>>;
  readonly runs: readonly Run[];
}

export type Contract = Readonly<Record<string, CommandContract>>;
