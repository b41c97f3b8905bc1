/** Follows links, so that one place has one name. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** `path` (absolute) with no link in it, as far as there is something; what is below that stays as it is. */
export function realPath(path: string): string {
  for (let at = path, below = ''; ; below = join(basename(at), below), at = dirname(at)) {
    if (existsSync(at)) return join(realpathSync(at), below);
    if (at === dirname(at)) return path;
  }
}
