/** Remembers digests it has seen, and forgets the oldest once there are many: a memory of bounded size. */
import { DigestTable } from '#base';
import type { Digest } from '#object';

/** Two tables of so many at 40 bytes: more than the packs hold that are on their way, as only those no index knows yet. */
const KEPT_MAX = 262_144;

export class RecentDigests {
  #now = new DigestTable(1024);
  #before = new DigestTable(1024);

  has(digest: Digest): boolean {
    return this.#now.has(digest) || this.#before.has(digest);
  }

  /** Tells whether it was new. */
  add(digest: Digest): boolean {
    if (this.has(digest)) return false;
    if (this.#now.size >= KEPT_MAX) {
      // The one that is forgotten serves again: grown anew each time, tables would leave twice their length behind.
      [this.#now, this.#before] = [this.#before, this.#now];
      this.#now.clear();
    }
    return this.#now.add(digest);
  }
}
