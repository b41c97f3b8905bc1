// Bundles the command line into one file and lazily loaded chunks: fewer files to find is a faster start.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

// LevelDB's JavaScript is bundled; its native part is loaded from the package where npm put it.
const nativeBinding = {
  name: 'native-binding',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/binding$/ }, () => ({ path: 'classic-level/binding.js', external: true }));
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

rmSync('dist/chunks', { recursive: true, force: true });
const common = {
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  conditions: ['source'],
  external: ['blake3', '@napi-rs/blake-hash', '@bokuweb/zstd-wasm'],
  banner: {
    js: "import { createRequire as artRequire } from 'node:module'; const require = artRequire(import.meta.url);",
  },
  plugins: [nativeBinding, parserAlone],
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};
await build({
  ...common,
  entryPoints: { art: 'src/cli/main.ts', tour: 'src/cli/tour.ts' },
  chunkNames: 'chunks/[name]-[hash]',
  splitting: true,
});
// By itself, so that each thread starts with a few kilobytes.
await build({
  ...common,
  entryPoints: {
    'placing-worker': 'src/worktree/placing-worker.ts',
    'compressing-worker': 'src/store/compressing-worker.ts',
  },
});
