/** Describes artifacts and versions in words. */
import { ArtError } from '#base';
import { DESCRIPTION_BYTES_MAX } from '#object';
import type { VersionValue } from '#object';
import { editArtifact, editVersion } from '#version';
import type { Context } from './context.ts';
import { publishEdit } from './publish-edit.ts';

export interface DescribeResult {
  readonly name: string;
  /** Null if the artifact is described. */
  readonly version: string | null;
  readonly description: string | null;
}

/** Describes what `target` (NAME|SPEC) names, in Markdown; an empty text takes the description away. Raises DESCRIPTION_INVALID. */
export async function describe(context: Context, target: string, text: string): Promise<DescribeResult> {
  checkDescription(text);
  const description = text.trim() === '' ? '' : text;
  const { artifact, version } = await publishEdit(context, target, async ({ draft, artifact, version }) => {
    if ((version ?? artifact.state).description === description) return artifact;
    if (version === undefined) return editArtifact(artifact, { description });
    if (description === '' && version.description === undefined) return artifact;
    return editVersion(draft, artifact, version.number, (value) => withDescription(value, description));
  });
  const said = (version ?? artifact.state).description ?? '';
  return {
    name: artifact.state.name,
    version: version === undefined ? null : `v${version.number}`,
    description: said === '' ? null : said,
  };
}

/** A version that is described by `text`; by nothing if that is empty. */
export function withDescription({ description: _, ...value }: VersionValue, text: string): VersionValue {
  return text.trim() === '' ? value : { ...value, description: text };
}

/** Raises DESCRIPTION_INVALID for a text that no description may be. */
export function checkDescription(text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= DESCRIPTION_BYTES_MAX) return;
  throw new ArtError(
    'DESCRIPTION_INVALID',
    `the description takes ${bytes} bytes; at most ${DESCRIPTION_BYTES_MAX} are kept`,
  );
}
