/** Decides where a checkout may write into a folder of Git, whose hooks and settings Git runs. */
import { join } from 'node:path';
import { ArtError, realPath, utf8 } from '#base';
import { entries } from '#tree';
import type { PlanOptions } from './checkout-options.ts';
import { findStats } from './disk-entry.ts';
import { rulesAbove } from './ignore.ts';
import { gitPartOf } from './paths.ts';

/**
 * A version may bring its `.git` back to where art has put or committed one before. To a new place it may if a user's own
 * `.artignore` above the folder keeps `.git/`: one inside the version was perhaps written by whoever wants a hook to run.
 * A `.git` that is there and that art has not put there is never touched.
 */
export class GitGuard {
  readonly #options: PlanOptions;
  /** The last part that was looked at, and is fine: paths come in key order. */
  #allowed: string | undefined;

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  /** Raises TREE_UNSAFE; wait for what it gives, if it gives anything. */
  check(path: string): Promise<void> | undefined {
    const part = gitPartOf(path);
    return part === undefined || part === this.#allowed ? undefined : this.#look(path, part);
  }

  async #look(path: string, part: string): Promise<void> {
    const { held, moving = [], source, dir, stopAt } = this.#options;
    for (const tree of [held, ...moving]) {
      if (tree === undefined) continue;
      for await (const [{ key }] of entries(source, tree, { prefix: utf8(part) })) {
        const known = Buffer.from(key).toString('utf8');
        if (known !== part && !known.startsWith(`${part}/`)) break;
        this.#allowed = part;
        return;
      }
    }
    if (findStats(join(dir, part)) !== undefined)
      throw unsafe(
        path,
        `would go into ${JSON.stringify(join(dir, part))}, which is there and not from art`,
        {
          hint: 'Nothing was written. Check it out into another folder.',
        },
      );
    if (rulesAbove(realPath(dir), stopAt)?.verdict(`${part}/`) !== 'kept')
      throw unsafe(path, 'goes into a folder of Git, which may run what is in it', {
        hint: 'Nothing was written. If you trust who made this version, keep `!.git/` in an .artignore above the folder.',
      });
    this.#allowed = part;
  }
}

function unsafe(path: string, why: string, options: { readonly hint: string }): ArtError {
  return new ArtError('TREE_UNSAFE', `the path ${JSON.stringify(path)} ${why}`, options);
}
