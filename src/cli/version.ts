/** Knows which version of art this is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As the package says, which lies two folders up from the source as from the bundle. */
export function artVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
