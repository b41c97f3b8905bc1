/** Tells of a checkout that was stopped midway, and keeps the mixture it left from being taken for a version. */
import { ArtError, equalBytes } from '#base';
import type { Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import { findVersionOfCommit } from '#version';
import type { Goal, Held } from '#version';
import { PathFilter } from '#worktree';
import type { Context } from './context.ts';
import { artifactNames } from './find.ts';
import { findArtifact } from './operation.ts';
import { bindingAt } from './wanted-files.ts';

/** How a checkout that was stopped is called and finished; `into`: the folder, where it is not the bound one. */
async function goalOf(
  { root }: Pick<Context, 'root'>,
  source: RecordSource & NodeSource,
  { artifact, path, moving }: Held,
  into: string | undefined,
): Promise<{ readonly what: string; readonly again: string }> {
  const [goal] = moving;
  for (const name of new Set([artifact, ...(await artifactNames(source))])) {
    const found = await findArtifact(source, name);
    const version = found && (await findVersionOfCommit(source, found, goal.commit));
    if (!version) continue;
    const spec = `${name}:v${version.number}`;
    const parts = partsOf(goal);
    // A folder that was bound since may hold no part: all of the version finishes that, too.
    const part = bindingAt(root, path) === undefined ? parts : '';
    const words = [spec, ...(into === undefined ? [] : [JSON.stringify(into)])].join(' ') + part;
    const again = part === parts ? ' again' : ' for all of it';
    return { what: `the checkout of ${spec}${parts}`, again: `run \`art checkout ${words}\`${again}` };
  }
  return { what: 'a checkout of a version that is gone', again: 'check another version out into it' };
}

/** Of checkouts that were stopped in one folder so many are remembered: each is one more tree to walk. */
const GOALS_MAX = 8;

/** Paths of one goal that are remembered by name, in characters: of those that name more it is known that they are parts. */
const PATHS_LENGTH_MAX = 8192;
/** A path filter of what is not remembered by name: all that may have been put there. */
const MANY_PATHS: readonly string[] = [''];

/** Where a folder is going, once it sets out for `goal`: what others were stopped at is still in it. */
export function withGoal(held: Held | undefined, goal: Goal): Goal[] {
  const others = held?.moving.filter(({ tree }) => !equalBytes(tree, goal.tree)) ?? [];
  const length = goal.paths.reduce((sum, path) => sum + path.length, 0);
  const named = length > PATHS_LENGTH_MAX ? { ...goal, paths: MANY_PATHS } : goal;
  return [named, ...others].slice(0, GOALS_MAX);
}

/** Of those that were stopped: what still is, once `paths` (none for all) are as they shall be. */
export function goalsLeft(held: Held | undefined, paths: readonly string[]): readonly Goal[] {
  if (held === undefined || paths.length === 0) return [];
  const done = new PathFilter(paths);
  return held.moving.filter(
    (goal) => goal.paths.length === 0 || !goal.paths.every((path) => done.matches(path)),
  );
}

function partsOf({ paths }: Goal): string {
  return paths.map((path) => (path === '' ? ' --path …' : ` --path ${JSON.stringify(path)}`)).join('');
}

/** What is said of such a folder, called `bound` in `art.toml` if it is there; undefined if no checkout was stopped in it. */
export async function unfinishedText(
  context: Context,
  held: Held,
  bound?: string,
): Promise<string | undefined> {
  if (held.moving.length === 0) return undefined;
  const { what, again } = await goalOf(
    context,
    context.store,
    held,
    bound === undefined ? held.path : undefined,
  );
  return `${what} into ${JSON.stringify(bound ?? held.path)} was not finished: ${again}`;
}

/**
 * What a folder with exactly `tree` in it holds: where a checkout was stopped, one of the versions, whole.
 * Raises CHECKOUT_UNFINISHED if it has a mixture of them.
 */
export async function settledHeld(
  context: Pick<Context, 'root'>,
  source: RecordSource & NodeSource,
  held: Held,
  tree: Digest,
): Promise<Held> {
  const { moving, path, partial } = held;
  if (moving.length === 0 || (!partial && equalBytes(held.tree, tree))) return held;
  const reached = moving.find((goal) => goal.paths.length === 0 && equalBytes(goal.tree, tree));
  if (reached !== undefined)
    return { ...held, commit: reached.commit, tree: reached.tree, partial: false, moving: [] };
  const { what, again } = await goalOf(context, source, held, path);
  throw new ArtError('CHECKOUT_UNFINISHED', `${what} into ${JSON.stringify(path)} was not finished`, {
    hint: `${capital(again)}. As it is: \`art commit NAME --add .=${JSON.stringify(path)}\`.`,
  });
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
