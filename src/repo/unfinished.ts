/** Tells of a checkout that was stopped midway, and keeps the mixture it left from being taken for a version. */
import { ArtError, equalBytes } from '#base';
import type { Digest } from '#object';
import type { NodeSource, RecordSource } from '#store';
import { findVersionOfCommit } from '#version';
import type { Held } from '#version';
import { artifactNames } from './find.ts';
import { findArtifact } from './operation.ts';

/** How a checkout that was stopped is called and finished; `into`: the folder, where it is not the bound one. */
async function goalOf(
  source: RecordSource & NodeSource,
  { artifact, moving }: Held,
  into: string | undefined,
): Promise<{ readonly what: string; readonly again: string }> {
  for (const name of new Set([artifact, ...(await artifactNames(source))])) {
    const found = await findArtifact(source, name);
    const version = found && moving && (await findVersionOfCommit(source, found, moving.commit));
    if (!version) continue;
    const spec = `${name}:v${version.number}`;
    const words = into === undefined ? spec : `${spec} ${JSON.stringify(into)}`;
    return { what: `the checkout of ${spec}`, again: `run \`art checkout ${words}\` again` };
  }
  return { what: 'a checkout of a version that is gone', again: 'check another version out into it' };
}

/** What `status` says of such a folder, called `path` in `art.toml`; undefined if no checkout was stopped there. */
export async function unfinishedText(
  source: RecordSource & NodeSource,
  held: Held,
  path: string,
): Promise<string | undefined> {
  if (held.moving === null) return undefined;
  const { what, again } = await goalOf(source, held, undefined);
  return `${what} into ${JSON.stringify(path)} was not finished: ${again}`;
}

/**
 * What a folder with exactly `tree` in it holds: where a checkout was stopped, one of the two versions, whole.
 * Raises CHECKOUT_UNFINISHED if it has a mixture of both.
 */
export async function settledHeld(
  source: RecordSource & NodeSource,
  held: Held,
  tree: Digest,
): Promise<Held> {
  const { moving, path, partial } = held;
  if (moving === null || (!partial && equalBytes(held.tree, tree))) return held;
  if (equalBytes(moving.tree, tree)) return { ...held, ...moving, partial: false, moving: null };
  const { what, again } = await goalOf(source, held, path);
  throw new ArtError('CHECKOUT_UNFINISHED', `${what} into ${JSON.stringify(path)} was not finished`, {
    hint: `${capital(again)}. As it is: \`art commit NAME --add .=${JSON.stringify(path)}\`.`,
  });
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
