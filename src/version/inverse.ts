/** Takes back what one operation changed in an artifact and keeps what came later, or says why that cannot be. */
import { isDeepStrictEqual } from 'node:util';
import { ArtError } from '#base';
import { diff } from '#tree';
import type { MapChange, MapEdit } from '#tree';
import type { Artifact } from './artifact.ts';
import { absent, applyEdits, grave, tagSet, withState } from './edits.ts';
import type { ArtifactIo, Deleter } from './edits.ts';
import { numberOfKey, versionEntry, versionsOf } from './version.ts';
import type { Version } from './version.ts';
import { findTombstone, findVersion } from './versions.ts';

/** What an operation did: `before` is undefined if it made the artifact. */
export interface Change {
  readonly before: Artifact | undefined;
  readonly after: Artifact;
  /** The artifact as it is now. */
  readonly current: Artifact;
}

export interface TakenBack {
  /** `current` itself if nothing was left to take back. */
  readonly artifact: Artifact;
  /** What was taken back, in words: `v3 is deleted again`. */
  readonly words: readonly string[];
  /** Versions that are live again. */
  readonly restored: readonly Version[];
}

/**
 * `current` with the inverse of the change from `before` to `after`: three-way for each alias, each version and what is
 * said about it, tags, description and type. The next number stays; numbers that vanish become tombstones.
 * Raises UNDO_REFUSED where something later stands on what would go.
 */
export async function takeBack(io: ArtifactIo, change: Change, by: Deleter): Promise<TakenBack> {
  return new Inverse(io, change, by).apply();
}

class Inverse {
  readonly #io: ArtifactIo;
  readonly #by: Deleter;
  readonly #before: Artifact | undefined;
  readonly #after: Artifact;
  readonly #current: Artifact;
  readonly #words: string[] = [];
  readonly #restored: Version[] = [];
  readonly #versions: MapEdit[] = [];
  readonly #tombstones: MapEdit[] = [];

  constructor(io: ArtifactIo, { before, after, current }: Change, by: Deleter) {
    this.#io = io;
    this.#by = by;
    this.#before = before;
    this.#after = after;
    this.#current = current;
  }

  async apply(): Promise<TakenBack> {
    const [before, after, { state }] = [this.#before?.state, this.#after.state, this.#current];
    const { type, description } = this.#said();
    const tags = setInverse(before?.tags ?? [], after.tags, state.tags);
    if (!isDeepStrictEqual(tags, state.tags)) this.#words.push(`its tags are ${listed(tags)} again`);
    const differing = diff(this.#io, before?.versions ?? undefined, after.versions ?? undefined);
    for await (const batch of differing) for (const one of batch) await this.#version(one);
    const aliases = this.#aliases();
    if (this.#words.length === 0) return { artifact: this.#current, words: [], restored: [] };
    const edits = { versions: this.#versions, tombstones: this.#tombstones };
    const artifact = withState(await applyEdits(this.#io, this.#current, edits), {
      type,
      description,
      tags: tagSet(tags),
      aliases,
    });
    await this.#checkAliases(artifact);
    return { artifact, words: this.#words, restored: this.#restored };
  }

  #said(): { readonly type: string; readonly description: string } {
    const [before, after, { state }] = [this.#before?.state, this.#after.state, this.#current];
    const type = this.#scalar('its type', before?.type ?? after.type, after.type, state.type);
    const description = this.#scalar(
      'its description',
      before?.description ?? '',
      after.description,
      state.description,
    );
    if (type !== state.type) this.#words.push(`its type is "${type}" again`);
    if (description !== state.description) this.#words.push(`its description is as it was`);
    return { type, description };
  }

  async #version({ key, before, after }: MapChange): Promise<void> {
    const number = numberOfKey(key);
    const [was] = before === undefined ? [] : await versionsOf(this.#io, [before]);
    const [became] = after === undefined ? [] : await versionsOf(this.#io, [after]);
    const now = await findVersion(this.#io, this.#current, number);
    if (was === undefined) await this.#remove(became, now);
    else if (became === undefined) await this.#restore(was, now);
    else this.#edit(was, became, now);
  }

  async #remove(made: Version, now: Version | undefined): Promise<void> {
    if (now === undefined) return;
    const { number, commit, bytes } = made;
    if (!isDeepStrictEqual(now, made)) throw this.#refused(`v${number} was changed since`);
    this.#versions.push(absent(number));
    this.#tombstones.push(grave({ number, commit, bytes, ...this.#by }));
    this.#words.push(`v${number} is taken back`);
  }

  async #restore(was: Version, now: Version | undefined): Promise<void> {
    if (now !== undefined) return;
    const entry = versionEntry(this.#io, was);
    this.#versions.push({ key: entry.key, entry });
    if ((await findTombstone(this.#io, this.#current, was.number)) !== undefined)
      this.#tombstones.push(absent(was.number));
    this.#restored.push(was);
    this.#words.push(`v${was.number} is back`);
  }

  #edit(was: Version, became: Version, now: Version | undefined): void {
    const shown = `v${was.number}`;
    if (now === undefined) throw this.#refused(`${shown} was deleted since`);
    if (!isDeepStrictEqual(was.commit, became.commit))
      throw this.#refused(`it gave ${shown} another content`);
    const of = <K extends 'ttl' | 'description' | 'metadata' | 'ext'>(key: K): Version[K] =>
      this.#scalar(`${nameOf(key)} of ${shown}`, was[key], became[key], now[key]);
    const values = { description: of('description'), metadata: of('metadata'), ext: of('ext') };
    const { number, bytes, commit } = now;
    const value: Version = {
      ...{ number, bytes, commit },
      tags: tagSet(setInverse(was.tags, became.tags, now.tags)),
      producers: setInverse(was.producers, became.producers, now.producers),
      ttl: of('ttl'),
      ...Object.fromEntries(Object.entries(values).filter(([, given]) => given !== undefined)),
    };
    if (isDeepStrictEqual(value, now)) return;
    const entry = versionEntry(this.#io, value);
    this.#versions.push({ key: entry.key, entry });
    const changed = SAID.filter((key) => !isDeepStrictEqual(value[key], now[key]));
    this.#words.push(...changed.map((key) => `${nameOf(key)} of ${shown} as before`));
  }

  #aliases(): ReadonlyMap<string, number> {
    const [before, after] = [
      this.#before?.state.aliases ?? new Map<string, number>(),
      this.#after.state.aliases,
    ];
    const aliases = new Map(this.#current.state.aliases);
    for (const alias of new Set([...before.keys(), ...after.keys()])) {
      const [was, now] = [before.get(alias), aliases.get(alias)];
      const number = this.#scalar(`the alias "${alias}"`, was, after.get(alias), now);
      if (number === now) continue;
      if (number === undefined) aliases.delete(alias);
      else aliases.set(alias, number);
      this.#words.push(number === undefined ? `${alias} names nothing` : `${alias} is v${number} again`);
    }
    return aliases;
  }

  // Only now is it known which versions there are: an alias that somebody set later may name one that goes.
  async #checkAliases(artifact: Artifact): Promise<void> {
    for (const [alias, number] of artifact.state.aliases) {
      if ((await findVersion(this.#io, artifact, number)) !== undefined) continue;
      const stands = this.#current.state.aliases.get(alias) === number;
      throw this.#refused(
        stands
          ? `the alias "${alias}" names v${number} since`
          : `v${number}, which "${alias}" named, was deleted since`,
      );
    }
  }

  /** The inverse on one value: what it was, unless the change did not touch it; what somebody else made of it stays. */
  #scalar<T>(what: string, was: T, became: T, now: T): T {
    if (isDeepStrictEqual(was, became) || isDeepStrictEqual(now, was)) return now;
    if (isDeepStrictEqual(now, became)) return was;
    throw this.#refused(`${what} was changed since`);
  }

  #refused(why: string): ArtError {
    return new ArtError('UNDO_REFUSED', `it cannot be taken back from "${this.#current.state.name}": ${why}`);
  }
}

/** `now` without what was added and with what was removed; others' members stay. */
function setInverse(
  was: readonly string[],
  became: readonly string[],
  now: readonly string[],
): readonly string[] {
  const kept = now.filter((one) => was.includes(one) || !became.includes(one));
  return [...kept, ...was.filter((one) => !became.includes(one) && !kept.includes(one))];
}

const SAID = ['tags', 'producers', 'ttl', 'description', 'metadata', 'ext'] as const;

function nameOf(key: (typeof SAID)[number]): string {
  return key === 'ttl' ? 'time to live' : key === 'ext' ? 'further fields' : key;
}

function listed(tags: readonly string[]): string {
  return tags.length === 0 ? 'none' : tags.join(', ');
}
