/** Lets a test put code into a process of art before it starts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Place } from './art.ts';

const IMPORTS = `import { createRequire, syncBuiltinESMExports } from 'node:module';
import { EventEmitter } from 'node:events';
const require = createRequire(import.meta.url);
const fs = require('node:fs');
const threads = require('node:worker_threads');
const { Worker } = threads;`;

let count = 0;

/**
 * Node's options for a process in which `text` runs first: it may change what is in `fs` and `threads` (node:fs and
 * node:worker_threads), and so what art imports of them.
 */
export function before(place: Place, text: string): readonly string[] {
  const path = join(place.path, `.before-${count++}.mjs`);
  writeFileSync(path, `${IMPORTS}\n${text}\nsyncBuiltinESMExports();\n`);
  return ['--import', pathToFileURL(path).href];
}
