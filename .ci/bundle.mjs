// Bundles the command line into one file that Node starts and one that it loads, with the bytecode V8 makes of that: a faster
// start.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { lateBuiltins, lateRooms } from './late.mjs';

// LevelDB's JavaScript is bundled, and what finds its native part; that is loaded from the package where it was put: we
// depend on `level`, and only that on the package with the native part, which need not be seen from here. Node does not
// always follow a link to `level` by itself. To find it takes 3 ms, so where it was is told to whoever loads the program
// (`program-file.ts`), who may say so the next time.
const nativeBinding = {
  name: 'native-binding',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/binding$/ }, () => ({ path: 'classic-level', namespace: 'binding' }));
    onLoad({ filter: /.*/, namespace: 'binding' }, () => ({
      contents: `
        const { dirname, join, relative } = require('node:path');
        function loadKnown() {
          if (__native.path === '') return undefined;
          try {
            return require(join(__dirname, __native.path));
          } catch {
            return undefined; // It was put somewhere else since.
          }
        }
        function loadFound() {
          const { resolve } = require('node-gyp-build/node-gyp-build.js');
          const { createRequire } = require('node:module');
          const { realpathSync } = require('node:fs');
          const ofLevel = createRequire(realpathSync(require.resolve('level/package.json')));
          const path = resolve(dirname(ofLevel.resolve('classic-level/package.json')));
          __native.path = relative(__dirname, path);
          return require(path);
        }
        module.exports = loadKnown() ?? loadFound();`,
      resolveDir: process.cwd(),
    }));
  },
};

// `yargs/helpers` loads yargs' help layout beside the parser, which costs 24 ms at every start.
const parserAlone = {
  name: 'parser-alone',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^yargs\/helpers$/ }, () => ({ path: 'yargs/helpers', namespace: 'parser' }));
    onLoad({ filter: /.*/, namespace: 'parser' }, () => ({
      contents: "export { default as Parser } from 'yargs-parser';",
      resolveDir: process.cwd(),
    }));
  },
};

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  conditions: ['source'],
  external: ['blake3', '@napi-rs/blake-hash', '@bokuweb/zstd-wasm', 'level/package.json'],
  plugins: [nativeBinding, lateBuiltins, parserAlone],
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};
const script = {
  ...common,
  outdir: 'dist/bin',
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  supported: { 'dynamic-import': false }, // A script that is not loaded by Node's loader can require only.
  // As an URL it is only asked for to make a `require` of it, which takes a path as well.
  define: {
    'import.meta.dirname': '__dirname',
    'import.meta.url': '__filename',
  },
};
// An old Node must get through this one, to say that it is too old.
await build({ ...script, target: 'node12.22', entryPoints: { art: 'src/cli/main.ts' } });
await build({
  ...script,
  plugins: [lateRooms(script), ...common.plugins],
  entryPoints: { program: 'src/cli/program.ts' },
  banner: { js: '(function (exports, require, module, __filename, __dirname, __native) {' },
  footer: { js: '})' },
});
// By themselves, so that each thread starts with a few kilobytes.
await build({
  ...common,
  outdir: 'dist',
  format: 'esm',
  banner: {
    js: "import { createRequire as artRequire } from 'node:module'; const require = artRequire(import.meta.url);",
  },
  entryPoints: {
    tour: 'src/cli/tour.ts',
    'placing-worker': 'src/worktree/placing-worker.ts',
    'compressing-worker': 'src/store/compressing-worker.ts',
  },
});
// In processes of their own: one keeps what it has compiled itself, and no more.
const scratch = mkdtempSync(join(tmpdir(), 'art-build-'));
try {
  for (const command of ['commit', 'status', 'log'])
    execFileSync(process.execPath, [join(import.meta.dirname, 'bytecode.mjs'), command, scratch], {
      stdio: 'inherit',
    });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
