/** Tells whether Git would take what lies in a folder, by the `.gitignore` files on the way to it. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { errnoOf } from '#base';

/**
 * Whether `folder` (in `root`) lies in a Git work tree that does not ignore it. Rules of the user's own Git are not
 * looked at, nor what Git tracks already.
 */
export function gitWouldTake(root: string, folder: string): boolean {
  const top = workTreeOf(root);
  const path = top === undefined ? '..' : relative(top, folder).split(sep).join('/');
  if (top === undefined || path === '' || path === '..' || path.startsWith('../')) return false;
  const parts = path.split('/');
  const rules: (Ignore | undefined)[] = [];
  // Git looks from the top down: nothing brings back what lies in an ignored folder.
  for (let depth = 0; depth < parts.length; depth++) {
    rules.push(rulesIn(join(top, ...parts.slice(0, depth))));
    if (isIgnored(rules, parts.slice(0, depth + 1))) return false;
  }
  return true;
}

/** The nearest folder upward that Git keeps a work tree in; in a linked one `.git` is a file. */
function workTreeOf(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** The nearest file that speaks of the folder decides. */
function isIgnored(rules: readonly (Ignore | undefined)[], parts: readonly string[]): boolean {
  for (let depth = rules.length - 1; depth >= 0; depth--) {
    const verdict = rules[depth]?.test(`${parts.slice(depth).join('/')}/`);
    if (verdict?.ignored === true) return true;
    if (verdict?.unignored === true) return false;
  }
  return false;
}

function rulesIn(folder: string): Ignore | undefined {
  try {
    return ignore({ ignorecase: false }).add(readFileSync(join(folder, '.gitignore'), 'utf8'));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined; // What cannot be read says nothing; this is only advice.
  }
}
