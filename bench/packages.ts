/** Brings published versions of large npm packages into a cache folder, by the ordinary npm client. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Oldest first: each is committed as the next version of the same artifact. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  typescript: ['5.4.5', '5.5.4', '5.6.3', '5.7.3'],
  'vega-datasets': ['2.7.0', '2.9.0', '2.11.0', '3.1.0'],
};

export function packageFolder(cacheFolder: string, name: string, version: string): string {
  return join(cacheFolder, `${name}-${version}`);
}

/** Makes sure that the unpacked version is in the cache folder; false when npm cannot bring it. */
export function fetchPackage(cacheFolder: string, name: string, version: string): boolean {
  const folder = packageFolder(cacheFolder, name, version);
  if (existsSync(folder)) return true;
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const pack = spawnSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: work, timeout: 120_000 });
  const archive = pack.status === 0 ? readdirSync(work).find((file) => file.endsWith('.tgz')) : undefined;
  if (archive === undefined) return false;
  const untar = spawnSync('tar', ['-xzf', archive, '--no-same-owner'], { cwd: work });
  if (untar.status !== 0) return false;
  renameSync(join(work, 'package'), folder);
  rmSync(work, { recursive: true });
  return true;
}
