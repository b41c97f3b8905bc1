/** Reads and edits the configuration files: dotted keys to texts, numbers and switches. */
import { configError, formatKey, isTable, parseKey, parseToml, removeValue, setValue } from './toml-text.ts';
import type { TomlScalar, TomlTable } from './toml-text.ts';

/** Every value of a configuration file by its dotted key, as text, in the order of the file. Raises CONFIG_INVALID. */
export function listConfig(text: string, file: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  collect(parseToml(text, file), [], values);
  return values;
}

/** The value of `key` (`user`, `core.x`, `remotes."a.b".url`) as text. Raises CONFIG_INVALID. */
export function getConfig(text: string, file: string, key: string): string | undefined {
  return listConfig(text, file).get(formatKey(pathOf(key)));
}

/** `text` with `key` set, comments and order kept; `true`, `false` and whole numbers become TOML's own. Raises CONFIG_INVALID. */
export function setConfig(text: string, file: string, key: string, value: string): string {
  return setValue(text, file, pathOf(key), scalarOf(value));
}

/** `text` without `key` and all under it. Raises CONFIG_INVALID. */
export function unsetConfig(text: string, file: string, key: string): string {
  return removeValue(text, file, pathOf(key));
}

function pathOf(key: string): readonly string[] {
  const path = parseKey(key);
  if (path !== undefined) return path;
  throw configError(
    'config',
    undefined,
    `${JSON.stringify(key)} is no key: write words joined by dots, like core.name`,
  );
}

function scalarOf(value: string): TomlScalar {
  if (value === 'true' || value === 'false') return value === 'true';
  const number = Number(value);
  return Number.isSafeInteger(number) && !Object.is(number, -0) && String(number) === value ? number : value;
}

function collect(table: TomlTable, path: readonly string[], into: Map<string, string>): void {
  for (const [key, value] of Object.entries(table)) {
    const at = [...path, key];
    if (isTable(value)) collect(value, at, into);
    else into.set(formatKey(at), textOfValue(value));
  }
}

function textOfValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object') return String(value);
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}
