/** Publishes a change of one artifact, or of one version of it, as one operation. */
import { getVersion, parseSpec, parseTarget } from '#version';
import type { Artifact, Version } from '#version';
import type { Context } from './context.ts';
import { getArtifact, resolveHere } from './find.ts';
import { publishOperation } from './operation.ts';
import type { Draft } from './operation.ts';

/** What an edit is given: the artifact as it is now and, if a version was named, that version. */
export interface Edited {
  readonly draft: Draft;
  readonly artifact: Artifact;
  readonly version: Version | undefined;
}

/**
 * Makes what `change` gives out of the artifact or version that `target` (NAME|SPEC) names; giving the same artifact
 * back publishes nothing. Raises what finding it raises.
 */
export async function publishEdit(
  context: Context,
  target: string,
  change: (edited: Edited) => Promise<Artifact>,
): Promise<{ readonly artifact: Artifact; readonly version: Version | undefined }> {
  const parsed = parseTarget(target);
  const spec = parseSpec(target);
  await using tx = await context.store.begin();
  return publishOperation(tx, context, async (draft) => {
    const before = await getArtifact(draft, spec.name);
    const version = parsed.kind === 'artifact' ? undefined : await resolveHere(draft, before, spec);
    const artifact = await change({ draft, artifact: before, version });
    if (artifact !== before) await draft.setArtifact(artifact);
    const again = version && (await getVersion(draft, artifact, version.number));
    return { artifact, version: again };
  });
}

/** The form of `spec` that always means a version: a bare name is its newest. */
export function asVersion(spec: string): string {
  return parseTarget(spec).kind === 'artifact' ? `${spec}:latest` : spec;
}
