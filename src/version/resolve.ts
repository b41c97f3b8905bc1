/** Finds the version that a spec points at, or says what is missing and what may have been meant. */
import { ArtError, suggest } from '#base';
import { isHashText, shortHash } from '#object';
import type { NodeSource } from '#store';
import type { Artifact } from './artifact.ts';
import { LATEST } from './names.ts';
import type { Alias } from './names.ts';
import type { Selector } from './spec.ts';
import { findByHash, findLatest, findTombstone, findVersion, listVersions } from './versions.ts';
import type { Version } from './version.ts';

const CANDIDATES_MAX = 10;

/**
 * The live version that `selector` points at, or the one `back` live versions before it. Raises VERSION_NOT_FOUND,
 * ALIAS_NOT_FOUND, or HASH_AMBIGUOUS with the candidates. An alias of a remote is ALIAS_NOT_FOUND here: this artifact
 * knows its own only.
 */
export async function resolve(
  source: NodeSource,
  artifact: Artifact,
  selector: Selector,
  back = 0,
): Promise<Version> {
  const selected = await select(source, artifact, selector);
  if (back === 0) return selected;
  let steps = 0;
  for await (const batch of listVersions(source, artifact, {
    newestFirst: true,
    before: selected.number,
    limit: back,
  })) {
    steps += batch.length;
    if (steps === back) return batch[batch.length - 1];
  }
  const shown = `"${artifact.state.name}:v${selected.number}"`;
  const before =
    steps === 0 ? 'no version comes' : steps === 1 ? 'only 1 version comes' : `only ${steps} versions come`;
  throw new ArtError('VERSION_NOT_FOUND', `${before} before ${shown}, not ${back}`);
}

/** The live version `number`; raises VERSION_NOT_FOUND, telling if it was deleted. */
export async function getVersion(source: NodeSource, artifact: Artifact, number: number): Promise<Version> {
  const found = await findVersion(source, artifact, number);
  if (found) return found;
  const shown = `version "${artifact.state.name}:v${number}"`;
  const tombstone = await findTombstone(source, artifact, number);
  if (tombstone) {
    const day = new Date(tombstone.when).toISOString().slice(0, 10);
    throw new ArtError('VERSION_NOT_FOUND', `${shown} was deleted by ${tombstone.who} on ${day}`);
  }
  const latest = await findLatest(source, artifact);
  const hint = latest ? { hint: `The newest version is "${artifact.state.name}:v${latest.number}".` } : {};
  throw new ArtError('VERSION_NOT_FOUND', `${shown} does not exist`, hint);
}

/** ARTIFACT_NOT_FOUND for `name`, with the nearest of the names there are. */
export function artifactNotFound(name: string, known: Iterable<string>): ArtError {
  const meant = suggest(name, known);
  return new ArtError('ARTIFACT_NOT_FOUND', `artifact "${name}" does not exist`, didYouMean(meant));
}

/** ALIAS_NOT_FOUND for `alias`, with what it may have been meant for: an alias, `latest`, or a number without its `v`. */
export function aliasNotFound({ state }: Artifact, alias: string): ArtError {
  const number = /^\d+$/.test(alias) && Number(alias) < state.next ? `v${Number(alias)}` : undefined;
  const meant = number ?? suggest(alias, [...state.aliases.keys(), LATEST]);
  const isHash = meant === undefined && isHashText(alias.toLowerCase());
  const hint = didYouMean(isHash ? `${state.name}@${alias}` : meant && `${state.name}:${meant}`);
  return new ArtError('ALIAS_NOT_FOUND', `artifact "${state.name}" has no alias "${alias}"`, hint);
}

async function select(source: NodeSource, artifact: Artifact, selector: Selector): Promise<Version> {
  switch (selector.by) {
    case 'latest':
      return getLatest(source, artifact);
    case 'number':
      return getVersion(source, artifact, selector.number);
    case 'alias':
      return getByAlias(source, artifact, selector.alias, selector.origin);
    case 'hash':
      return getByHash(source, artifact, selector.hash);
  }
}

async function getLatest(source: NodeSource, artifact: Artifact): Promise<Version> {
  const latest = await findLatest(source, artifact);
  if (latest) return latest;
  throw new ArtError('VERSION_NOT_FOUND', `artifact "${artifact.state.name}" has no versions`);
}

async function getByAlias(
  source: NodeSource,
  artifact: Artifact,
  alias: Alias,
  origin: string | undefined,
): Promise<Version> {
  if (origin !== undefined) {
    const message = `nothing is known of "${artifact.state.name}:${alias}" at the remote "${origin}"`;
    throw new ArtError('ALIAS_NOT_FOUND', message);
  }
  const number = artifact.state.aliases.get(alias);
  if (number === undefined) throw aliasNotFound(artifact, alias);
  return getVersion(source, artifact, number);
}

async function getByHash(source: NodeSource, artifact: Artifact, hash: string): Promise<Version> {
  const found = await findByHash(source, artifact, hash, CANDIDATES_MAX + 1);
  const shown = `"${artifact.state.name}@${hash}"`;
  if (found.length === 0)
    throw new ArtError('VERSION_NOT_FOUND', `no version's hash begins as ${shown} says`);
  if (found.length === 1) return found[0];
  const candidates = found
    .slice(0, CANDIDATES_MAX)
    .map(({ number, commit }) => `v${number} (${shortHash(commit)})`);
  const more = found.length > CANDIDATES_MAX ? ', …' : '';
  throw new ArtError(
    'HASH_AMBIGUOUS',
    `${shown} fits more than one version: ${candidates.join(', ')}${more}`,
  );
}

function didYouMean(meant: string | undefined): { readonly hint?: string } {
  return meant === undefined ? {} : { hint: `Did you mean "${meant}"?` };
}
