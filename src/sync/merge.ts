/** Decides what becomes of an artifact that two sides changed: a pure function of both and of what they had in common. */
import { isDeepStrictEqual } from 'node:util';
import { compareUtf8, equalBytes, toHex } from '#base';
import type { Ext } from '#object';
import { RENAMED_TO } from '#version';
import type { Fate, Tombstone, Version } from '#version';

/** An artifact as its merging sees it. Of numbers that all sides say the same of, all may say nothing. */
export interface History {
  readonly type: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Numbers by alias. */
  readonly aliases: ReadonlyMap<string, number>;
  readonly next: number;
  readonly fates: ReadonlyMap<number, Fate>;
  readonly ext: Ext;
}

export interface MergeInput {
  /** What both had in common last; undefined if they never had. */
  readonly base: History | undefined;
  readonly ours: History;
  readonly theirs: History;
  /** Numbers of ours below this are known elsewhere and must not change. */
  readonly fixedBelow: number;
  /** For aliases whose conflict somebody has settled here: the version of theirs they were told about. */
  readonly settled: ReadonlyMap<string, number>;
}

export interface Renumbered {
  readonly from: number;
  readonly to: number;
}

/** What to change in theirs, so that it has what both have. */
export interface Merged {
  readonly fates: ReadonlyMap<number, Fate>;
  readonly type: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly aliases: ReadonlyMap<string, number>;
  readonly next: number;
  readonly ext: Ext;
  /** Versions of ours that got another number, in order. */
  readonly renumbered: readonly Renumbered[];
}

/** New numbers by old ones. */
export type Moves = ReadonlyMap<number, number>;

/** Why there is no merging without somebody's word. Numbers of ours are as they are here. */
export type Problem =
  | { readonly kind: 'alias'; readonly alias: string; readonly ours: number; readonly theirs: number }
  | {
      readonly kind: 'deleted';
      readonly number: number;
      readonly alias: string;
      readonly by: 'ours' | 'theirs';
    }
  | { readonly kind: 'type'; readonly ours: string; readonly theirs: string }
  | { readonly kind: 'diverged'; readonly number: number }
  | { readonly kind: 'rewritten'; readonly number: number };

export type MergeResult =
  /** `moved`: what was renumbered, and what would have been if it were not deleted. */
  | { readonly ok: true; readonly merged: Merged; readonly moved: Moves }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Merges ours into theirs. Theirs keep their numbers, our new versions follow in order; a commit that both have is one
 * version. What one side changed is taken, what both changed is united: tags and producers as sets, all else as ours
 * has it. A deletion wins over an edit, but not over an alias put there since; of what was only renamed, what got such an
 * alias stays under the old name. Merging again what came out gives the same: merge(base, ours, merged) is merged.
 */
export function merge(input: MergeInput): MergeResult {
  const problems = [...rewritten(input), ...typeProblems(input)];
  if (problems.length > 0) return { ok: false, problems };
  const known = mergeKnown(input);
  const fresh = placeNew(input);
  const numberOf = (number: number) => fresh.placed.get(number) ?? number;
  const aliases = mergeAliases(input, numberOf);
  problems.push(...known.problems, ...fresh.problems, ...aliases.problems);
  if (problems.length > 0) return { ok: false, problems };
  const fates = new Map([...known.fates, ...fresh.fates]);
  const { base, ours, theirs } = input;
  const live = [...aliases.merged].filter(
    ([, number]) => (fates.get(number) ?? theirs.fates.get(number))?.alive !== false,
  );
  const merged: Merged = {
    fates,
    type: pick(base?.type ?? ours.type, ours.type, theirs.type),
    description: pick(base?.description ?? '', ours.description, theirs.description),
    tags: united(base?.tags, ours.tags, theirs.tags),
    aliases: new Map(live),
    next: Math.max(theirs.next, fresh.next),
    ext: pick(base?.ext ?? {}, ours.ext, theirs.ext),
    renumbered: fresh.renumbered,
  };
  return { ok: true, merged, moved: new Map([...fresh.placed].filter(([from, to]) => from !== to)) };
}

/** How a merge that was published has numbered what it knew: what came since follows it. */
export interface Renumbering {
  readonly moved: Moves;
  /** The first number that it did not know, and the first that is free now. */
  readonly next: number;
  readonly nextThere: number;
}

export function numberUnder({ moved, next, nextThere }: Renumbering, number: number): number {
  return number >= next ? number - next + nextThere : (moved.get(number) ?? number);
}

/** `history` under its new numbers. */
export function renumberedHistory(history: History, by: Renumbering): History {
  const fates = [...history.fates].map(([number, fate]): [number, Fate] => {
    const to = numberUnder(by, number);
    return [to, renumberedFate(fate, to)];
  });
  const aliases = [...history.aliases].map(([alias, number]): [string, number] => [
    alias,
    numberUnder(by, number),
  ]);
  const next = numberUnder(by, history.next);
  return { ...history, fates: new Map(fates), aliases: new Map(aliases), next };
}

/** Everything that was said of a number stands, or was deleted: else it is another history under the same name. */
function rewritten({ base, theirs }: MergeInput): Problem[] {
  if (base === undefined) return [];
  const lost = [...base.fates].filter(([number, fate]) => {
    const now = theirs.fates.get(number);
    return now === undefined || !equalBytes(commitOf(now), commitOf(fate));
  });
  const [first] = lost.map(([number]) => number).sort((a, b) => a - b);
  if (first !== undefined) return [{ kind: 'rewritten', number: first }];
  return theirs.next < base.next ? [{ kind: 'rewritten', number: theirs.next }] : [];
}

function typeProblems({ base, ours, theirs }: MergeInput): Problem[] {
  const differ =
    ours.type !== theirs.type &&
    (base === undefined || (ours.type !== base.type && theirs.type !== base.type));
  return differ ? [{ kind: 'type', ours: ours.type, theirs: theirs.type }] : [];
}

/** The numbers that both sides knew already: only what is said of them can differ. */
function mergeKnown({ base, ours, theirs }: MergeInput): {
  readonly fates: Map<number, Fate>;
  readonly problems: Problem[];
} {
  const fates = new Map<number, Fate>();
  const problems: Problem[] = [];
  for (const [number, before] of base?.fates ?? []) {
    const mine = ours.fates.get(number) ?? before;
    const its = theirs.fates.get(number) ?? before;
    if (before.alive && mine.alive !== its.alive) {
      // One side deleted it: that wins over an edit, but not over a name it got since.
      const by = mine.alive ? 'theirs' : 'ours';
      const [keeper, deleter] = mine.alive ? [ours, theirs] : [theirs, ours];
      const alias = newAliasOn(number, keeper, base);
      const stays = alias !== undefined && hasRenamed(deleter, base);
      if (alias !== undefined && !stays) problems.push({ kind: 'deleted', number, alias, by });
      else if (mine.alive === stays) fates.set(number, mine);
    } else if (sameFate(mine, before) || sameFate(mine, its)) {
      continue; // As theirs has it.
    } else if (sameFate(its, before)) fates.set(number, mine);
    else if (mine.alive && its.alive) {
      const both = mergeVersions(before.alive ? before.version : undefined, mine.version, its.version);
      if (!sameVersion(both, its.version)) fates.set(number, { alive: true, version: both });
    } else if (mine.alive) fates.set(number, mine);
  }
  return { fates, problems };
}

/** Whether this side has given up the name: its versions are there under another, and nobody wanted them gone. */
function hasRenamed(side: History, base: History | undefined): boolean {
  const to = side.ext[RENAMED_TO];
  return to !== undefined && to !== base?.ext[RENAMED_TO];
}

function newAliasOn(number: number, side: History, base: History | undefined): string | undefined {
  for (const [alias, named] of side.aliases)
    if (named === number && base?.aliases.get(alias) !== number) return alias;
  return undefined;
}

interface Placed {
  /** Where each new number of ours is in the merged history. */
  readonly placed: ReadonlyMap<number, number>;
  readonly fates: ReadonlyMap<number, Fate>;
  readonly renumbered: readonly Renumbered[];
  readonly next: number;
  readonly problems: readonly Problem[];
}

/** Our new versions, each under its own number if that is free, else behind theirs. */
function placeNew({ base, ours, theirs, fixedBelow }: MergeInput): Placed {
  const theirsByCommit = new Map<string, number>();
  for (const [number, fate] of theirs.fates)
    if (base?.fates.has(number) !== true) theirsByCommit.set(toHex(commitOf(fate)), number);
  const placed = new Map<number, number>();
  const fates = new Map<number, Fate>();
  const problems: Problem[] = [];
  const renumbered: Renumbered[] = [];
  const fresh = [...ours.fates].filter(([number]) => base?.fates.has(number) !== true);
  let next = theirs.next;
  for (const [number, fate] of fresh.sort(([a], [b]) => a - b)) {
    const known = theirsByCommit.get(toHex(commitOf(fate)));
    const to = known ?? Math.max(next, number);
    placed.set(number, to);
    if (known === undefined) {
      fates.set(to, renumberedFate(fate, to));
      next = to + 1;
    } else {
      const its = theirs.fates.get(known)!;
      const both = meet(renumberedFate(fate, known), its, number, ours);
      if ('kind' in both) problems.push(both);
      else if (!sameFate(both, its)) fates.set(known, both);
    }
    if (to === number) continue;
    if (number < fixedBelow) problems.push({ kind: 'diverged', number });
    if (fate.alive) renumbered.push({ from: number, to });
  }
  // Numbers that were given and never travelled are not given again.
  const unchanged = renumbered.length === 0 ? ours.next : 0;
  return { placed, fates, renumbered, next: Math.max(next, unchanged), problems };
}

/** One commit that both sides have and that was never known as common: what was said of it here and there. */
function meet(mine: Fate, its: Fate, number: number, ours: History): Fate | Problem {
  if (!its.alive) {
    if (!mine.alive) return its;
    const alias = newAliasOn(number, ours, undefined);
    return alias === undefined ? its : { kind: 'deleted', number, alias, by: 'theirs' };
  }
  if (!mine.alive) return mine;
  return { alive: true, version: mergeVersions(undefined, mine.version, its.version) };
}

function renumberedFate(fate: Fate, number: number): Fate {
  return fate.alive
    ? { alive: true, version: { ...fate.version, number } }
    : { alive: false, tombstone: { ...fate.tombstone, number } };
}

function mergeAliases(
  { base, ours, theirs, settled }: MergeInput,
  numberOf: (number: number) => number,
): { readonly merged: Map<string, number>; readonly problems: Problem[] } {
  const merged = new Map<string, number>();
  const problems: Problem[] = [];
  for (const alias of [...new Set([...ours.aliases.keys(), ...theirs.aliases.keys()])].sort(compareUtf8)) {
    const here = ours.aliases.get(alias);
    const mine = here === undefined ? undefined : numberOf(here);
    const its = theirs.aliases.get(alias);
    // Who took ours away after being told leaves it to theirs.
    const told = mine !== undefined && its !== undefined && settled.get(alias) === its;
    const before = told ? its : base?.aliases.get(alias);
    const isConflict =
      mine !== its && mine !== before && its !== before && mine !== undefined && its !== undefined;
    if (isConflict) problems.push({ kind: 'alias', alias, ours: here!, theirs: its });
    // A name that one side moved and the other took away stays where it was moved to.
    const number = mine === before ? its : (mine ?? (its === before ? undefined : its));
    if (number !== undefined) merged.set(alias, number);
  }
  return { merged, problems };
}

function mergeVersions(base: Version | undefined, ours: Version, theirs: Version): Version {
  const { description, metadata, ext, ...rest } = theirs;
  const said = {
    description: pick(base?.description, ours.description, description),
    metadata: pick(base?.metadata, ours.metadata, metadata),
    ext: pick(base?.ext, ours.ext, ext),
  };
  return {
    ...rest,
    tags: united(base?.tags, ours.tags, theirs.tags),
    ttl: pick(base?.ttl ?? null, ours.ttl, theirs.ttl),
    producers: united(base?.producers, ours.producers, theirs.producers),
    ...(said.description !== undefined && { description: said.description }),
    ...(said.metadata !== undefined && { metadata: said.metadata }),
    ...(said.ext !== undefined && { ext: said.ext }),
  };
}

/** Ours if we changed it, else theirs. */
function pick<T>(base: T, ours: T, theirs: T): T {
  return sameValue(ours, base) ? theirs : ours;
}

/** What either side added, without what either side took away; sorted. */
function united(
  base: readonly string[] | undefined,
  ours: readonly string[],
  theirs: readonly string[],
): readonly string[] {
  const [before, mine, its] = [new Set(base), new Set(ours), new Set(theirs)];
  const all = new Set([...mine, ...its]);
  const kept = [...all].filter((item) => !before.has(item) || (mine.has(item) && its.has(item)));
  const same = kept.length === theirs.length && kept.every((item) => its.has(item));
  return same ? theirs : kept.sort(compareUtf8);
}

/** The version of that number, if it is alive there. */
export function aliveAt(history: History | undefined, number: number): Version | undefined {
  const fate = history?.fates.get(number);
  return fate?.alive === true ? fate.version : undefined;
}

export function commitOf(fate: Fate): Uint8Array {
  return fate.alive ? fate.version.commit : fate.tombstone.commit;
}

function sameFate(a: Fate, b: Fate): boolean {
  if (a.alive && b.alive) return sameVersion(a.version, b.version);
  if (a.alive || b.alive) return false;
  return sameTombstone(a.tombstone, b.tombstone);
}

function sameTombstone(a: Tombstone, b: Tombstone): boolean {
  return a.number === b.number && a.who === b.who && a.when === b.when && equalBytes(a.commit, b.commit);
}

function sameVersion(a: Version, b: Version): boolean {
  const said = ['number', 'tags', 'ttl', 'producers', 'description', 'metadata', 'ext'] as const;
  return equalBytes(a.commit, b.commit) && said.every((key) => sameValue(a[key], b[key]));
}

// A digest may be a Buffer on one side and a plain array of bytes on the other.
function sameValue(a: unknown, b: unknown): boolean {
  if (isBytes(a) && isBytes(b)) return equalBytes(a, b);
  return isDeepStrictEqual(a, b);
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
