/** Keeps a small folder as one file: JSON of its files in Base64, compressed. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
  lstatSync,
  readlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

/** By path: the bytes of a file; what a link leads to; nothing for an empty folder. */
type Archive = Record<string, { readonly file?: string; readonly link?: string; readonly mode?: number }>;

export function packFolder(folder: string, file: string): void {
  const archive: Archive = {};
  const walk = (at: string, prefix: string) => {
    const names = readdirSync(at).sort();
    if (names.length === 0) archive[prefix] = {};
    for (const name of names) {
      const path = join(at, name);
      const key = prefix === '' ? name : `${prefix}/${name}`;
      if (lstatSync(path).isSymbolicLink()) archive[key] = { link: readlinkSync(path) };
      else if (statSync(path).isDirectory()) walk(path, key);
      // What LevelDB tells about itself, and its lock, are made anew.
      else if (!/\/objects\/LO(CK|G(\.old)?)$/.test(key))
        archive[key] = { file: readFileSync(path).toString('base64'), mode: statSync(path).mode & 0o777 };
    }
  };
  walk(folder, '');
  writeFileSync(file, gzipSync(JSON.stringify(archive), { level: 9 }));
}

export function unpackFolder(file: string, folder: string): void {
  const archive = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Archive;
  for (const [path, { file: bytes, link, mode }] of Object.entries(archive)) {
    const target = join(folder, path);
    mkdirSync(bytes === undefined && link === undefined ? target : dirname(target), { recursive: true });
    if (link !== undefined) symlinkSync(link, target);
    if (bytes === undefined) continue;
    writeFileSync(target, Buffer.from(bytes, 'base64'));
    chmodSync(target, mode ?? 0o644);
  }
}
