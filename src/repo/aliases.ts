/** Puts, moves and removes aliases. */
import { ArtError } from '#base';
import { findLatest, parseAlias, parseSpec, removeAlias, setAlias } from '#version';
import type { Alias, Artifact, ArtifactName } from '#version';
import { aliasesOf } from './new-version.ts';
import type { Context } from './context.ts';
import { getArtifact, resolveHere } from './find.ts';
import { settleConflicts } from './conflicts.ts';
import { publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';

export interface AliasResult {
  readonly name: string;
  readonly version: string;
  readonly aliases: readonly string[];
}

/** Makes each alias name the version. Raises what finding the version raises, and NAME_INVALID. */
export async function putAliases(
  context: Context,
  spec: string,
  names: readonly string[],
): Promise<AliasResult> {
  const aliases = names.map(parseAlias);
  const parsed = parseSpec(spec);
  await using tx = await context.store.begin();
  return publishOperation(tx, context, async (draft) => {
    let artifact = await getArtifact(draft, parsed.name);
    const { number } = await resolveHere(draft, artifact, parsed);
    const before = artifact;
    for (const alias of aliases) {
      if (artifact.state.aliases.get(alias) !== number)
        artifact = await setAlias(draft, artifact, alias, number);
    }
    if (artifact !== before) await draft.setArtifact(artifact);
    await settleConflicts(draft, parsed.name, aliases);
    return resultOf(draft, artifact, number);
  });
}

/** Removes aliases given as NAME:ALIAS, all or none. Raises ALIAS_NOT_FOUND, and USAGE for any other spec. */
export async function removeAliases(context: Context, targets: readonly string[]): Promise<AliasResult[]> {
  const removed = targets.map(parseRemoved);
  await using tx = await context.store.begin();
  return publishOperation(tx, context, async (draft) => {
    const artifacts = new Map<string, Artifact>();
    const touched: { readonly name: string; readonly number: number }[] = [];
    for (const { name, alias } of removed) {
      const artifact = artifacts.get(name) ?? (await getArtifact(draft, name));
      const number = artifact.state.aliases.get(alias);
      artifacts.set(name, removeAlias(artifact, alias));
      await settleConflicts(draft, name, [alias]);
      touched.push({ name, number: number! });
    }
    for (const artifact of artifacts.values()) await draft.setArtifact(artifact);
    return Promise.all(touched.map(({ name, number }) => resultOf(draft, artifacts.get(name)!, number)));
  });
}

/** What may be removed is an alias that is set here: no version near it, and none of a remote. */
function parseRemoved(target: string): { readonly name: ArtifactName; readonly alias: Alias } {
  const { name, selector, back } = parseSpec(target);
  const refuse = (why: string, hint: string) => new ArtError('USAGE', `"${target}" ${why}`, { hint });
  if (selector.by === 'latest' && target.startsWith(`${name}:`))
    throw refuse(
      'cannot be removed',
      'It is no alias that somebody set: it always means the newest version.',
    );
  if (selector.by !== 'alias') throw new ArtError('USAGE', `"${name}" needs an alias after it: NAME:ALIAS`);
  const { alias, origin } = selector;
  const hint = `\`art alias --remove ${name}:${alias}\` removes the alias here.`;
  if (origin !== undefined) throw refuse(`is what the remote "${origin}" has`, hint);
  if (back > 0) throw refuse('is a version near an alias', hint);
  return { name, alias };
}

async function resultOf(draft: Draft, artifact: Artifact, number: number): Promise<AliasResult> {
  const latest = await findLatest(draft, artifact);
  return {
    name: artifact.state.name,
    version: `v${number}`,
    aliases: aliasesOf(artifact, number, latest?.number),
  };
}
