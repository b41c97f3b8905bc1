/** Has content that is kept elsewhere brought here before it is written, many files at a time. */
import { DigestTable } from '#base';
import { CHUNK, CHUNK_BYTES_MAX, decodeFileNode, fileRowDigest, type Digest, type ObjectId } from '#object';
import type { NodeSource } from '#store';
import { isContent, type PlanRow } from './plan-row.ts';

/** Brought at once: so much is asked for in few requests, and is durable in few turns at the database. */
const WINDOW_BYTES = 64 * 1024 * 1024;
const WINDOW_FILES = 4096;
const NODES_AT_ONCE = 64;

/** Puts those of `ids` into the store that it lacks and somebody promised. */
export type Gather = (ids: readonly ObjectId[]) => Promise<void>;

/** Runs ahead of whoever writes `rows` in their order. */
export class Gatherer {
  readonly #rows: Iterator<PlanRow>;
  readonly #source: NodeSource;
  readonly #gather: Gather;
  #reached = 0;

  constructor(rows: Iterator<PlanRow>, source: NodeSource, gather: Gather) {
    this.#rows = rows;
    this.#source = source;
    this.#gather = gather;
  }

  /** Returns once the first `count` rows can be written. The largest files are still brought while they are read. */
  async reach(count: number): Promise<void> {
    while (this.#reached < count && (await this.#window()));
  }

  async #window(): Promise<boolean> {
    const chunks = new DigestTable(1024);
    const large: { readonly digest: Digest; readonly size: number }[] = [];
    let [bytes, files] = [0, 0];
    while (bytes < WINDOW_BYTES && files < WINDOW_FILES) {
      const { value: row, done } = this.#rows.next();
      if (done === true) break;
      this.#reached++;
      if (!isContent(row)) continue;
      if (row.size > CHUNK_BYTES_MAX) large.push(row);
      else chunks.add(row.digest);
      bytes += row.size;
      files++;
    }
    if (files === 0) return false;
    for (let i = 0; i < large.length; i += NODES_AT_ONCE) {
      const some = large.slice(i, i + NODES_AT_ONCE);
      for (const [j, encoded] of (await this.#source.getNodes(some.map(({ digest }) => digest))).entries()) {
        const node = decodeFileNode(encoded);
        // A larger file has nodes below this one, and chunks enough to be brought by itself; one of another size than its
        // entry says is refused by whoever reads it.
        if (node.level > 0 || node.size !== some[j].size) continue;
        for (let row = 0; row < node.rows; row++) chunks.add(fileRowDigest(node, row));
      }
    }
    const ids = Array.from(chunks, (digest) => ({ kind: CHUNK, digest }) as const);
    if (ids.length > 0) await this.#gather(ids);
    return true;
  }
}
