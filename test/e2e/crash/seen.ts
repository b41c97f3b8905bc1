/** Looks at what is in repositories and folders after a crash, in this process. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isArtError, toHex } from '#base';
import { CHUNK } from '#object';
import { initRepository, openRepository } from '#repo';
import type { Repository } from '#repo';
import { openBucket, pull } from '#sync';
import { listPacks, walkPack } from '../../../src/store/pack-files.ts';

async function inRepository<T>(folder: string, work: (repository: Repository) => Promise<T>): Promise<T> {
  await using repository = await openRepository({
    author: 'ada',
    host: 'here',
    command: 'test',
    run: null,
    now: Date.now,
    folder,
    artifactsFolder: 'artifacts',
    waitMsMax: 5000,
  });
  return await work(repository);
}

/** Every version of every artifact: its number, tree, message and names. No time is in it, and no commit's name. */
export function versionsIn(folder: string): Promise<string[]> {
  return inRepository(folder, async (repository) => {
    const found: string[] = [];
    for (const { name } of await repository.list()) {
      for await (const row of repository.log(name)) {
        const shown = await repository.show(`${name}:${row.version}`);
        const tree = shown.kind === 'version' ? shown.tree : '';
        found.push([name, row.version, tree, row.message, ...row.aliases, ...row.tags].join(' '));
      }
    }
    return found;
  });
}

/** What whoever comes to a bucket for the first time gets from it, checked whole. */
export async function versionsInBucket(url: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'art-crash-clone-'));
  try {
    await initRepository(folder);
    await inRepository(folder, async (repository) => {
      repository.addRemote({ name: 'origin', url });
      await using bucket = await openBucket(url, { cwd: '/', env: {} });
      await pull(repository, { remote: 'origin', bucket });
    });
    const problems = await problemsIn(folder);
    return problems.length > 0 ? [...problems] : await versionsIn(folder);
  } catch (error) {
    if (isArtError(error, 'REMOTE_EMPTY')) return [];
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a deep check says is wrong, every byte of every object read. */
export function problemsIn(folder: string): Promise<readonly string[]> {
  return inRepository(folder, async (repository) => (await repository.fsck({ deep: true })).problems);
}

/** How many chunks lie in packs and journals more than once, counted once for each copy too many. */
export function copiesTooMany(folder: string): number {
  const seen = new Set<string>();
  let copies = 0;
  for (const { path } of listPacks(join(folder, '.art', 'packs'))) {
    for (const { rows } of walkPack(path).segments) {
      for (const { kind, digest } of rows) {
        if (kind !== CHUNK) continue;
        const name = toHex(digest);
        if (seen.has(name)) copies++;
        seen.add(name);
      }
    }
  }
  return copies;
}

/** Unfinished packs that nobody will finish. */
export function leftPacks(folder: string): string[] {
  return readdirSync(join(folder, '.art', 'tmp')).filter((name) => name.endsWith('.pack'));
}

/** What a process that was killed leaves beside `art.toml` and `art.lock`. */
const UNFINISHED = /^\.art-tmp-\d+-[a-z0-9]+$/;

/** Everything below a folder but repositories, as one digest a file. */
export function filesBelow(folder: string): string[] {
  const found: string[] = [];
  const walk = (at: string, prefix: string) => {
    for (const name of readdirSync(at).sort()) {
      if (name === '.art' || (prefix === '' && UNFINISHED.test(name))) continue;
      const path = join(at, name);
      const stat = lstatSync(path);
      if (stat.isDirectory()) walk(path, `${prefix}${name}/`);
      else if (stat.isSymbolicLink()) found.push(`${prefix}${name} -> ${readlinkSync(path)}`);
      else found.push(`${prefix}${name} ${digestOf(readFileSync(path))}`);
    }
  };
  if (existsSync(folder)) walk(folder, '');
  return found;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
