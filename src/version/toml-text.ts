/** Reads TOML files and edits them as text, so that comments, order and unknown keys survive. */
import { isDeepStrictEqual } from 'node:util';
import { TomlError, parse } from 'smol-toml';
import { ArtError } from '#base';
import {
  endOfKey,
  keyPath,
  nextLine,
  samePath,
  scanStatements,
  skipBlanks,
  startsWithPath,
} from './toml-scan.ts';
import type { Statement } from './toml-scan.ts';

export type TomlTable = Readonly<Record<string, unknown>>;
export type TomlScalar = string | number | boolean;

const CONFLICT_MARKER = /^(?:<{7}|>{7}|\|{7})(?:\s|$)|^={7}\r?$/;

/** An error in `file`, on `line` if it is known (1 is the first). */
export function configError(file: string, line: number | undefined, why: string, cause?: unknown): ArtError {
  return new ArtError('CONFIG_INVALID', `${file}${line === undefined ? '' : `:${line}`}: ${why}`, { cause });
}

function conflictError(file: string, line: number, cause: unknown): ArtError {
  return new ArtError('CONFIG_INVALID', `${file}:${line}: a merge conflict is not resolved here`, {
    cause,
    hint: 'Settle the conflict: keep one of the two lines and remove the markers, then run `art checkout`.',
  });
}

/** Parses a TOML file; raises CONFIG_INVALID with file and line, merge-conflict markers named as such. */
export function parseToml(text: string, file: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    // Looked for only now: inside a long string such a line would be the user's own text.
    const marker = text.split('\n').findIndex((line) => CONFLICT_MARKER.test(line));
    if (marker >= 0) throw conflictError(file, marker + 1, error);
    if (!(error instanceof TomlError)) throw configError(file, undefined, 'cannot be read as TOML', error);
    const [why] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw configError(file, error.line, why, error);
  }
}

/** The parts of a dotted key (`remotes.origin.url`), or undefined if it is none. */
export function parseKey(key: string): string[] | undefined {
  if (/[\n\r=#]/.test(key)) return undefined;
  try {
    return keyPath(key);
  } catch {
    return undefined;
  }
}

/** Writes a dotted key as TOML wants it: parts that are no bare words in quotes. */
export function formatKey(path: readonly string[]): string {
  return path.map((part) => (/^[A-Za-z0-9_-]+$/.test(part) ? part : formatScalar(part))).join('.');
}

export function formatScalar(value: TomlScalar): string {
  return typeof value === 'string' ? JSON.stringify(value).replaceAll('\x7f', '\\u007F') : String(value);
}

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The line of the first statement at or under `path`, else of the one whose inline value holds it, if any. */
export function lineOf(text: string, path: readonly string[]): number | undefined {
  const statements = scanStatements(text);
  const exact = statements.find((statement) => startsWithPath(statement.path, path));
  return (exact ?? statements.findLast(({ path: found }) => found.length > 0 && startsWithPath(path, found)))
    ?.line;
}

/** `text` with `path` set to `value`, everything else as it was. Raises CONFIG_INVALID if that takes a person. */
export function setValue(text: string, file: string, path: readonly string[], value: TomlScalar): string {
  const before = parseToml(text, file);
  if (holdsMany(before, path))
    throw configError(file, lineOf(text, path), `${formatKey(path)} holds more than one value`);
  const edited = withValue(text, path, formatScalar(value));
  return proven(
    edited,
    file,
    withEntry(before, path, value),
    `set ${formatKey(path)} = ${formatScalar(value)}`,
  );
}

/** `text` without `path`, be it a value or a table with all in it; gives `text` itself if it is not there. */
export function removeValue(text: string, file: string, path: readonly string[]): string {
  const before = parseToml(text, file);
  const after = withEntry(before, path, undefined);
  if (after === before) return text;
  let edited = text;
  for (const { start, end } of stretches(scanStatements(text), path).reverse())
    edited = cut(edited, start, end);
  return proven(edited, file, after, `remove ${formatKey(path)}`);
}

/** `text` with the last part of `path` called `name`, wherever it is written. Raises CONFIG_INVALID if that takes a person. */
export function renameKey(text: string, file: string, path: readonly string[], name: string): string {
  const before = parseToml(text, file);
  const last = path.length - 1;
  let edited = text;
  for (const statement of scanStatements(text).reverse()) {
    const { kind, path: at, tableDepth, start, value } = statement;
    // What a pair's own key does not say, its header does.
    const said = kind === 'pair' ? tableDepth : 0;
    if (!startsWithPath(at, path) || said > last) continue;
    const from = kind === 'pair' ? skipBlanks(text, start) : value.start;
    const key = formatKey([...at.slice(said, last), name, ...at.slice(last + 1)]);
    const until = endOfKey(text, from, kind === 'pair' ? '=' : ']');
    edited = `${edited.slice(0, from)}${key}${kind === 'pair' ? ' ' : ''}${edited.slice(until)}`;
  }
  const wanted = withKey(before, path, name);
  return proven(edited, file, wanted, `call ${formatKey(path)} ${formatKey([name])}`);
}

function withKey(table: TomlTable, [key, ...rest]: readonly string[], name: string): TomlTable {
  const rows = Object.entries(table).map(([at, value]) => {
    if (at !== key) return [at, value];
    return rest.length === 0 ? [name, value] : [at, withKey(value as TomlTable, rest, name)];
  });
  return Object.fromEntries(rows) as TomlTable;
}

function holdsMany(table: TomlTable, path: readonly string[]): boolean {
  let value: unknown = table;
  for (const key of path) value = isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isTable(value) || Array.isArray(value);
}

function withValue(text: string, path: readonly string[], value: string): string {
  const statements = scanStatements(text).filter((statement) => !statement.repeated);
  const same = statements.find((statement) => statement.kind === 'pair' && samePath(statement.path, path));
  if (same) return text.slice(0, same.value.start) + value + text.slice(same.value.end);
  const table = path.slice(0, -1);
  // A new pair follows its last sibling, or its table's header.
  const sibling = statements.findLast(({ kind, path: found }) => {
    return kind === 'pair' ? samePath(found.slice(0, -1), table) : kind === 'table' && samePath(found, table);
  });
  if (sibling) {
    return insertLines(text, sibling.end, [`${formatKey(path.slice(sibling.tableDepth))} = ${value}`]);
  }
  const pair = `${formatKey(path.slice(-1))} = ${value}`;
  if (table.length === 0) return insertLines(text, rootEnd(text), [pair]);
  // A new table follows the last one beside it (`[artifacts.a]` after `[artifacts.b]`), or ends the file.
  const beside = statements.findLast(
    ({ path: found }) => table.length > 1 && startsWithPath(found, table.slice(0, -1)),
  );
  const at = beside === undefined || beside.tableDepth === 0 ? text.length : beside.end;
  return insertLines(text, at, [...(at === 0 ? [] : ['']), `[${formatKey(table)}]`, pair]);
}

/** Where a first pair outside all tables goes: before the first header and the comments that stand on it. */
function rootEnd(text: string): number {
  const first: Statement | undefined = scanStatements(text)[0];
  if (first === undefined) return text.length;
  const lines = text.slice(0, first.start).split(/(?<=\n)/);
  let at = first.start;
  while (lines.length > 0 && /^\s*#/.test(lines[lines.length - 1])) at -= (lines.pop() as string).length;
  return at;
}

function insertLines(text: string, at: number, lines: readonly string[]): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const before = text.slice(0, at);
  const joint = before === '' || before === '\ufeff' || before.endsWith('\n') ? '' : eol;
  return before + joint + lines.map((line) => line + eol).join('') + text.slice(at);
}

/** Where the statements at and under `path` lie; neighbours make one stretch, comments between them included. */
function stretches(
  statements: readonly Statement[],
  path: readonly string[],
): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let joined = false;
  for (const { path: at, repeated, start, end } of statements) {
    const under = !repeated && startsWithPath(at, path);
    if (under && joined) found[found.length - 1].end = end;
    else if (under) found.push({ start, end });
    joined = under;
  }
  return found;
}

/** Takes out whole lines, and one of the blank lines that would then stand together or at the file's end. */
function cut(text: string, start: number, end: number): string {
  const before = text.slice(0, start);
  const after = text.slice(end);
  const blankBefore = /(?:^|\n)[ \t]*\r?\n$/.exec(before);
  if (blankBefore && (after.trim() === '' || /^[ \t]*\r?\n/.test(after))) {
    const lineStart = blankBefore.index + (before[blankBefore.index] === '\n' ? 1 : 0);
    return before.slice(0, lineStart) + after;
  }
  return before === '' && /^[ \t]*\r?\n/.test(after) ? after.slice(nextLine(after, 0)) : before + after;
}

/** Gives `edited` only if it says exactly `wanted`: an edit of text is a guess until parsed. */
function proven(edited: string, file: string, wanted: TomlTable, what: string): string {
  let found: TomlTable | undefined;
  try {
    found = parseToml(edited, file);
  } catch {
    found = undefined;
  }
  if (found !== undefined && isDeepStrictEqual(withoutEmpty(found), withoutEmpty(wanted))) return edited;
  throw configError(file, undefined, `its layout does not let art ${what}: please edit it by hand`);
}

/** `table` with the value at `path` replaced, or removed if undefined; the same table if there is nothing to do. */
function withEntry(table: TomlTable, path: readonly string[], value: TomlScalar | undefined): TomlTable {
  const [key, ...rest] = path;
  // Keys are the user's: one may be called `__proto__`.
  const old = Object.hasOwn(table, key) ? table[key] : undefined;
  const others = Object.entries(table).filter(([name]) => name !== key);
  if (rest.length === 0) {
    if (value !== undefined) return Object.fromEntries([...others, [key, value]]);
    return old === undefined ? table : Object.fromEntries(others);
  }
  if (value === undefined && !isTable(old)) return table;
  const inner = isTable(old) ? old : {};
  const changed = withEntry(inner, rest, value);
  return changed === inner ? table : Object.fromEntries([...others, [key, changed]]);
}

// A table may vanish with its last entry, or stay: `[artifacts]` alone says nothing.
function withoutEmpty(value: unknown): unknown {
  if (!isTable(value)) return Array.isArray(value) ? value.map(withoutEmpty) : value;
  const kept: [string, unknown][] = [];
  for (const [key, inner] of Object.entries(value)) {
    const clean = withoutEmpty(inner);
    if (!isTable(clean) || Object.keys(clean).length > 0) kept.push([key, clean]);
  }
  return Object.fromEntries(kept);
}
