/** Gives tests a folder of their own, a store, and folders described as plain values. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { compareBytes, utf8 } from '#base';
import { CHUNK, FILE, FOLDER, SYMLINK, hash, type Digest, type MapEntry } from '#object';
import { MemoryStore } from '#store';
import { MapBuilder } from '#tree';
import {
  checkout,
  snapshot,
  type CheckoutCounts,
  type CheckoutOptions,
  type SnapshotOptions,
} from '#worktree';

/** What a folder holds: path to content; `{ link }`, `{ run }` (executable) and `null` (an empty folder) stand out. */
export type Holding = string | Buffer | { readonly link: string } | { readonly run: string } | null;
export type Contents = Readonly<Record<string, Holding>>;

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'art-worktree-')));
  made.push(folder);
  return folder;
}

/** Makes `contents` in `folder`; files are an hour old, so that the stat cache takes them. */
export function put(folder: string, contents: Contents): void {
  mkdirSync(folder, { recursive: true });
  for (const [path, holding] of Object.entries(contents)) {
    const absolute = join(folder, path);
    mkdirSync(holding === null ? absolute : dirname(absolute), { recursive: true });
    if (holding === null) continue;
    rmSync(absolute, { force: true, recursive: true });
    if (typeof holding === 'string' || holding instanceof Uint8Array) writeFileSync(absolute, holding);
    else if ('link' in holding) symlinkSync(holding.link, absolute);
    else {
      writeFileSync(absolute, holding.run);
      chmodSync(absolute, 0o755);
    }
    if (!lstatSync(absolute).isSymbolicLink()) utimesSync(absolute, 1.7e9 + 0.5, 1.7e9 + 0.5);
  }
}

/** What `folder` holds, our own way of reading it. */
export function contentsOf(folder: string, prefix = ''): Record<string, Holding> {
  const found: Record<string, Holding> = {};
  const names = readdirSync(join(folder, prefix));
  if (names.length === 0 && prefix !== '') found[prefix.slice(0, -1)] = null;
  for (const name of names) {
    const path = prefix + name;
    const absolute = join(folder, path);
    const stats = lstatSync(absolute);
    if (stats.isDirectory()) Object.assign(found, contentsOf(folder, `${path}/`));
    else if (stats.isSymbolicLink()) found[path] = { link: readlinkSync(absolute) };
    else if (stats.mode & 0o100) found[path] = { run: readFileSync(absolute, 'utf8') };
    else found[path] = readFileSync(absolute, 'utf8');
  }
  return found;
}

/** A store with a folder for temporary files, and the calls most tests make. */
export class Bench {
  readonly store = new MemoryStore();
  readonly base = temporaryFolder();
  readonly tmpDir = join(this.base, 'tmp');
  readonly dir = join(this.base, 'dir');

  constructor() {
    mkdirSync(this.tmpDir);
  }

  async snapshot(folder: string, more: Partial<SnapshotOptions> = {}) {
    await using tx = await this.store.begin();
    const sources = [{ path: folder, dest: '' }];
    const result = await snapshot({ sources, tx, tmpDir: this.tmpDir, ...more });
    await tx.publish(async () => undefined);
    result.published();
    return result;
  }

  /** The tree of `contents`, by way of a folder. */
  async treeOf(contents: Contents): Promise<Digest> {
    const folder = temporaryFolder();
    put(folder, contents);
    return (await this.snapshot(folder)).root.digest;
  }

  /** A tree of files with any keys, impossible ones too; a value that begins with `->` is a link. */
  async rawTree(files: Readonly<Record<string, string>>): Promise<Digest> {
    await using tx = await this.store.begin();
    const builder = new MapBuilder(tx);
    const keyed = Object.entries(files).map(([path, text]) => [utf8(path), text] as const);
    for (const [key, text] of keyed.sort(([a], [b]) => compareBytes(a, b))) builder.add(entryOf(key, text));
    for (const text of Object.values(files)) tx.put(CHUNK, hash(utf8(text)), utf8(text));
    const { digest } = builder.finish();
    await tx.publish(async () => undefined);
    return digest;
  }

  options(more: Partial<CheckoutOptions> = {}): CheckoutOptions {
    const { dir, tmpDir, store } = this;
    return { dir, tmpDir, source: store, reader: store.reader(), wanted: undefined, epoch: 0, ...more };
  }

  checkout(wanted: Digest | undefined, more: Partial<CheckoutOptions> = {}): Promise<CheckoutCounts> {
    return checkout(this.options({ wanted, ...more }));
  }
}

function entryOf(key: Uint8Array, text: string): MapEntry {
  const isLink = text.startsWith('->');
  const bytes = utf8(isLink ? text.slice(2) : text);
  const base = {
    key,
    executable: false,
    size: bytes.length,
    digest: hash(bytes),
    extra: isLink ? bytes : utf8(''),
  };
  const isFolder = key.at(-1) === 0x2f;
  return { ...base, kind: isLink ? SYMLINK : isFolder ? FOLDER : FILE };
}
