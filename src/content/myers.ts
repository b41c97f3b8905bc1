/**
 * Finds what to take out of one sequence and put into it to get another: the linear-space refinement of the greedy
 * algorithm of E. W. Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), section 4b.
 */

/** Flags, 1 for an element that the other sequence does not have in its place. */
export interface Marks {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** A box whose middle is not found at this many edits from either end is replaced whole. */
const EDITS_MAX = 4096;
/** So many diagonals are looked at in all; then every box left is replaced whole. About a second. */
const STEPS_MAX = 100_000_000;

interface Box {
  readonly aFrom: number;
  readonly aTo: number;
  readonly bFrom: number;
  readonly bTo: number;
}

/**
 * Marks a shortest edit from `a` to `b`; beyond EDITS_MAX or STEPS_MAX one that is right but longer. Memory is two
 * numbers a diagonal.
 */
export function markChanges(a: Int32Array, b: Int32Array): Marks {
  const marks = { before: new Uint8Array(a.length), after: new Uint8Array(b.length) };
  const search = new Search(a, b);
  // A stack, not recursion: a crafted pair could make boxes nest deeply.
  const boxes: Box[] = [{ aFrom: 0, aTo: a.length, bFrom: 0, bTo: b.length }];
  for (let box = boxes.pop(); box !== undefined; box = boxes.pop()) {
    let { aFrom, aTo, bFrom, bTo } = box;
    while (aFrom < aTo && bFrom < bTo && a[aFrom] === b[bFrom]) {
      aFrom++;
      bFrom++;
    }
    while (aFrom < aTo && bFrom < bTo && a[aTo - 1] === b[bTo - 1]) {
      aTo--;
      bTo--;
    }
    const middle = aFrom === aTo || bFrom === bTo ? undefined : search.middleOf({ aFrom, aTo, bFrom, bTo });
    if (middle === undefined) {
      marks.before.fill(1, aFrom, aTo);
      marks.after.fill(1, bFrom, bTo);
    } else {
      boxes.push({ aFrom: middle.x, aTo, bFrom: middle.y, bTo });
      boxes.push({ aFrom, aTo: middle.x, bFrom, bTo: middle.y });
    }
  }
  return marks;
}

/** Looks for the middle of a shortest path through a box, from both ends at once. */
class Search {
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  /** The furthest x reached on each diagonal x - y, from the start and from the end; `#zero` is diagonal 0. */
  readonly #forward: Int32Array;
  readonly #backward: Int32Array;
  readonly #zero: number;
  #steps = 0;

  constructor(a: Int32Array, b: Int32Array) {
    this.#a = a;
    this.#b = b;
    this.#zero = b.length + 1;
    this.#forward = new Int32Array(a.length + b.length + 3);
    this.#backward = new Int32Array(a.length + b.length + 3);
  }

  /** Both sides of the box hold something, and neither begins nor ends with the same. */
  middleOf({ aFrom, aTo, bFrom, bTo }: Box): { readonly x: number; readonly y: number } | undefined {
    const [a, b, zero, forward, backward] = [this.#a, this.#b, this.#zero, this.#forward, this.#backward];
    const lowest = aFrom - bTo;
    const highest = aTo - bFrom;
    const start = aFrom - bFrom;
    const end = aTo - bTo;
    const odd = ((start - end) & 1) !== 0;
    let [forwardLow, forwardHigh, backwardLow, backwardHigh] = [start, start, end, end];
    forward[zero + start] = aFrom;
    backward[zero + end] = aTo;
    for (let edits = 1; edits <= EDITS_MAX && this.#steps < STEPS_MAX; edits++) {
      if (forwardLow > lowest) forward[zero + --forwardLow - 1] = -1;
      else forwardLow++;
      if (forwardHigh < highest) forward[zero + ++forwardHigh + 1] = -1;
      else forwardHigh--;
      for (let d = forwardHigh; d >= forwardLow; d -= 2) {
        const [low, high] = [forward[zero + d - 1], forward[zero + d + 1]];
        let x = low < high ? high : low + 1;
        let y = x - d;
        const from = x;
        while (x < aTo && y < bTo && a[x] === b[y]) {
          x++;
          y++;
        }
        this.#steps += 1 + x - from;
        forward[zero + d] = x;
        if (odd && backwardLow <= d && d <= backwardHigh && backward[zero + d] <= x) return { x, y };
      }
      if (backwardLow > lowest) backward[zero + --backwardLow - 1] = 0x7fffffff;
      else backwardLow++;
      if (backwardHigh < highest) backward[zero + ++backwardHigh + 1] = 0x7fffffff;
      else backwardHigh--;
      for (let d = backwardHigh; d >= backwardLow; d -= 2) {
        const [low, high] = [backward[zero + d - 1], backward[zero + d + 1]];
        let x = low < high ? low : high - 1;
        let y = x - d;
        const from = x;
        while (x > aFrom && y > bFrom && a[x - 1] === b[y - 1]) {
          x--;
          y--;
        }
        this.#steps += 1 + from - x;
        backward[zero + d] = x;
        if (!odd && forwardLow <= d && d <= forwardHigh && x <= forward[zero + d]) return { x, y };
      }
    }
    return undefined;
  }
}
