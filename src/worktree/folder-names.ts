/** Reads the names in one folder in the order of a tree's keys, however many there are. */
import { existsSync, opendirSync, readdirSync, type Dir } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { join } from 'node:path';
import { TEMPORARY_PREFIX, compareUtf8, errnoOf, utf8 } from '#base';
import { IGNORE_FILE } from './ignore.ts';
import { Spool } from './spool.ts';

/** So many names of one folder are sorted in memory; more go to the disk in sorted runs. */
const NAMES_IN_MEMORY_MAX = 200_000;
const NAMES_A_STEP = 10_000;
const ART_FOLDER = '.art';

/** Sorting by UTF-16 units is sorting by UTF-8 bytes unless a name has one of these. */
const ORDER_DIFFERS = /[\ud800-\uffff]/;

export interface FolderNames {
  /** Sorted; the name of a folder ends in a slash. */
  readonly names: Iterator<string, undefined>;
  /** How many names there are, our temporary ones left out. */
  readonly count: number;
  readonly hasIgnoreFile: boolean;
  /** Whether the folder is a repository of its own. */
  readonly isRepository: boolean;
  /** Names that are not valid UTF-8, as bytes; they are not among `names`. At most a few are kept. */
  readonly invalid: readonly Uint8Array[];
  /** Our unfinished files; they are not among `names`. */
  readonly temporary: readonly string[];
}

/**
 * Yields now and then while it reads, so that the caller can give others a turn, and returns the names.
 * Raises what the system raises on opening; spilled runs go to `tmpDir`.
 */
export function* readNames(
  folder: string,
  options: { readonly tmpDir: string; readonly namesMax?: number },
): Generator<undefined, FolderNames> {
  const namesMax = options.namesMax ?? NAMES_IN_MEMORY_MAX;
  const runs: Spool[] = [];
  const temporary: string[] = [];
  let names: string[] = [];
  let plainOrder = true;
  let doubtful = false;
  let count = 0;
  let hasIgnoreFile = false;
  let hasArtFolder = false;
  try {
    const dir = opendirSync(folder, { bufferSize: 1024 });
    try {
      for (let found = dir.readSync(); found !== null; found = dir.readSync()) {
        const name = found.name;
        if (name.startsWith(TEMPORARY_PREFIX)) {
          temporary.push(name);
          continue;
        }
        if (ORDER_DIFFERS.test(name)) {
          plainOrder = false;
          doubtful ||= name.includes('\ufffd');
        }
        if (name === IGNORE_FILE && found.isFile()) hasIgnoreFile = true;
        if (name === ART_FOLDER && found.isDirectory()) hasArtFolder = true;
        names.push(found.isDirectory() ? `${name}/` : name);
        if (++count % NAMES_A_STEP === 0) yield undefined;
        if (names.length >= namesMax) {
          runs.push(runOf(sorted(names, plainOrder), options.tmpDir));
          names = [];
        }
      }
    } finally {
      closeQuietly(dir);
    }
    const invalid = doubtful ? invalidNames(folder) : [];
    const bad = new Set(invalid.map((name) => Buffer.from(name).toString()));
    const all =
      runs.length === 0 ? sorted(names, plainOrder).values() : merged(runs, sorted(names, plainOrder));
    return {
      names: bad.size === 0 ? all : without(all, bad),
      count,
      hasIgnoreFile,
      // A folder that is called so by others has no format in it.
      isRepository: hasArtFolder && existsSync(join(folder, ART_FOLDER, 'format')),
      invalid,
      temporary,
    };
  } catch (error) {
    for (const run of runs) run[Symbol.dispose]();
    throw error;
  }
}

function sorted(names: string[], plainOrder: boolean): string[] {
  return plainOrder ? names.sort() : names.sort(compareUtf8);
}

function runOf(names: readonly string[], tmpDir: string): Spool {
  const run = new Spool(tmpDir, 'names');
  for (const name of names) run.add(utf8(name));
  return run;
}

/** Merges sorted runs; the least head is found by looking at all of them, for they are few. */
function* merged(runs: readonly Spool[], last: readonly string[]): Generator<string, undefined> {
  try {
    const sources: Iterator<string, undefined>[] = [
      ...runs.map(textsOf),
      last.values() as Iterator<string, undefined>,
    ];
    const heads = sources.map((source) => source.next().value);
    for (;;) {
      let least = -1;
      for (let i = 0; i < heads.length; i++) {
        const head = heads[i];
        if (head !== undefined && (least === -1 || compareUtf8(head, heads[least]!) < 0)) least = i;
      }
      if (least === -1) return undefined;
      yield heads[least]!;
      heads[least] = sources[least].next().value;
    }
  } finally {
    for (const run of runs) run[Symbol.dispose]();
  }
}

function* textsOf(run: Spool): Generator<string, undefined> {
  for (const record of run.records()) yield (record as Buffer).toString('utf8');
  return undefined;
}

function* without(
  names: Iterator<string, undefined>,
  bad: ReadonlySet<string>,
): Generator<string, undefined> {
  for (let step = names.next(); step.done !== true; step = names.next()) {
    if (!bad.has(step.value.endsWith('/') ? step.value.slice(0, -1) : step.value)) yield step.value;
  }
  return undefined;
}

/** A name with U+FFFD in it was perhaps not UTF-8: only its bytes tell. */
function invalidNames(folder: string): Uint8Array[] {
  return readdirSync(folder, { encoding: 'buffer' })
    .filter((name) => !isUtf8(name))
    .slice(0, 100);
}

/** Names a path whose last component is bytes that are not UTF-8, each of these as `\xNN`. */
export function escapeName(folder: string, name: Uint8Array): string {
  const shown = Buffer.from(name)
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (c) => `\\x${hex(c)}`);
  return `${folder}${shown}`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}

function closeQuietly(dir: Dir): void {
  try {
    dir.closeSync();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
  }
}
