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
    writeFileSync(
      preload,
      `Object.defineProperty(process, 'versions', { value: ${versions} });
      const Module = require('module');
      const load = Module._load;
      Module._load = function (name) {
        if (name !== process.argv[1]) process.stderr.write('loads ' + name);
        return load.apply(this, arguments);
      };`,
    );
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

// What that Node cannot parse would be its error, not ours.
test('the file that tells it has no syntax that an old Node does not know', () => {
  const code = readFileSync(ART, 'utf8').replace(/^#!.*\n/, '');
  const written = (target: string) =>
    transformSync(code, { target, format: 'cjs', minifyWhitespace: true }).code;
  expect(written('node12.22')).toBe(written('esnext'));
});
