/** Merges two states of an artifact: reads what differs, lets `merge` decide, and gives the state to publish. */
import { ArtError, equalBytes } from '#base';
import { shortHash } from '#object';
import type { Digest } from '#object';
import type { NodeSource } from '#store';
import { allFates, changedNumbers, fatesOf, findVersion, saveArtifact, withFates } from '#version';
import type { Artifact, ArtifactIo, Fate } from '#version';
import { merge, numberUnder, renumberedHistory } from './merge.ts';
import { withMergedMetadata } from './merge-metadata.ts';
import { overruledWords } from './overruled.ts';
import type { History, Merged, Moves, Problem, Renumbered, Renumbering } from './merge.ts';

export type SavedArtifact = Artifact & { readonly saved: Digest };

export interface MergeArtifacts {
  /** Undefined if the two never had anything in common. */
  readonly base: Artifact | undefined;
  /** Undefined if there is none here. */
  readonly ours: SavedArtifact | undefined;
  readonly theirs: SavedArtifact;
  readonly remote: string;
  readonly fixedBelow: number;
  readonly settled: ReadonlyMap<string, number>;
  /** Where theirs was made of `base`, and has moved versions of it to other numbers. */
  readonly moved?: Moves;
}

export interface MergedArtifact {
  /** Its nodes are put. It is ours or theirs itself if nothing else is needed. */
  readonly artifact: SavedArtifact;
  readonly renumbered: readonly Renumbered[];
  /** Our numbers that are others in it. */
  readonly moved: Moves;
  /** What theirs says otherwise and is not kept, in words: `the description of "cifar:v3"`. */
  readonly overruled: readonly string[];
}

/**
 * The state that has what both have. Raises ALIAS_CONFLICT, DELETE_CONFLICT, NUMBERS_DIVERGED, REMOTE_REWRITTEN,
 * TYPE_MISMATCH; `onConflict` is told of every alias in conflict before.
 */
export async function mergeArtifacts(
  io: ArtifactIo,
  input: MergeArtifacts,
  onConflict: (conflict: { readonly alias: string; readonly theirs: number }) => void = () => {},
): Promise<MergedArtifact> {
  const { base, ours, theirs } = input;
  const kept = (artifact: SavedArtifact) => ({ artifact, renumbered: [], moved: new Map(), overruled: [] });
  if (ours === undefined || equalBytes(ours.saved, theirs.saved)) return kept(theirs);
  if (base?.saved && equalBytes(base.saved, theirs.saved)) return kept(ours);
  const here = await historiesOf(io, base, ours, theirs);
  const by = renumberingOf(input);
  const clash = [...here.ours.fates.keys()].find((n) => n < input.fixedBelow && numberUnder(by, n) !== n);
  if (clash !== undefined) throw await problemError(io, input, { kind: 'diverged', number: clash });
  const moved = (side: History) => renumberedHistory(side, by);
  const sides =
    input.moved === undefined
      ? here
      : { ...here, base: here.base && moved(here.base), ours: moved(here.ours) };
  const { name } = theirs.state;
  const overruled = overruledWords(sides, name);
  const onOverruled = (number: number, key: string) =>
    overruled.push(`${JSON.stringify(key)} in the metadata of "${name}:v${number}"`);
  const histories = { ...sides, ours: await withMergedMetadata(io, sides, onOverruled) };
  const { fixedBelow, settled } = input;
  const result = merge({ ...histories, fixedBelow, settled });
  if (result.ok) {
    const { merged } = result;
    const moves = movesOf(here.ours, by, result.moved);
    const renumbered = [...moves].flatMap(([from, to]) =>
      here.ours.fates.get(from)?.alive === true ? [{ from, to }] : [],
    );
    const artifact = changesNothing(merged, histories.theirs) ? theirs : await apply(io, theirs, merged);
    return { artifact, renumbered, moved: moves, overruled };
  }
  for (const problem of result.problems) if (problem.kind === 'alias') onConflict(problem);
  throw await problemError(io, input, asHere(result.problems[0], here.ours, by));
}

/** Without moves every number is its own. */
function renumberingOf({ base, theirs, moved }: MergeArtifacts): Renumbering {
  if (moved === undefined || base === undefined) return { moved: new Map(), next: Infinity, nextThere: 0 };
  return { moved, next: base.state.next, nextThere: theirs.state.next };
}

/** Our numbers that have become others, first by what was published and then by this merge. */
function movesOf(ours: History, by: Renumbering, then: Moves): Moves {
  const moved = new Map<number, number>();
  for (const number of [...ours.fates.keys()].sort((a, b) => a - b)) {
    const now = numberUnder(by, number);
    const to = then.get(now) ?? now;
    if (to !== number) moved.set(number, to);
  }
  return moved;
}

/** Of each side what differs from the base, and of the others what they say of that. */
async function historiesOf(
  source: NodeSource,
  base: Artifact | undefined,
  ours: Artifact,
  theirs: Artifact,
): Promise<{ readonly base: History | undefined; readonly ours: History; readonly theirs: History }> {
  if (base === undefined) {
    const history = async (side: Artifact) => historyOf(side, await allFates(source, side));
    return { base: undefined, ours: await history(ours), theirs: await history(theirs) };
  }
  const numbers = await changedNumbers(source, base, ours);
  for (const number of await changedNumbers(source, base, theirs)) numbers.add(number);
  const sorted = [...numbers].sort((a, b) => a - b);
  const history = async (side: Artifact) => historyOf(side, await fatesOf(source, side, sorted));
  return { base: await history(base), ours: await history(ours), theirs: await history(theirs) };
}

function historyOf({ state }: Artifact, fates: ReadonlyMap<number, Fate>): History {
  const { type, description, tags, aliases, next, ext } = state;
  return { type, description, tags, aliases, next, fates, ext };
}

function changesNothing(merged: Merged, theirs: History): boolean {
  return (
    merged.fates.size === 0 &&
    merged.type === theirs.type &&
    merged.description === theirs.description &&
    merged.tags === theirs.tags &&
    merged.next === theirs.next &&
    JSON.stringify(merged.ext) === JSON.stringify(theirs.ext) &&
    merged.aliases.size === theirs.aliases.size &&
    [...merged.aliases].every(([alias, number]) => theirs.aliases.get(alias) === number)
  );
}

async function apply(io: ArtifactIo, theirs: SavedArtifact, merged: Merged): Promise<SavedArtifact> {
  const { type, description, tags, aliases, next, ext } = merged;
  const said = { type, description, tags, aliases, next, ext };
  return saveArtifact(io, await withFates(io, theirs, merged.fates, said));
}

/** Numbers of ours are told as they are here. */
function asHere(problem: Problem, ours: History, by: Renumbering): Problem {
  const back = (number: number) =>
    [...ours.fates.keys()].find((each) => numberUnder(by, each) === number) ?? number;
  if (problem.kind === 'alias') return { ...problem, ours: back(problem.ours) };
  return 'number' in problem ? { ...problem, number: back(problem.number) } : problem;
}

async function problemError(source: NodeSource, input: MergeArtifacts, problem: Problem): Promise<ArtError> {
  const { ours, theirs, remote } = input;
  const { name } = theirs.state;
  switch (problem.kind) {
    case 'alias': {
      const { alias } = problem;
      const [here, there] = [`v${problem.ours}`, `v${problem.theirs}`];
      const hash = async (side: Artifact | undefined, number: number) => {
        const version = side && (await findVersion(source, side, number));
        return version === undefined ? '' : ` (${shortHash(version.commit)})`;
      };
      return new ArtError(
        'ALIAS_CONFLICT',
        `alias "${alias}" of "${name}" was moved on both sides: here it is ${here}${await hash(ours, problem.ours)}, at ${remote} ${there}${await hash(theirs, problem.theirs)}`,
        {
          hint: `Say what it is: \`art alias ${name}:${here} ${alias}\` keeps yours, \`art alias --remove ${name}:${alias}\` takes theirs. Then run the command again.`,
        },
      );
    }
    case 'deleted': {
      const { number, alias, by } = problem;
      const [deleter, other] = by === 'theirs' ? [`at ${remote}`, 'here'] : ['here', `at ${remote}`];
      return new ArtError(
        'DELETE_CONFLICT',
        `"${name}:v${number}" was deleted ${deleter}, and got the alias "${alias}" ${other} since`,
        {
          hint:
            by === 'theirs'
              ? `\`art alias --remove ${name}:${alias}\` lets it go. To keep it, commit it under another name.`
              : `\`art undo\` the deletion, or ask for the alias to be removed at ${remote}.`,
        },
      );
    }
    case 'type':
      return new ArtError(
        'TYPE_MISMATCH',
        `"${name}" is of type "${problem.ours}" here and "${problem.theirs}" at ${remote}`,
        { hint: `Rename one of them: \`art rename ${name} NEW\`.` },
      );
    case 'diverged':
      return new ArtError(
        'NUMBERS_DIVERGED',
        `"${name}:v${problem.number}" is known to another remote, and ${remote} gave that number to another version`,
      );
    case 'rewritten':
      return new ArtError(
        'REMOTE_REWRITTEN',
        `${remote} says something else of "${name}:v${problem.number}" than it did: its history was rewritten`,
      );
  }
}
