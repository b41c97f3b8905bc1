/** Puts tags on versions and artifacts, and takes them off. */
import { addTags, editArtifact, parseArtifactName, parseTag, removeTags } from '#version';
import type { Artifact, Tag } from '#version';
import type { Context } from './context.ts';
import { asVersion, publishEdit } from './publish-edit.ts';
import type { Edited } from './publish-edit.ts';

export interface TagRequest {
  /** SPEC of a version; with `artifact` the NAME of one. */
  readonly target: string;
  readonly tags: readonly string[];
  readonly artifact?: boolean;
  readonly remove?: boolean;
}

export interface TagResult {
  readonly name: string;
  /** Null if the tags are those of the artifact. */
  readonly version: string | null;
  readonly tags: readonly string[];
}

/** Tags that are there already, or are not there to be removed, are nothing to do. Raises NAME_INVALID, and what finding raises. */
export async function tag(context: Context, request: TagRequest): Promise<TagResult> {
  const tags = request.tags.map(parseTag);
  const target = request.artifact === true ? parseArtifactName(request.target) : asVersion(request.target);
  const remove = request.remove === true;
  const { artifact, version } = await publishEdit(context, target, (edited) =>
    retag(edited, tags, { remove }),
  );
  return {
    name: artifact.state.name,
    version: version === undefined ? null : `v${version.number}`,
    tags: (version ?? artifact.state).tags,
  };
}

async function retag(
  { draft, artifact, version }: Edited,
  tags: readonly Tag[],
  { remove }: { readonly remove: boolean },
): Promise<Artifact> {
  const before: readonly string[] = (version ?? artifact.state).tags;
  if (tags.every((one) => before.includes(one) !== remove)) return artifact;
  if (version !== undefined) return (remove ? removeTags : addTags)(draft, artifact, version.number, tags);
  const left = before.filter((one) => !tags.includes(one as Tag));
  return editArtifact(artifact, { tags: remove ? left : [...before, ...tags] });
}
