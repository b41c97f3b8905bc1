/** Selects paths by the one rule for filters: `train/` is that folder, without a slash a plain string prefix. */
import { compareUtf8 } from '#base';

export class PathFilter {
  /** Sorted, none inside another; empty when everything is meant. */
  readonly prefixes: readonly string[];

  constructor(filters: readonly string[] = []) {
    const kept: string[] = [];
    for (const filter of [...filters].sort(compareUtf8)) {
      if (kept.length === 0 || !filter.startsWith(kept.at(-1)!)) kept.push(filter);
    }
    this.prefixes = kept.includes('') ? [] : kept;
  }

  get all(): boolean {
    return this.prefixes.length === 0;
  }

  /** Whether `path` is selected. */
  matches(path: string): boolean {
    return this.all || this.prefixes.some((prefix) => path.startsWith(prefix));
  }

  /** Whether something selected may lie in `folder` (which ends in a slash). */
  reaches(folder: string): boolean {
    return this.all || this.prefixes.some((prefix) => folder.startsWith(prefix) || prefix.startsWith(folder));
  }
}
