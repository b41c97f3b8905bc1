/** Knows which version of art this is. */
import { readFileSync } from 'node:fs';

/** As the package says, which lies two folders up from the source as from the bundle's chunks. */
export function artVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
