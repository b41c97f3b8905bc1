/** Changes a map by any number of edits, a page at a time, so that memory is bounded. */
import type { Digest, MapEntry } from '#object';
import type { NodeSink, NodeSource } from '#store';
import { edit } from './edit.ts';
import type { MapEdit } from './edit.ts';
import { rootOf } from './find.ts';
import type { MapRoot } from './levels.ts';

const EDITS_A_PAGE = 4096;

/** Where nodes are read and put; what was put can be read back at once. */
export type TreeIo = NodeSource & NodeSink;

/** Edits ascend strictly by key. The result is what one `edit` with all of them gives. */
export class PagedEdit {
  readonly #io: TreeIo;
  #root: Digest;
  #page: MapEdit[] = [];

  constructor(io: TreeIo, root: Digest) {
    this.#io = io;
    this.#root = root;
  }

  /** Sets or, with undefined, removes the entry of `key`. Bytes are kept, not copied, until the next `turn`. */
  add(key: Uint8Array, entry: MapEntry | undefined): void {
    this.#page.push({ key, entry });
  }

  /** Applies what has come together if it is a page; wait for what it gives, if it gives anything. */
  turn(): Promise<void> | undefined {
    return this.#page.length < EDITS_A_PAGE ? undefined : this.#apply();
  }

  async finish(): Promise<MapRoot> {
    await this.#apply();
    return rootOf(this.#io, this.#root);
  }

  async #apply(): Promise<void> {
    const page = this.#page;
    this.#page = [];
    if (page.length > 0) this.#root = (await edit(this.#io, this.#io, this.#root, page)).digest;
  }
}
