/** Applies `.artignore` files: gitignore rules from each folder and those above it, the nearest first. */
import { readFileSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { ArtError, errnoOf } from '#base';

export const IGNORE_FILE = '.artignore';

/** The library remembers every path it was asked about; so many, then we begin with a fresh one. */
const ASKED_MAX = 20_000;

/** The rules in force in one folder: its own file's, then those of the folders above it. */
export class IgnoreRules {
  readonly #text: string;
  readonly #place: Place;
  readonly #outer: IgnoreRules | undefined;
  #rules: Ignore;
  #asked = 0;

  constructor(text: string, place: Place, outer: IgnoreRules | undefined) {
    this.#text = text;
    this.#place = place;
    this.#outer = outer;
    this.#rules = parse(text);
  }

  /** The verdict of the nearest rule that speaks of `path` (relative to the scanned root; folders end in a slash). */
  verdict(path: string): 'ignored' | 'kept' | 'unspoken' {
    if (++this.#asked % ASKED_MAX === 0) this.#rules = parse(this.#text);
    const { above, below } = this.#place;
    const { ignored, unignored } = this.#rules.test(above + path.slice(below));
    if (ignored) return 'ignored';
    if (unignored) return 'kept';
    return this.#outer?.verdict(path) ?? 'unspoken';
  }
}

/** Where a rules file lies: the scanned root is `above` below it, or it is in a folder of `below` units inside. */
interface Place {
  readonly above: string;
  readonly below: number;
}

function parse(text: string): Ignore {
  return ignore({ ignorecase: false }).add(text);
}

/**
 * The rules that folders above `root` lay on it, from `stopAt` down; undefined when there are none. A file that
 * ignores `root` itself is left aside: whoever names a folder means it.
 */
export function rulesAbove(root: string, stopAt: string | undefined): IgnoreRules | undefined {
  if (stopAt === undefined || stopAt === root) return undefined;
  const below = relative(stopAt, root);
  if (below === '' || below.startsWith('..')) return undefined;
  let rules: IgnoreRules | undefined;
  const folders: string[] = [];
  for (let folder = dirname(root); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === stopAt || folder === dirname(folder)) break;
  }
  for (const folder of folders) {
    const text = readRules(folder);
    if (text === undefined) continue;
    const prefix = `${relative(folder, root).split(sep).join('/')}/`;
    if (!parse(text).ignores(prefix)) rules = new IgnoreRules(text, { above: prefix, below: 0 }, rules);
  }
  return rules;
}

/** The text of `folder`'s own `.artignore`, if it has one. */
export function readRules(folder: string): string | undefined {
  try {
    return readFileSync(`${folder}/${IGNORE_FILE}`, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'EISDIR') return undefined;
    throw new ArtError(
      'FILE_UNREADABLE',
      `cannot read ${JSON.stringify(`${folder}/${IGNORE_FILE}`)} (${errno})`,
      {
        cause: error,
      },
    );
  }
}
