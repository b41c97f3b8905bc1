/** A bucket whose puts may be made to go wrong, by a script of the test. */
import { ArtError } from '#base';
import type { Abortable, Body, Bucket, ByteRange, Got, Listed, Tag } from '#sync';

/** What becomes of a put: done as asked; done, but nobody is told; not done, and nobody is told; the process is dead. */
export type Outcome = 'done' | 'done-unheard' | 'undone-unheard' | 'killed';

export class ScriptedBucket implements Bucket {
  readonly #inner: Bucket;
  /** Asked before each put; by default all is well. */
  script: (key: string) => Outcome | Promise<Outcome> = () => 'done';
  readonly puts: string[] = [];

  constructor(inner: Bucket) {
    this.#inner = inner;
  }

  get url(): string {
    return this.#inner.url;
  }

  get(key: string, options?: Abortable & { readonly range?: ByteRange }): Promise<Got | undefined> {
    return this.#inner.get(key, options);
  }

  putIfAbsent(key: string, body: Body, options?: Abortable): Promise<Tag | undefined> {
    return this.#scripted(key, () => this.#inner.putIfAbsent(key, body, options));
  }

  putIfTag(key: string, body: Body, tag: Tag, options?: Abortable): Promise<Tag | undefined> {
    return this.#scripted(key, () => this.#inner.putIfTag(key, body, tag, options));
  }

  list(prefix: string, options?: Abortable & { readonly after?: string }): AsyncIterable<Listed> {
    return this.#inner.list(prefix, options);
  }

  delete(key: string, options?: Abortable & { readonly tag?: Tag }): Promise<boolean> {
    return this.#inner.delete(key, options);
  }

  time(options?: Abortable): Promise<number> {
    return this.#inner.time(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #scripted(key: string, put: () => Promise<Tag | undefined>): Promise<Tag | undefined> {
    const outcome = await this.script(key);
    this.puts.push(key);
    if (outcome === 'killed') throw new ArtError('INTERRUPTED', 'killed');
    const tag = outcome === 'undone-unheard' ? undefined : await put();
    if (outcome === 'done') return tag;
    throw new ArtError('REMOTE_UNCERTAIN', `nobody knows what became of ${key}`);
  }
}
