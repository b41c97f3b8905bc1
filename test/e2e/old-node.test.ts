import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import { ART, Place } from './art.ts';

test.each(['12.22.0', '18.20.4', '20.18.3'])(
  'Node %s is told so in one line, whatever is asked',
  (version) => {
    using place = new Place();
    const preload = join(place.path, 'older.cjs');
    const versions = `{ ...process.versions, node: ${JSON.stringify(version)} }`;
    writeFileSync(preload, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
    for (const word of ['status', '--version', '--help']) {
      const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', preload, ART, word], {
        cwd: place.path,
        encoding: 'utf8',
      });
      expect({ status, stdout, stderr }).toEqual({
        status: 1,
        stdout: '',
        stderr: `error: art needs Node 20.19 or newer; this is ${version}\n`,
      });
    }
  },
);

// All that is loaded before the version is looked at: what that Node cannot parse would be its error, not ours.
test('the file that tells it has no syntax that an old Node does not know, and loads nothing of ours', () => {
  const code = readFileSync(ART, 'utf8').replace(/^#!.*\n/, '');
  const written = (target: string) => transformSync(code, { target, format: 'esm', minify: true }).code;
  // What a target does not know would be rewritten; `import.meta`, which Node 12 knows, is newer by the standard.
  expect(written('node12.22')).toBe(written('esnext'));
  const imported = [...code.matchAll(/^import .* from (['"])(.*?)\1/gm)].map(([, , from]) => from);
  expect(imported).toEqual(['node:module']);
});
