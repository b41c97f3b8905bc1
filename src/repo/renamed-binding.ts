/** Tells of a folder that is bound to a name which its artifact has given up, here or at a remote. */
import { ArtError } from '#base';
import type { NodeSource, RecordSource } from '#store';
import { RENAMED_TO, isDeleted } from '#version';
import type { ArtifactName, Binding } from '#version';
import type { Context } from './context.ts';
import { findArtifact, nameSince } from './operation.ts';
import { readWanted } from './wanted-files.ts';

/** BINDING_CONFLICT if what `binding` binds has another name now; undefined while the name is in use, or was never. */
export async function renamedBinding(
  source: RecordSource & NodeSource,
  { name, path }: Binding,
): Promise<ArtError | undefined> {
  const to = await nameNow(source, name);
  if (to === undefined) return undefined;
  return new ArtError('BINDING_CONFLICT', `"${name}" is called "${to}" now, and ${bindsText(path)}`, {
    hint: `Take the art.toml of whoever renamed it; or \`art unbind ${name}\`, then \`art commit ${to} PATH\` binds the folder anew.`,
  });
}

/** What is to be said of the binding of a name that was given up; undefined if there is none. */
export function staleBindingText({ root }: Pick<Context, 'root'>, name: ArtifactName): string | undefined {
  const binding = readWanted(root).bindings.get(name);
  return binding && bindsText(binding.path);
}

const bindsText = (path: string) => `art.toml still binds ${JSON.stringify(path)} to the old name`;

async function nameNow(source: RecordSource & NodeSource, name: ArtifactName): Promise<string | undefined> {
  const artifact = await findArtifact(source, name);
  if (artifact === undefined) return nameSince(source, name);
  const to = artifact.state.ext[RENAMED_TO];
  return isDeleted(artifact) && typeof to === 'string' ? to : undefined;
}
