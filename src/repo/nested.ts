/** Says once which folders were left out because they are repositories of their own. */
import { formatCount } from '#base';
import type { Setting } from './context.ts';

const NAMED_MAX = 3;

export class NestedRepositories {
  readonly #folder: string;
  readonly #named: string[] = [];
  #count = 0;

  /** `folder`: what their paths are in. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  readonly onRepository = (path: string): void => {
    if (++this.#count <= NAMED_MAX) this.#named.push(JSON.stringify(path));
  };

  tell({ onWarning }: Pick<Setting, 'onWarning'>): void {
    if (this.#count === 0) return;
    const more = this.#count > NAMED_MAX ? ', …' : '';
    const what = this.#count === 1 ? 'is a repository of its own' : 'are repositories of their own';
    onWarning?.(
      `${formatCount(this.#count, 'folder')} in ${JSON.stringify(this.#folder)} ${what}, and left alone: ${this.#named.join(', ')}${more}`,
    );
  }
}
