/** Finds which versions a checkout puts into which folders. */
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { ArtError, fileError, makeFolders, realPath } from '#base';
import { NODE } from '#object';
import { findVersionOfCommit, parseArtifactName } from '#version';
import type { ArtifactName, Pin } from '#version';
import { PathFilter } from '#worktree';
import { absentPin } from './absent-pin.ts';
import type { CheckoutRequest } from './checkout-request.ts';
import type { Context } from './context.ts';
import { getArtifact, getCommit, getSpec } from './find.ts';
import type { FoundVersion } from './find.ts';
import { refusePartOf } from './partial.ts';
import { refusePrivate } from './private-folders.ts';
import { renamedBinding } from './renamed-binding.ts';
import { bindingOf } from './status.ts';
import { bindInWanted, bindablePath, bindingAt, boundFolder, readPins, readWanted } from './wanted-files.ts';

export interface Target {
  readonly name: ArtifactName;
  readonly found: FoundVersion;
  readonly dir: string;
  /** Whether the folder is the one the name is bound to, now or after this. */
  readonly bound: boolean;
  /** The path in art.toml that the name is to be bound to. */
  readonly binds: string | undefined;
}

/** Raises BINDING_CONFLICT, NOTHING_BOUND, BINDING_NOT_FOUND, CONFIG_INVALID, and what finding versions raises. */
export async function targetsOf(context: Context, request: CheckoutRequest): Promise<Target[]> {
  readPins(context.root); // What is wrong there is said before anything is written.
  return request.spec === undefined
    ? lockedTargets(context, request)
    : [await specTarget(context, request, request.spec)];
}

/** Whether `paths` selects everything. */
export function isWhole(paths: readonly string[] | undefined): boolean {
  return new PathFilter(paths).all;
}

/** The bound folder of an artifact, else its place under the artifacts folder. */
export function usualFolder(context: Context, name: ArtifactName): string {
  const binding = readWanted(context.root).bindings.get(name);
  return binding === undefined
    ? realPath(join(artifactsFolder(context), name))
    : boundFolder(context.root, binding);
}

/** Where artifacts go that are bound nowhere. */
export function artifactsFolder(context: Context): string {
  return resolve(context.folder, context.artifactsFolder);
}

/** Beside Git the whole folder is data: it says so itself, once, when it is made for the first `dir` in it. */
export function makeArtifactsFolder(context: Context, dir: string): void {
  const folder = realPath(artifactsFolder(context));
  if (!dir.startsWith(join(folder, sep)) || existsSync(folder)) return;
  try {
    makeFolders(folder);
    writeFileSync(join(folder, '.gitignore'), '*\n');
  } catch (error) {
    throw fileError(error, folder);
  }
}

async function specTarget(context: Context, request: CheckoutRequest, spec: string): Promise<Target> {
  const found = await getSpec(context.store, spec);
  const name = found.artifact.state.name as ArtifactName;
  const binding = readWanted(context.root).bindings.get(name);
  const boundDir = binding === undefined ? undefined : boundFolder(context.root, binding);
  if (request.dir !== undefined) {
    const dir = realPath(resolve(context.folder, request.dir));
    const target = { name, found, dir, bound: dir === boundDir, binds: undefined };
    return checked(context, target, request);
  }
  if (boundDir !== undefined)
    return checked(context, { name, found, dir: boundDir, bound: true, binds: undefined }, request);
  const dir = usualFolder(context, name);
  const path = bindablePath(context.root, join(artifactsFolder(context), name));
  const binds = (request.bind ?? context.run === null) && isWhole(request.paths) ? path : undefined;
  if (binds !== undefined) bindInWanted(context.root, { name, path: binds }, { try: true });
  return checked(context, { name, found, dir, bound: binds !== undefined, binds }, request);
}

/** Raises USAGE, and BINDING_CONFLICT if the folder is bound to another artifact, or bound and to hold only part of this one. */
function checked(context: Context, target: Target, request: CheckoutRequest): Target {
  const { name, dir } = target;
  refusePrivate(dir, context.root);
  const owner = bindingAt(context.root, dir);
  if (owner !== undefined && owner.name !== name)
    throw new ArtError('BINDING_CONFLICT', `${JSON.stringify(dir)} is bound to "${owner.name}"`, {
      hint: `Name another folder, or \`art unbind ${owner.name}\` first.`,
    });
  if (!isWhole(request.paths)) refusePartOf(dir, owner);
  if (!request.dryRun) makeArtifactsFolder(context, dir);
  return target;
}

async function lockedTargets(context: Context, request: CheckoutRequest): Promise<Target[]> {
  const { bindings } = readWanted(context.root);
  const pins = readPins(context.root);
  if (bindings.size === 0)
    throw new ArtError('NOTHING_BOUND', 'no folder is bound to an artifact yet', {
      hint: 'Name a version: `art checkout NAME`.',
    });
  const chosen = request.names?.length
    ? request.names.map((name) => bindingOf(bindings, name))
    : [...bindings.values()];
  const targets: Target[] = [];
  for (const binding of chosen) {
    const pin = pins.get(binding.name);
    if (pin === undefined) {
      context.onWarning?.(`art.lock pins no version of "${binding.name}"; its folder stays as it is`);
      continue;
    }
    const stale = await renamedBinding(context, binding);
    if (stale !== undefined) throw stale;
    const found = await pinned(context, binding.name, pin);
    targets.push(
      checked(
        context,
        {
          name: binding.name,
          found,
          dir: boundFolder(context.root, binding),
          bound: true,
          binds: undefined,
        },
        request,
      ),
    );
  }
  return targets;
}

async function pinned(context: Context, name: ArtifactName, pin: Pin): Promise<FoundVersion> {
  const { store } = context;
  if ((await store.missing([{ kind: NODE, digest: pin.commit }])).length > 0)
    throw await absentPin(context, name, pin);
  const artifact = await getArtifact(store, parseArtifactName(name));
  const version = await findVersionOfCommit(store, artifact, pin.commit, pin.number);
  if (version === undefined) throw await absentPin(context, name, pin);
  return { artifact, version, commit: await getCommit(store, version.commit) };
}
