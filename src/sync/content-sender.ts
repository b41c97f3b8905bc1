/** Sends content as the store keeps it: frames of which all is sent, as they lie; what else there is, object by object. */
import { nextTurn } from '#base';
import type { ObjectId } from '#object';
import type { StoredReader, StoredRun } from '#store';
import type { PackUploader } from './pack-uploader.ts';

/** So that what is looked up is still young when it is let go of. */
const LOOKED_UP_AT_ONCE = 256;

export class ContentSender {
  readonly #reader: StoredReader;
  readonly #uploader: PackUploader;
  /** What is still to be sent. First so many that were looked up: the beginning of a frame, kept for what comes next. */
  #waiting: ObjectId[] = [];
  #begun = 0;

  constructor(reader: StoredReader, uploader: PackUploader) {
    this.#reader = reader;
    this.#uploader = uploader;
  }

  async put(ids: readonly ObjectId[]): Promise<void> {
    for (let i = 0; i < ids.length; i += LOOKED_UP_AT_ONCE) {
      this.#waiting.push(...ids.slice(i, i + LOOKED_UP_AT_ONCE));
      // They are gone through again with what comes: not before that is as many.
      if (this.#waiting.length < 2 * this.#begun) continue;
      const runs = await this.#reader.runs(this.#waiting);
      const begun = runs.at(-1)?.open ? runs.pop()!.ids : [];
      await this.#send(runs);
      this.#waiting = [...begun];
      this.#begun = begun.length;
    }
  }

  /** Sends the rest. */
  async finish(): Promise<void> {
    await this.#send(await this.#reader.runs(this.#waiting));
    this.#waiting = [];
    this.#begun = 0;
  }

  async #send(runs: readonly StoredRun[]): Promise<void> {
    for (const { ids, read } of runs) {
      const { frame, contents } = await read(this.#uploader.memory);
      if (frame !== undefined) await this.#uploader.putFrame(frame);
      else
        for (const [i, { kind, digest }] of ids.entries())
          await this.#uploader.put(kind, digest, contents[i]);
      await nextTurn(); // Packs on their way go on meanwhile.
    }
  }
}
