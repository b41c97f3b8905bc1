/** Draws how versions follow from each other: lanes to the left of the log, one for each line of descent. */

/** A version and those it was made from. */
export interface GraphNode {
  readonly cid: string;
  readonly parents: readonly string[];
}

export interface GraphRow {
  /** What stands before the version's own line. */
  readonly lead: string;
  /** Lines to stand below it: lanes that join or end. */
  readonly below: readonly string[];
}

/**
 * Draws row by row, children before parents, as a log has them. What it draws depends on the rows alone. A lane waits
 * for one version, the parent of the one above; two lanes that wait for the same join at once.
 */
export class LogGraph {
  /** What each lane waits for; null if it is free. */
  readonly #lanes: (string | null)[] = [];

  /** `isGone` tells which parents will not come: their lanes end. */
  add({ cid, parents }: GraphNode, isGone: (cid: string) => boolean): GraphRow {
    const waiting = this.#lanes.indexOf(cid);
    const lane = waiting < 0 ? this.#freeLane() : waiting;
    this.#lanes[lane] = cid;
    const lead = this.#lanes.map((one, i) => (i === lane ? '○' : one === null ? ' ' : '│')).join(' ');
    const below: string[] = [];
    const [first, ...others] = parents.filter((parent) => !isGone(parent));
    if (first === undefined) {
      if (parents.length > 0) below.push(this.#line((i) => (i === lane ? '~' : undefined)));
      this.#lanes[lane] = null;
    } else {
      const joined = this.#lanes.indexOf(first);
      this.#lanes[lane] = first;
      if (joined >= 0 && joined !== lane) below.push(this.#join(joined, lane));
    }
    for (const parent of others) if (!this.#lanes.includes(parent)) below.push(this.#fork(lane, parent));
    while (this.#lanes.at(-1) === null) this.#lanes.pop();
    return { lead, below };
  }

  /** The line below the last row: lanes whose versions are not shown. */
  end(): string | undefined {
    return this.#lanes.length === 0 ? undefined : this.#line(() => '~');
  }

  #freeLane(): number {
    const free = this.#lanes.indexOf(null);
    return free < 0 ? this.#lanes.length : free;
  }

  /** Of two lanes that wait for the same the right one goes over into the left one. */
  #join(a: number, b: number): string {
    const [left, right] = [Math.min(a, b), Math.max(a, b)];
    const line = this.#across(left, right, '╯');
    this.#lanes[right] = null;
    return line;
  }

  /** A lane for one more parent comes out of `from`. */
  #fork(from: number, parent: string): string {
    const free = this.#lanes.findIndex((one, i) => i > from && one === null);
    const to = free < 0 ? this.#lanes.length : free;
    this.#lanes[to] = parent;
    return this.#across(from, to, '╮');
  }

  #across(left: number, right: number, corner: string): string {
    let line = '';
    for (let i = 0; i < this.#lanes.length; i++) {
      const taken = this.#lanes[i] !== null;
      const within = i > left && i < right;
      line += i === left ? '├' : i === right ? corner : within ? (taken ? '┼' : '─') : taken ? '│' : ' ';
      if (i < this.#lanes.length - 1) line += i >= left && i < right ? '─' : ' ';
    }
    return line.trimEnd();
  }

  #line(mark: (lane: number) => string | undefined): string {
    const cells = this.#lanes.map((one, i) => (one === null ? ' ' : (mark(i) ?? '│')));
    return cells.join(' ').trimEnd();
  }
}
