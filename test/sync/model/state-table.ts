/** Keeps states in the order they were found, each once, as plain words: the queue, the set and the way back in one. */

const PAGE_BITS = 14;
const PAGE = 1 << PAGE_BITS;

/** A set of fixed-length words with open addressing; every state remembers which one it was first reached from. */
export class StateTable {
  readonly #width: number;
  readonly #pages: Uint32Array[] = [];
  #slots = new Uint32Array(1 << 12);
  #size = 0;

  constructor(words: number) {
    this.#width = words + 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a state reached from the one numbered `parent`, unless it is here already. */
  add(words: Uint32Array, parent: number): void {
    const slot = this.#slot(words);
    if (this.#slots[slot] !== 0) return;
    if (this.#size % PAGE === 0) this.#pages.push(new Uint32Array(PAGE * this.#width));
    const page = this.#pages[this.#size >>> PAGE_BITS];
    const offset = (this.#size % PAGE) * this.#width;
    page.set(words, offset);
    page[offset + words.length] = parent;
    this.#slots[slot] = ++this.#size;
    if (this.#size * 2 > this.#slots.length) this.#grow();
  }

  /** The number of a state; throws if it was never added. */
  find(words: Uint32Array): number {
    const found = this.#slots[this.#slot(words)];
    if (found === 0) throw new Error('no such state');
    return found - 1;
  }

  /** Copies the state numbered `at` into `words`, and gives them back. */
  get(at: number, words: Uint32Array): Uint32Array {
    const page = this.#pages[at >>> PAGE_BITS];
    const offset = (at % PAGE) * this.#width;
    for (let i = 0; i < words.length; i++) words[i] = page[offset + i];
    return words;
  }

  parent(at: number): number {
    return this.#pages[at >>> PAGE_BITS][(at % PAGE) * this.#width + this.#width - 1];
  }

  #slot(words: Uint32Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashWords(words) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot];
      if (found === 0 || this.#holds(found - 1, words)) return slot;
    }
  }

  #holds(at: number, words: Uint32Array): boolean {
    const page = this.#pages[at >>> PAGE_BITS];
    const offset = (at % PAGE) * this.#width;
    for (let i = 0; i < words.length; i++) if (page[offset + i] !== words[i]) return false;
    return true;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const words = new Uint32Array(this.#width - 1);
    for (let at = 0; at < this.#size; at++) this.#slots[this.#slot(this.get(at, words))] = at + 1;
  }
}

function hashWords(words: Uint32Array): number {
  let hash = 0x9e3779b9;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i], 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
