/** Builds a sorted map from entries in key order. */
import { ArtError } from '#base';
import { shownKey } from '#object';
import type { MapEntry } from '#object';
import type { NodeSink } from '#store';
import { Levels } from './levels.ts';
import type { MapRoot } from './levels.ts';

/** Takes entries one by one and puts nodes, children before parents; memory is one node a level. */
export class MapBuilder {
  readonly #levels: Levels;

  constructor(sink: NodeSink) {
    this.#levels = new Levels(sink);
  }

  /**
   * Takes the next entry; it and its bytes may be reused afterwards. Raises OBJECT_INVALID if its key does not follow
   * the last one, or if the entry breaks a bound.
   */
  add(entry: MapEntry): void {
    if (this.#levels.add(entry)) return;
    const last = shownKey(this.#levels.last);
    throw new ArtError('OBJECT_INVALID', `key ${shownKey(entry.key)} does not sort after ${last}`);
  }

  /** Puts what is left, the root last. The builder is used up. */
  finish(): MapRoot {
    const { digest, count, bytes } = this.#levels.finish();
    return { digest, count, bytes };
  }
}
