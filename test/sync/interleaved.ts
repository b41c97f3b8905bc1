/** Interleaves what several do with one bucket: every operation waits for its turn, which a seeded dice gives. */
import type { Abortable, Body, Bucket, ByteRange, Got, Listed, Tag } from '#sync';
import { dice } from '../dice.ts';

interface Waiting {
  readonly actor: string;
  go(): void;
}

export class Turns {
  readonly #roll: (sides: number) => number;
  #waiting: Waiting[] = [];
  #over = false;
  turns = 0;

  constructor(seed: number) {
    this.#roll = dice(seed);
  }

  /** Gives turns until `work` has ended. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const ended = this.#give();
    try {
      return await work();
    } finally {
      this.#over = true;
      await ended;
    }
  }

  /** Waits until it is the turn of `actor`. */
  turnOf(actor: string): Promise<void> {
    if (this.#over) return Promise.resolve();
    return new Promise((go) => this.#waiting.push({ actor, go }));
  }

  /** Waits until others had so many turns, or for so long: they may be waiting for us, or done. */
  async pass(turns: number, msMax: number): Promise<void> {
    const end = performance.now() + msMax;
    const until = this.turns + turns;
    while (this.turns < until && performance.now() < end && !this.#over)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async #give(): Promise<void> {
    let favourite: string | undefined;
    while (!this.#over) {
      await new Promise((resolve) => setImmediate(resolve));
      const ready = this.#waiting;
      if (ready.length === 0) continue;
      // Now and then somebody gets many turns in a row: what is rare otherwise.
      if (this.#roll(6) === 0) favourite = ready[this.#roll(ready.length)].actor;
      const preferred = ready.filter(({ actor }) => actor === favourite);
      const from = preferred.length > 0 && this.#roll(4) > 0 ? preferred : ready;
      const next = from[this.#roll(from.length)];
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.turns++;
      next.go();
    }
    for (const { go } of this.#waiting) go();
  }
}

/** The bucket as one actor has it. */
export class TurnBucket implements Bucket {
  readonly #inner: Bucket;
  readonly #turns: Turns;
  readonly #actor: string;
  /** Called before each operation with what it is; it may raise. */
  before: ((act: string, key: string) => void | Promise<void>) | undefined;

  constructor(inner: Bucket, turns: Turns, actor: string) {
    this.#inner = inner;
    this.#turns = turns;
    this.#actor = actor;
  }

  get url(): string {
    return this.#inner.url;
  }

  async get(key: string, options?: Abortable & { readonly range?: ByteRange }): Promise<Got | undefined> {
    await this.#turn('get', key);
    return this.#inner.get(key, options);
  }

  async putIfAbsent(key: string, body: Body, options?: Abortable): Promise<Tag | undefined> {
    await this.#turn('putIfAbsent', key);
    return this.#inner.putIfAbsent(key, body, options);
  }

  async putIfTag(key: string, body: Body, tag: Tag, options?: Abortable): Promise<Tag | undefined> {
    await this.#turn('putIfTag', key);
    return this.#inner.putIfTag(key, body, tag, options);
  }

  async *list(
    prefix: string,
    options?: Abortable & { readonly after?: string },
  ): AsyncGenerator<Listed, void, undefined> {
    await this.#turn('list', prefix);
    // At one instant, as a store answers a page.
    const page: Listed[] = [];
    for await (const listed of this.#inner.list(prefix, options)) page.push(listed);
    yield* page;
  }

  async delete(key: string, options?: Abortable & { readonly tag?: Tag }): Promise<boolean> {
    await this.#turn('delete', key);
    return this.#inner.delete(key, options);
  }

  time(options?: Abortable): Promise<number> {
    return this.#inner.time(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #turn(act: string, key: string): Promise<void> {
    // The check of the store is about the store, and is no part of any story.
    if (key.startsWith('probe/') || key.startsWith('refs/@probe-')) return;
    await this.#turns.turnOf(this.#actor);
    await this.before?.(act, key);
  }
}
