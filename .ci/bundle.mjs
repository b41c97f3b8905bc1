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
// always follow a link to `level` by itself. Both are looked for where packages lie: to ask Node takes 2 ms of every start.
const nativeBinding = {
  name: 'native-binding',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/binding$/ }, () => ({ path: 'classic-level', namespace: 'binding' }));
    onLoad({ filter: /.*/, namespace: 'binding' }, () => ({
      contents: `
        const { existsSync, realpathSync } = require('node:fs');
        const { createRequire } = require('node:module');
        const { dirname, join } = require('node:path');
        const find = (require, name) => {
          const packages = require.resolve.paths(name).map((folder) => join(folder, name, 'package.json'));
          return realpathSync(packages.find(existsSync) ?? require.resolve(name + '/package.json'));
        };
        const ofLevel = createRequire(find(require, 'level'));
        module.exports = require('node-gyp-build/node-gyp-build.js')(dirname(find(ofLevel, 'classic-level')));`,
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
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
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
