// Plugins that have parts of the command line loaded when something of them is first used: a short command needs few.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const SOURCE = resolve('src');
/** Node takes 8 ms to load all of these. */
const BUILTINS =
  /^(node:)?(child_process|crypto|fs\/promises|https?|net|os|timers\/promises|tty|v8|worker_threads)$/;
/** Rooms that a command which only looks into the store does not enter. */
const ROOMS = ['content', 'worktree', 'sync'];

export const lateBuiltins = {
  name: 'late-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: BUILTINS }, ({ path, namespace, importer }) => {
      if (namespace === 'late-builtin') return { path, external: true };
      // A package may ask for any name of it.
      return { path, namespace: 'late-builtin', suffix: importer.startsWith(SOURCE) ? '?ours' : '' };
    });
    onLoad({ filter: /.*/, namespace: 'late-builtin' }, async ({ path, suffix }) => {
      const names = suffix === '?ours' ? importedNames().get(path) : undefined;
      return { contents: whenUsed(names ?? Object.keys(await import(path)), path) };
    });
  },
};

/**
 * All functions of a program lie side by side, and V8 makes each of them at every start. Each of these rooms is one function,
 * bundled by itself with `options`.
 */
export function lateRooms(options) {
  return {
    name: 'late-rooms',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^#/ }, ({ path, namespace }) => {
        if (namespace === 'late-room') return { path, namespace: 'bundled-room' };
        return ROOMS.includes(path.slice(1)) ? { path, namespace: 'late-room' } : undefined;
      });
      onLoad({ filter: /.*/, namespace: 'late-room' }, async ({ path }) => ({
        contents: whenUsed(await namesOfRoom(path, options), path),
        resolveDir: SOURCE,
      }));
      onLoad({ filter: /.*/, namespace: 'bundled-room' }, async ({ path }) => {
        const plugins = [otherRooms(options), ...options.plugins];
        const { outputFiles } = await build({
          ...options,
          plugins,
          entryPoints: [doorOf(path)],
          write: false,
        });
        return { contents: outputFiles[0].text, resolveDir: SOURCE };
      });
    },
  };
}

// What a bundled room takes of the others is in constants of its own: to ask a module for it at each use would cost time.
function otherRooms(options) {
  return {
    name: 'other-rooms',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^#/ }, ({ path, namespace }) =>
        namespace === 'other-room' ? { path, external: true } : { path, namespace: 'other-room' },
      );
      onLoad({ filter: /.*/, namespace: 'other-room' }, async ({ path }) => {
        const constants = (await namesOfRoom(path, options)).map((name) => `${name} = room.${name}`);
        return { contents: `const room = require('${path}'); export const ${constants.join(', ')};` };
      });
    },
  };
}

function whenUsed(names, path) {
  const getters = [...new Set(names)].map((name) => `get ${name}() { return loaded().${name}; }`);
  return `
    let late;
    const loaded = () => (late ??= require('${path}'));
    module.exports = { ${getters.join(', ')} };`;
}

/** The values that a room (`#store`) gives through its door. */
async function namesOfRoom(room, options) {
  const { metafile } = await build({
    ...options,
    plugins: [],
    packages: 'external',
    format: 'esm',
    entryPoints: [doorOf(room)],
    metafile: true,
    write: false,
  });
  return Object.values(metafile.outputs)[0].exports;
}

function doorOf(room) {
  return join(SOURCE, room.slice(1), 'index.ts');
}

let imported;

/** The names that we import from each built-in module; none where it is imported whole. */
function importedNames() {
  if (imported !== undefined) return imported;
  imported = new Map();
  for (const file of readdirSync(SOURCE, { recursive: true }).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(SOURCE, file), 'utf8');
    for (const [, clause, module] of text.matchAll(/^import (?!type )([^;]*?) from '(node:[^']*)';/gm)) {
      const known = imported.has(module) ? imported.get(module) : [];
      imported.set(module, clause.startsWith('{') ? known && [...known, ...namesIn(clause)] : undefined);
    }
  }
  return imported;
}

function namesIn(clause) {
  return clause
    .slice(1, -1)
    .split(',')
    .map((name) => name.trim().split(' as ')[0])
    .filter((name) => name !== '' && !name.startsWith('type '));
}
