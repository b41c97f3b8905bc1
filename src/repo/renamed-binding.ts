/** Tells of a folder that is bound to a name which its artifact has given up, here or at a remote. */
import { ArtError } from '#base';
import { findVersionOfCommit } from '#version';
import type { ArtifactName, Binding } from '#version';
import type { Context } from './context.ts';
import { findHeld, nameNow } from './find.ts';
import { findArtifact } from './operation.ts';
import { boundFolder, readPins, readWanted } from './wanted-files.ts';

/** BINDING_CONFLICT if `binding` says the old name of what its folder or `art.lock` has; undefined if it is a new one. */
export async function renamedBinding(
  { store, root }: Pick<Context, 'store' | 'root'>,
  binding: Binding,
): Promise<ArtError | undefined> {
  const { name, path } = binding;
  const to = await nameNow(store, name);
  if (to === undefined) return undefined;
  const artifact = await findArtifact(store, to);
  const held = await findHeld(store, boundFolder(root, binding));
  const had = [held?.artifact === name ? held : undefined, readPins(root).get(name)];
  const isThere = async (at: (typeof had)[number]) =>
    at && artifact && (await findVersionOfCommit(store, artifact, at.commit, at.number)) !== undefined;
  if (!(await isThere(had[0])) && !(await isThere(had[1]))) return undefined;
  return new ArtError('BINDING_CONFLICT', `"${name}" is called "${to}" now, and ${bindsText(path)}`, {
    hint: `\`art rename ${name} ${to}\` says so in art.toml; or take the art.toml of whoever renamed it.`,
  });
}

/** What is to be said of the binding of a name that was given up; undefined if there is none. */
export function staleBindingText({ root }: Pick<Context, 'root'>, name: ArtifactName): string | undefined {
  const binding = readWanted(root).bindings.get(name);
  return binding && bindsText(binding.path);
}

const bindsText = (path: string) => `art.toml still binds ${JSON.stringify(path)} to the old name`;
