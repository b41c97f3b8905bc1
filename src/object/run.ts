/** A run: a process that used and produced versions, as one revision of what is known of it. */
import { decodeNode, encodeNode } from './cbor.ts';
import type { Ext, Fields } from './cbor.ts';
import { RUN_ID_BYTES_MAX } from './commit.ts';
import { orNull, textOrNull } from './field-readers.ts';
import { DIGEST_BYTES } from './hash.ts';
import type { Digest } from './id.ts';
import { placedMetadata } from './metadata.ts';
import type { Metadata } from './metadata.ts';
import { NAME_BYTES_MAX } from './state.ts';

export const RUN_STATES = ['running', 'finished', 'failed', 'stopped'] as const;
export type RunState = (typeof RUN_STATES)[number];

export interface RunOutput {
  readonly artifact: string;
  readonly commit: Digest;
}

export interface RunInput extends RunOutput {
  /** What the run called it; empty if it gave it no name. */
  readonly as: string;
}

export interface Run {
  readonly id: string;
  /** 0 at its start; each later record of the same run has the next. */
  readonly revision: number;
  readonly name: string | null;
  readonly jobType: string | null;
  readonly project: string | null;
  /** As `placeMetadata` placed it: an empty map if there is none. */
  readonly config: Metadata | Digest;
  readonly command: readonly string[];
  /** The revision of the code, as its version control writes it. */
  readonly codeRevision: string | null;
  readonly host: string;
  /** Milliseconds since 1970 UTC. */
  readonly start: number;
  /** Null while it is running. */
  readonly end: number | null;
  readonly state: RunState;
  /** The exit status of the command, if it ended with one. */
  readonly exit: number | null;
  /** Their commits may be absent from the store. */
  readonly inputs: readonly RunInput[];
  readonly outputs: readonly RunOutput[];
  readonly ext: Ext;
}

/** Of name, job type, project, code revision, host and an input's `as`. */
export const RUN_TEXT_BYTES_MAX = 1024;
export const COMMAND_WORDS_MAX = 4096;
export const COMMAND_WORD_BYTES_MAX = 128 * 1024;
/** Of inputs, and of outputs. */
export const RUN_LINKS_MAX = 4096;

const FORMAT = 1;

/** Encodes a run; raises OBJECT_INVALID naming a field that is out of its bounds. */
export function encodeRun(run: Run): Uint8Array {
  const bytes = encodeNode('run', FORMAT, { ...run });
  decodeRun(bytes);
  return bytes;
}

/** Decodes a run, or raises OBJECT_INVALID. */
export function decodeRun(bytes: Uint8Array): Run {
  const fields = decodeNode('run', FORMAT, bytes);
  const run: Run = {
    id: fields.text('id', RUN_ID_BYTES_MAX),
    revision: fields.count('revision'),
    name: textOrNull(fields, 'name', RUN_TEXT_BYTES_MAX),
    jobType: textOrNull(fields, 'jobType', RUN_TEXT_BYTES_MAX),
    project: textOrNull(fields, 'project', RUN_TEXT_BYTES_MAX),
    config: placedMetadata(fields, 'config'),
    command: fields.texts('command', COMMAND_WORDS_MAX, COMMAND_WORD_BYTES_MAX),
    codeRevision: textOrNull(fields, 'codeRevision', RUN_TEXT_BYTES_MAX),
    host: fields.text('host', RUN_TEXT_BYTES_MAX),
    start: fields.count('start'),
    end: orNull(fields, 'end', () => fields.count('end')),
    state: stateOf(fields),
    exit: orNull(fields, 'exit', () => fields.count('exit', 0xffff_ffff)),
    inputs: linksOf(fields, 'inputs', ['artifact', 'as', 'commit']) as readonly RunInput[],
    outputs: linksOf(fields, 'outputs', ['artifact', 'commit']) as readonly RunOutput[],
    ext: fields.ext(),
  };
  fields.done();
  return run;
}

function stateOf(fields: Fields): RunState {
  const state = RUN_STATES.find((known) => known === fields.raw('state'));
  if (state === undefined) throw fields.invalid('state');
  return state;
}

const LINK_TEXT_BYTES_MAX: Readonly<Record<string, number>> = {
  artifact: NAME_BYTES_MAX,
  as: RUN_TEXT_BYTES_MAX,
};

/** Checks a list of maps that have exactly `keys`: a digest as `commit`, texts as the rest. */
function linksOf(fields: Fields, key: string, keys: readonly string[]): readonly unknown[] {
  const links = fields.list(key, RUN_LINKS_MAX);
  for (const link of links) {
    if (typeof link !== 'object' || link === null || Object.keys(link).length !== keys.length)
      throw fields.invalid(key);
    for (const name of keys) {
      const value: unknown = (link as Record<string, unknown>)[name];
      const fits =
        name === 'commit'
          ? value instanceof Uint8Array && value.length === DIGEST_BYTES
          : typeof value === 'string' && Buffer.byteLength(value) <= LINK_TEXT_BYTES_MAX[name];
      if (!fits) throw fields.invalid(key);
    }
  }
  return links;
}
