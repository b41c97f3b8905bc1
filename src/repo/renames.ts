/** Finds renames: what was removed at one path and added, with the same content, at another. */
import { Column, DigestTable, murmur3, utf8 } from '#base';
import { FILE, SYMLINK } from '#object';
import type { DiffSide } from './diff-side.ts';

/** So many removed files are remembered, the first ones in key order: about 85 bytes each. */
const RENAMES_FROM_MAX = 500_000;
/** Among so many of equal content that are left, the first ones, one of the same base name is looked for. */
const ALIKE_MAX = 100;

/**
 * Pairs by content, one to one, as Git's exact renames do: each added file, in key order, with the first removed one of
 * the same base name, else with the first one left. So the pairs do not depend on anything but the two sides. Only
 * files are paired with files, and links with links; the exec bit may differ.
 */
export class Renames {
  readonly #removed = new Map<number, RemovedTable>();
  /** Ascending rows that were added, and where the record of each one's source lies. */
  readonly #addedRows = new Column(Uint32Array);
  readonly #positions = new Column(Float64Array);
  /** A bit for each row that is the source of a rename. */
  #sources = new Uint8Array(1024);
  #remembered = 0;
  #cursor = 0;
  readonly #sourcesMax: number;
  /** Whether there were more removed files than are remembered. */
  bounded = false;

  constructor(options: { readonly sourcesMax?: number } = {}) {
    this.#sourcesMax = options.sourcesMax ?? RENAMES_FROM_MAX;
  }

  /** `path`, whose row is `row` and whose record lies at `position`, was removed. Tell of all of these first, in key order. */
  addSource(path: string, side: DiffSide, row: number, position: number): void {
    if ((side.kind !== FILE && side.kind !== SYMLINK) || side.digest === undefined) return;
    if (this.#remembered === this.#sourcesMax) {
      this.bounded = true;
      return;
    }
    this.#remembered++;
    let table = this.#removed.get(side.kind);
    if (table === undefined) this.#removed.set(side.kind, (table = new RemovedTable()));
    table.add(side, nameHash(path), row, position);
  }

  /** Whether something removed is of this kind and may have this size: if not, there is no need to read it. */
  mayHaveSource({ kind, size }: DiffSide): boolean {
    return this.#removed.get(kind)?.sizes.has(sizeBucket(size)) === true;
  }

  /** `path`, whose row is `row`, was added: pairs it, if something removed with its content is left. In key order. */
  addTarget(path: string, side: DiffSide, row: number): void {
    const source = side.digest && this.#removed.get(side.kind)?.take(side.digest, nameHash(path));
    if (source === undefined) return;
    this.#addedRows.push(row);
    this.#positions.push(source.position);
    const at = source.row >>> 3;
    if (at >= this.#sources.length) {
      const grown = new Uint8Array(Math.max(at + 1, 2 * this.#sources.length));
      grown.set(this.#sources);
      this.#sources = grown;
    }
    this.#sources[at] |= 1 << (source.row & 7);
  }

  isSource(row: number): boolean {
    return ((this.#sources[row >>> 3] ?? 0) & (1 << (row & 7))) !== 0;
  }

  /** Where the record of the source of `row` lies, if it is the target of a rename. Ask in key order. */
  sourceOf(row: number): number | undefined {
    if (this.#cursor >= this.#addedRows.length || this.#addedRows.at(this.#cursor) !== row) return undefined;
    return this.#positions.at(this.#cursor++);
  }
}

/** What was removed, by content; of the same content in the order it was added. */
class RemovedTable {
  readonly sizes = new Set<number>();
  readonly #digests = new DigestTable();
  /** By content: the first row left and the last, as places in the columns below plus 1; 0 if none is left. */
  readonly #heads = new Column(Uint32Array);
  readonly #tails = new Column(Uint32Array);
  readonly #next = new Column(Uint32Array);
  readonly #names = new Column(Uint32Array);
  readonly #rows = new Column(Uint32Array);
  readonly #positions = new Column(Float64Array);

  add(side: DiffSide, name: number, row: number, position: number): void {
    this.sizes.add(sizeBucket(side.size));
    this.#names.push(name);
    this.#rows.push(row);
    this.#positions.push(position);
    this.#next.push(0);
    const place = this.#rows.length;
    if (this.#digests.add(side.digest!)) {
      this.#heads.push(place);
      this.#tails.push(place);
      return;
    }
    const content = this.#digests.indexOf(side.digest!);
    this.#next.set(this.#tails.at(content) - 1, place);
    this.#tails.set(content, place);
  }

  take(digest: Uint8Array, name: number): { readonly row: number; readonly position: number } | undefined {
    const content = this.#digests.indexOf(digest);
    const head = content < 0 ? 0 : this.#heads.at(content);
    if (head === 0) return undefined;
    const before = this.#beforeNamed(head, name);
    const place = before === 0 ? head : this.#next.at(before - 1);
    if (before === 0) this.#heads.set(content, this.#next.at(place - 1));
    else this.#next.set(before - 1, this.#next.at(place - 1));
    return { row: this.#rows.at(place - 1), position: this.#positions.at(place - 1) };
  }

  /** The place before the first one with this base name; 0 if that is `head`, or there is none. */
  #beforeNamed(head: number, name: number): number {
    let before = 0;
    for (let place = head, i = 0; place !== 0 && i < ALIKE_MAX; place = this.#next.at(place - 1), i++) {
      if (this.#names.at(place - 1) === name) return before;
      before = place;
    }
    return 0;
  }
}

/** Two names that share it by chance cost no more than the nicer of two right pairs. */
function nameHash(path: string): number {
  return murmur3(utf8(path.slice(path.lastIndexOf('/') + 1)), 0);
}

/** Few enough buckets to bound the set, enough to spare nearly every needless read. */
function sizeBucket(size: number): number {
  return size % 65_521;
}
