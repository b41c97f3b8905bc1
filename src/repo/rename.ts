/** Renames artifacts: history, aliases, binding and what folders hold go with the name. */
import { ArtError } from '#base';
import { editArtifact, parseArtifactName, parseTypeName, sameButForCase } from '#version';
import type { ArtifactName } from '#version';
import type { Context } from './context.ts';
import { findHeld, getArtifact, nameNow } from './find.ts';
import { publishOperation } from './operation.ts';
import { planRebinding } from './pins.ts';
import { boundFolder, readPins, readWanted } from './wanted-files.ts';

export interface RenameRequest {
  readonly name: string;
  /** With `type` it may be the name it has. */
  readonly to: string;
  readonly type?: string;
}

export interface RenameResult {
  readonly name: string;
}

/** Raises NAME_TAKEN, NAME_INVALID, ARTIFACT_NOT_FOUND, CONFIG_INVALID. */
export async function rename(context: Context, request: RenameRequest): Promise<RenameResult> {
  const name = parseArtifactName(request.name);
  const to = parseArtifactName(request.to);
  const given = request.type === undefined ? undefined : parseTypeName(request.type);
  if (name === to && given === undefined)
    throw new ArtError('NAME_TAKEN', `"${name}" is its name already`, {
      hint: 'To change its type add --type T.',
    });
  await using tx = await context.store.begin();
  const rebind = await publishOperation(tx, context, async (draft) => {
    if (given === undefined && isWanted(context, name) && (await nameNow(draft, name)) === to) {
      // Somebody else has renamed it: what is left is what art.toml and art.lock say here, and what the folder holds.
      const { type } = (await getArtifact(draft, to)).state;
      const binding = readWanted(context.root).bindings.get(name);
      const held = binding && (await findHeld(draft, boundFolder(context.root, binding)));
      if (held?.artifact === name) draft.setHeld({ ...held, artifact: to });
      return planRebinding(context, { name, to, type });
    }
    const artifact = await getArtifact(draft, name);
    if (sameButForCase(name, to))
      throw new ArtError('NAME_TAKEN', `"${to}" differs from "${name}" by case only`);
    const type = given ?? artifact.state.type;
    const edited = type === artifact.state.type ? artifact : editArtifact(artifact, { type });
    if (name !== to) await draft.renameArtifact(edited, to);
    else if (edited !== artifact) await draft.setArtifact(edited);
    return planRebinding(context, { name, to, type });
  });
  // Still under the lock: the database stays open until the transaction ends.
  rebind();
  return { name: to };
}

function isWanted({ root }: Context, name: ArtifactName): boolean {
  return readWanted(root).bindings.has(name) || readPins(root).has(name);
}
