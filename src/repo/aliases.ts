/** Puts, moves and removes aliases. */
import { ArtError } from '#base';
import { findLatest, parseAlias, parseSpec, removeAlias, resolve, setAlias } from '#version';
import type { Artifact } from '#version';
import { aliasesOf } from './new-version.ts';
import type { Context } from './context.ts';
import { getArtifact } from './find.ts';
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
  const { name, selector, back } = parseSpec(spec);
  await using tx = await context.store.begin();
  return publishOperation(tx, context, async (draft) => {
    let artifact = await getArtifact(draft, name);
    const { number } = await resolve(draft, artifact, selector, back);
    const before = artifact;
    for (const alias of aliases) {
      if (artifact.state.aliases.get(alias) !== number)
        artifact = await setAlias(draft, artifact, alias, number);
    }
    if (artifact !== before) await draft.setArtifact(artifact);
    await settleConflicts(draft, name, aliases);
    return resultOf(draft, artifact, number);
  });
}

/** Removes aliases given as NAME:ALIAS, all or none. Raises ALIAS_NOT_FOUND. */
export async function removeAliases(context: Context, targets: readonly string[]): Promise<AliasResult[]> {
  const parsed = targets.map(parseSpec);
  await using tx = await context.store.begin();
  return publishOperation(tx, context, async (draft) => {
    const artifacts = new Map<string, Artifact>();
    const touched: { readonly name: string; readonly number: number }[] = [];
    for (const { name, selector } of parsed) {
      if (selector.by !== 'alias')
        throw new ArtError('USAGE', `"${name}" needs an alias after it: NAME:ALIAS`);
      const artifact = artifacts.get(name) ?? (await getArtifact(draft, name));
      const number = artifact.state.aliases.get(selector.alias);
      artifacts.set(name, removeAlias(artifact, selector.alias));
      await settleConflicts(draft, name, [selector.alias]);
      touched.push({ name, number: number! });
    }
    for (const artifact of artifacts.values()) await draft.setArtifact(artifact);
    return Promise.all(touched.map(({ name, number }) => resultOf(draft, artifacts.get(name)!, number)));
  });
}

async function resultOf(draft: Draft, artifact: Artifact, number: number): Promise<AliasResult> {
  const latest = await findLatest(draft, artifact);
  return {
    name: artifact.state.name,
    version: `v${number}`,
    aliases: aliasesOf(artifact, number, latest?.number),
  };
}
