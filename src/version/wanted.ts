/** Reads and edits `art.toml`: which artifact belongs at which path, and which remotes there are. */
import { ArtError, suggest } from '#base';
import { foldName, parseArtifactName, parseTypeName } from './names.ts';
import type { ArtifactName, TypeName } from './names.ts';
import { configError, isTable, lineOf, parseToml, removeValue, renameKey, setValue } from './toml-text.ts';
import type { TomlTable } from './toml-text.ts';

export const WANTED_FILE = 'art.toml';

export interface Binding {
  readonly name: ArtifactName;
  /** Relative to the work tree's root, `/` between parts, none of them `.` or `..`; the root itself is `.`. */
  readonly path: string;
  readonly type?: TypeName;
}

export interface Wanted {
  /** In the order of the file. */
  readonly bindings: ReadonlyMap<ArtifactName, Binding>;
  /** The `[remotes.NAME]` tables as they are, `url` and whatever else they hold. */
  readonly remotes: ReadonlyMap<string, TomlTable>;
}

/** Parses `art.toml`. Raises CONFIG_INVALID with file and line; keys it does not know are left alone. */
export function parseWanted(text: string, file = WANTED_FILE): Wanted {
  const root = parseToml(text, file);
  const invalid = (path: readonly string[], why: string, cause?: unknown) =>
    configError(file, lineOf(text, path), why, cause);
  const bindings = new Map<ArtifactName, Binding>();
  const names = new Map<string, string>();
  for (const [name, table] of tablesIn(root, 'artifacts', invalid)) {
    const twin = names.get(foldName(name));
    if (twin !== undefined) throw invalid(['artifacts', name], `"${name}" and "${twin}" differ by case only`);
    names.set(foldName(name), name);
    const binding = parseBinding(name, table, (why, cause) => invalid(['artifacts', name], why, cause));
    const other = overlapping(binding.path, bindings.values());
    if (other) throw invalid(['artifacts', name], overlapText(binding, other));
    bindings.set(binding.name, binding);
  }
  return { bindings, remotes: new Map(tablesIn(root, 'remotes', invalid)) };
}

/**
 * `text` with `name` bound to `path`, comments and order kept. Raises BINDING_CONFLICT if the path overlaps another
 * binding, CONFIG_INVALID if the path may not be bound or the file takes a person to edit.
 */
export function bind(text: string, name: ArtifactName, path: string, file = WANTED_FILE): string {
  const wanted = parseWanted(text, file);
  const clean = boundPath(path);
  if (typeof clean !== 'string')
    throw new ArtError('CONFIG_INVALID', `"${name}" cannot be bound: ${clean.why}`);
  const bound = wanted.bindings.get(name);
  if (bound?.path === clean) return text;
  const twin = [...wanted.bindings.keys()].find(
    (other) => other !== name && foldName(other) === foldName(name),
  );
  if (twin !== undefined)
    throw new ArtError('BINDING_CONFLICT', `"${name}" and the bound "${twin}" differ by case only`);
  const others = [...wanted.bindings.values()].filter((binding) => binding.name !== name);
  const other = overlapping(clean, others);
  if (other) throw new ArtError('BINDING_CONFLICT', overlapText({ name, path: clean }, other));
  return setValue(text, file, ['artifacts', name, 'path'], clean);
}

/** `text` without the table of `name`, all else kept. Raises BINDING_NOT_FOUND. */
export function unbind(text: string, name: ArtifactName, file = WANTED_FILE): string {
  const { bindings } = parseWanted(text, file);
  if (!bindings.has(name)) {
    const meant = suggest(name, bindings.keys());
    throw new ArtError(
      'BINDING_NOT_FOUND',
      `"${name}" is bound to no folder`,
      meant === undefined ? {} : { hint: `Did you mean "${meant}"?` },
    );
  }
  return removeValue(text, file, ['artifacts', name]);
}

/**
 * `text` with the table of `name` under another name, and with `type` in it if it says a type at all; all else kept.
 * Gives `text` itself if `name` is not bound. Raises BINDING_CONFLICT if `to` is bound already, CONFIG_INVALID if it takes a person to edit the file.
 */
export function renameBinding(
  text: string,
  { name, to, type }: { readonly name: ArtifactName; readonly to: ArtifactName; readonly type: string },
  file = WANTED_FILE,
): string {
  const bound = parseWanted(text, file).bindings.get(name);
  if (bound === undefined) return text;
  const typed =
    bound.type === undefined || bound.type === type
      ? text
      : setValue(text, file, ['artifacts', name, 'type'], type);
  const taken = [...parseWanted(text, file).bindings.keys()].find(
    (other) => foldName(other) === foldName(to),
  );
  if (taken !== undefined && taken !== name)
    throw new ArtError('BINDING_CONFLICT', `a folder is bound to "${taken}" already`, {
      hint: `\`art unbind ${taken}\` takes that binding away.`,
    });
  return name === to ? typed : renameKey(typed, file, ['artifacts', name], to);
}

/** The one form of a path that may be bound, or why it may not be. */
export function boundPath(path: string): string | { readonly why: string } {
  const shown = JSON.stringify(path);
  if (path === '') return { why: 'the path is empty' };
  if (path.includes('\0')) return { why: `the path ${shown} holds a NUL` };
  if (/^(?:[/\\]|[A-Za-z]:[/\\])/.test(path))
    return { why: `the path ${shown} is absolute; it must be relative to the root` };
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return { why: `the path ${shown} leads out of the work tree` };
  const reserved = parts.find((part) => /^\.(?:art|git)$/i.test(part));
  if (reserved !== undefined)
    return { why: `the path ${shown} lies in "${reserved}", which is never versioned` };
  return parts.length === 0 ? '.' : parts.join('/');
}

/** Tells whether one of two bound paths is the other or lies in it. */
export function pathsOverlap(a: string, b: string): boolean {
  return a === b || a === '.' || b === '.' || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function parseBinding(
  key: string,
  table: TomlTable,
  invalid: (why: string, cause?: unknown) => ArtError,
): Binding {
  const checked = <T>(parse: () => T): T => {
    try {
      return parse();
    } catch (error) {
      throw error instanceof ArtError ? invalid(error.message, error) : error;
    }
  };
  const name = checked(() => parseArtifactName(key));
  const { path, type } = table;
  if (typeof path !== 'string') throw invalid(`"${name}" has no path (a text)`);
  const clean = boundPath(path);
  if (typeof clean !== 'string') throw invalid(clean.why);
  if (type === undefined) return { name, path: clean };
  if (typeof type !== 'string') throw invalid(`the type of "${name}" is no text`);
  return { name, path: clean, type: checked(() => parseTypeName(type)) };
}

function tablesIn(
  root: TomlTable,
  key: string,
  invalid: (path: readonly string[], why: string) => ArtError,
): [string, TomlTable][] {
  const tables = root[key];
  if (tables === undefined) return [];
  if (!isTable(tables)) throw invalid([key], `"${key}" is no table`);
  return Object.entries(tables).map(([name, table]) => {
    if (!isTable(table)) throw invalid([key, name], `"${key}.${name}" is no table`);
    return [name, table];
  });
}

function overlapping(path: string, bindings: Iterable<Binding>): Binding | undefined {
  for (const binding of bindings) if (pathsOverlap(path, binding.path)) return binding;
  return undefined;
}

function overlapText(a: Pick<Binding, 'name' | 'path'>, b: Binding): string {
  return `"${a.name}" at "${a.path}" and "${b.name}" at "${b.path}" overlap`;
}
