import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The rooms, each on the floor of its number: it may import rooms of lower floors only. */
const FLOORS: Record<string, number> = {
  base: 0,
  object: 1,
  store: 2,
  tree: 3,
  content: 4,
  version: 4,
  worktree: 5,
  repo: 6,
  sync: 7,
  cli: 8,
};
const SRC = join(import.meta.dirname, '..', 'src');

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function sources(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found: Import[] = [];
  for (const match of text.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  )) {
    found.push({ file, target: match[2], typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ file, target: match[1], typeOnly: false });
  return found;
}

const roomOf = (file: string) => (file.includes('/') ? file.split('/')[0] : undefined);
const all = sources().flatMap(importsOf);

describe('the house', () => {
  test('every room has a door that says what it is for', () => {
    const rooms = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of rooms) {
      expect(FLOORS, `room ${name} stands on no floor`).toHaveProperty(name);
      if (name === 'cli') continue; // Nothing stands on it: its door is the command itself.
      const first = readFileSync(join(SRC, name, 'index.ts'), 'utf8').split('\n')[0];
      expect(first).toMatch(new RegExp(`^/\\*\\* ${name}: .+\\. ?\\*/$|^/\\*\\* ${name}: `));
    }
  });

  test('rooms import only rooms below them', () => {
    const upward = all.filter(({ file, target }) => {
      const from = roomOf(file);
      if (from === undefined || !target.startsWith('#')) return false;
      return !(FLOORS[target.slice(1)] < FLOORS[from]);
    });
    expect(upward).toEqual([]);
  });

  test('nobody reaches past a door', () => {
    const past = all.filter(({ file, target }) => {
      if (target.startsWith('#')) return !(target.slice(1) in FLOORS);
      if (!target.startsWith('.')) return false;
      const reached = relative(SRC, join(SRC, file, '..', target));
      return reached.startsWith('..') || roomOf(reached) !== roomOf(file);
    });
    expect(past).toEqual([]);
  });

  test('files of a room do not import each other in circles', () => {
    const edges = new Map<string, string[]>();
    for (const { file, target, typeOnly } of all) {
      if (typeOnly || !target.startsWith('.')) continue;
      edges.set(file, [...(edges.get(file) ?? []), relative(SRC, join(SRC, file, '..', target))]);
    }
    const circles: string[][] = [];
    const done = new Set<string>();
    const visit = (file: string, path: string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file]);
      else if (!done.has(file)) {
        for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
        done.add(file);
      }
    };
    for (const file of edges.keys()) visit(file, []);
    expect(circles).toEqual([]);
  });

  test('only the command line touches the terminal and the environment', () => {
    const rude = sources().filter(
      (file) =>
        roomOf(file) !== 'cli' &&
        /\bconsole\.|process\.(env|exit|stdout|stderr|argv)\b/.test(readFileSync(join(SRC, file), 'utf8')),
    );
    expect(rude).toEqual([]);
  });

  test('every file opens with its sentence', () => {
    const silent = sources().filter((file) => !/^(\/\*\*|#!)/.test(readFileSync(join(SRC, file), 'utf8')));
    expect(silent).toEqual([]);
  });
});
