/** Finds the statements of a TOML text, so that one of them can be changed and every other byte kept. */
import { parse } from 'smol-toml';

export interface Statement {
  /** `table` is `[a.b]`, `tables` is `[[a.b]]`, `pair` is `key = value`. */
  readonly kind: 'table' | 'tables' | 'pair';
  /** The whole path from the root: for a pair its table's, then its own key's. */
  readonly path: readonly string[];
  /** How much of a pair's path its table's header says. */
  readonly tableDepth: number;
  /** Whether it lies under a `[[…]]`, where one path stands for many values. */
  readonly repeated: boolean;
  /** 1 for the first line. */
  readonly line: number;
  /** Offset of the first byte of its line. */
  readonly start: number;
  /** Offset after its last line, line end included. */
  readonly end: number;
  /** Where a pair's value lies; empty for headers. */
  readonly value: { readonly start: number; readonly end: number };
}

/** The statements of `text` in order. `text` must have been parsed as TOML before: this knows no errors. */
export function scanStatements(text: string): Statement[] {
  const statements: Statement[] = [];
  const repeatedPaths: (readonly string[])[] = [];
  let table: readonly string[] = [];
  let repeated = false;
  let line = 1;
  for (let start = 0; start < text.length;) {
    let at = skipBlanks(text, start);
    let end = nextLine(text, at);
    const first = text[at];
    if (first === '[') {
      const kind = text[at + 1] === '[' ? 'tables' : 'table';
      at += kind === 'tables' ? 2 : 1;
      table = keyPath(text.slice(at, endOfKey(text, at, ']')));
      if (kind === 'tables') repeatedPaths.push(table);
      repeated = repeatedPaths.some((path) => startsWithPath(table, path));
      statements.push({
        kind,
        path: table,
        tableDepth: table.length,
        repeated,
        line,
        start,
        end,
        value: { start: at, end: at },
      });
    } else if (at < text.length && first !== '#' && first !== '\n' && first !== '\r') {
      const equals = endOfKey(text, at, '=');
      const path = [...table, ...keyPath(text.slice(at, equals))];
      const valueStart = skipBlanks(text, equals + 1);
      const value = { start: valueStart, end: endOfValue(text, valueStart) };
      end = nextLine(text, value.end);
      statements.push({ kind: 'pair', path, tableDepth: table.length, repeated, line, start, end, value });
    }
    for (let i = text.indexOf('\n', start); i >= 0 && i < end; i = text.indexOf('\n', i + 1)) line++;
    start = end;
  }
  return statements;
}

export function startsWithPath(path: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((part, i) => path[i] === part);
}

export function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && startsWithPath(a, b);
}

/** Offset of the line after the one that holds `at`. */
export function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

/** The parts of a dotted key in TOML's own syntax; raises a TomlError if it is none. */
export function keyPath(key: string): string[] {
  const path: string[] = [];
  // The parser knows how keys are quoted and escaped: it gives one table inside the other.
  let value: unknown = parse(`${key} = 0`);
  while (typeof value === 'object' && value !== null) {
    const [part] = Object.keys(value);
    path.push(part);
    value = (value as Record<string, unknown>)[part];
  }
  return path;
}

/** Offset of the first character from `at` on that is no blank. */
export function skipBlanks(text: string, at: number): number {
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\ufeff') at++;
  return at;
}

/** Offset of the `end` that closes the key that begins at `at`. */
export function endOfKey(text: string, at: number, end: ']' | '='): number {
  while (at < text.length && text[at] !== end) at = isQuote(text[at]) ? endOfString(text, at) : at + 1;
  return at;
}

function endOfValue(text: string, at: number): number {
  let depth = 0;
  let end = at;
  while (at < text.length) {
    const c = text[at];
    if (c === '\n' && depth === 0) break;
    if (c === '#') {
      at = nextLine(text, at);
      if (depth === 0) break;
      continue;
    }
    if (c === '[' || c === '{') depth++;
    if (c === ']' || c === '}') depth--;
    at = isQuote(c) ? endOfString(text, at) : at + 1;
    if (c !== ' ' && c !== '\t' && c !== '\r' && c !== '\n') end = at;
  }
  return end;
}

/** Offset after the string that begins at `at`, whichever of the four kinds it is. */
function endOfString(text: string, at: number): number {
  const quote = text[at];
  const long = text.startsWith(quote.repeat(3), at);
  const close = long ? quote.repeat(3) : quote;
  at += close.length;
  while (at < text.length && !text.startsWith(close, at)) at += quote === '"' && text[at] === '\\' ? 2 : 1;
  at += close.length;
  // A long string may end in one or two quotes of its own before the three that close it.
  while (long && text[at] === quote) at++;
  return Math.min(at, text.length);
}

function isQuote(c: string): boolean {
  return c === '"' || c === "'";
}
