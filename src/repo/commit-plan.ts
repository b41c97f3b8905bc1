/** Plans a commit of folders and files: what is read, which name it gets, and what is bound. */
import { existsSync, lstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ArtError, realPath } from '#base';
import { parseAlias, parseArtifactName, parseTag, parseTypeName } from '#version';
import type { Alias, ArtifactName, Binding, Tag, TypeName } from '#version';
import { sourcesByName } from '#worktree';
import type { SnapshotSource } from '#worktree';
import type { CommitRequest } from './commit-request.ts';
import type { Context } from './context.ts';
import { refuseOwn } from './private-folders.ts';
import { bindInWanted, bindablePath, bindingAt, boundFolder, readWanted } from './wanted-files.ts';

/** What a version is called. */
export interface Naming {
  readonly name: ArtifactName;
  /** Of a new artifact; that of an old one must be the same. */
  readonly type: TypeName | undefined;
  readonly aliases: readonly Alias[];
  readonly tags: readonly Tag[];
}

export interface CommitPlan extends Naming {
  readonly sources: readonly SnapshotSource[];
  /** The one folder whose contents become the root, if it is one. */
  readonly folder: string | undefined;
  /** What says which folder, if the request does not. */
  readonly binding?: Binding;
  /** Whether the folder is the one that the name is bound to, now or afterwards. */
  readonly bound: boolean;
  /** Whether what the folder holds is said of this artifact: not if it is bound to another. */
  readonly holds: boolean;
  /** The path in art.toml that the name is to be bound to. */
  readonly binds: string | undefined;
}

/** Raises NOTHING_BOUND, PATH_NOT_FOUND, NAME_INVALID, BINDING_CONFLICT, CONFIG_INVALID. */
export function planCommit(context: Context, request: CommitRequest): CommitPlan[] {
  return request.name === undefined
    ? plansForAll(context, request)
    : [planFor(context, request, request.name)];
}

export function namingOf(request: CommitRequest, name: string): Naming {
  return {
    name: parseArtifactName(name),
    type: request.type === undefined ? undefined : parseTypeName(request.type),
    aliases: (request.aliases ?? []).map(parseAlias),
    tags: (request.tags ?? []).map(parseTag),
  };
}

/** The error for a given path that is not there. */
export function pathMissing(path: string): ArtError {
  const dangling = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  const why = dangling ? 'is a link to nothing' : 'does not exist';
  return new ArtError('PATH_NOT_FOUND', `${JSON.stringify(path)} ${why}`);
}

function plansForAll(context: Context, request: CommitRequest): CommitPlan[] {
  const { bindings } = readWanted(context.root);
  if (bindings.size === 0) throw new ArtError('NOTHING_BOUND', 'no folder is bound to an artifact yet');
  return [...bindings.values()].map((binding) => boundPlan(context, request, binding));
}

function planFor(context: Context, request: CommitRequest, text: string): CommitPlan {
  const name = parseArtifactName(text);
  const binding = readWanted(context.root).bindings.get(name);
  if (request.paths !== undefined && request.paths.length > 0)
    return pathsPlan(context, request, name, request.paths);
  if (binding !== undefined) return boundPlan(context, request, binding);
  throw new ArtError('NOTHING_BOUND', `"${name}" is bound to no folder`, {
    hint: `Name one: \`art commit ${name} PATH\`.`,
  });
}

function pathsPlan(
  context: Context,
  request: CommitRequest,
  name: ArtifactName,
  given: readonly string[],
): CommitPlan {
  const binding = readWanted(context.root).bindings.get(name);
  const paths = given.map((path) => resolve(context.folder, path));
  for (const path of paths) {
    if (!existsSync(path)) throw pathMissing(path);
    refuseOwn(realPath(path), context.art);
  }
  const folder = paths.length === 1 && statSync(paths[0]).isDirectory() ? realPath(paths[0]) : undefined;
  const path = folder === undefined ? undefined : bindablePath(context.root, folder);
  const bound =
    binding !== undefined && folder !== undefined && boundFolder(context.root, binding) === folder;
  const wanted =
    request.bind ?? (binding === undefined && path !== undefined && path !== '.' && context.run === null);
  if (request.bind === true && path === undefined) {
    throw new ArtError(
      'BINDING_CONFLICT',
      `only one folder inside ${JSON.stringify(context.root)} can be bound to "${name}"`,
      { hint: 'Bind the folder they lie in; its .artignore can leave out the rest.' },
    );
  }
  const binds = wanted && path !== binding?.path ? path : undefined;
  if (binds !== undefined) bindInWanted(context.root, { name, path: binds }, { try: true });
  const owner = folder === undefined ? undefined : bindingAt(context.root, folder);
  return {
    ...namingOf(request, name),
    sources: folder === undefined ? sourcesByName(paths) : [{ path: folder, dest: '' }],
    folder,
    bound: bound || binds !== undefined,
    holds: owner === undefined || owner.name === name,
    binds,
  };
}

function boundPlan(context: Context, request: CommitRequest, binding: Binding): CommitPlan {
  const folder = boundFolder(context.root, binding);
  const naming = namingOf(request, binding.name);
  const type = naming.type ?? binding.type;
  return {
    ...naming,
    type,
    sources: [{ path: folder, dest: '' }],
    folder,
    binding,
    bound: true,
    holds: true,
    binds: undefined,
  };
}
