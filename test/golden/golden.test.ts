/** Opens what earlier versions of art have written: a repository and a bucket of each format that was released. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { initRepository, openRepository } from '#repo';
import type { Repository } from '#repo';
import { openBucket, pull, push } from '#sync';
import { filesBelow } from '../e2e/crash/seen.ts';
import { unpackFolder } from './archive.ts';

const ARCHIVES = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json.gz'));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'art-golden-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function within<T>(name: string, work: (repository: Repository) => Promise<T>): Promise<T> {
  await using repository = await openRepository({
    author: 'ben',
    host: 'here',
    command: 'test',
    run: null,
    now: Date.now,
    folder: join(folder, name),
    artifactsFolder: 'artifacts',
  });
  return await work(repository);
}

async function withBucket<T>(
  work: (bucket: Awaited<ReturnType<typeof openBucket>>) => Promise<T>,
): Promise<T> {
  await using bucket = await openBucket(join(folder, 'bucket'), { cwd: folder, env: {} });
  return await work(bucket);
}

/** What is told of a repository's versions, by artifact, newest first. */
function told(name: string): Promise<unknown> {
  return within(name, async (r) => {
    const found: unknown[] = [];
    for (const row of await r.list()) {
      for await (const { version } of r.log(row.name)) {
        const shown = await r.show(`${row.name}:${version}`);
        if (shown.kind !== 'version') throw new Error(`${row.name}:${version} is no version`);
        const { cid, tree, type, message, author, time, files, bytes, aliases, tags, description } = shown;
        const metadata = Object.keys(shown.metadata).length;
        found.push({
          ...{ name: `${row.name}:${version}`, cid, tree, type, message, author, time, files, bytes },
          ...{ aliases, tags, description, metadata },
        });
      }
    }
    return found;
  });
}

function operations(name: string): Promise<unknown> {
  return within(name, async (r) => {
    const found: string[] = [];
    for await (const { time, user, command } of r.ops()) found.push(`${time} ${user} ${command}`);
    return found;
  });
}

async function checksOut(name: string): Promise<string[]> {
  await within(name, (r) => r.download({ spec: 'numbers', dir: 'out' }));
  return filesBelow(join(folder, name, 'out'));
}

const fsck = (name: string, request = {}) => within(name, (r) => r.fsck({ deep: true, ...request }));

describe.each(ARCHIVES)('%s', (archive) => {
  beforeEach(() => unpackFolder(join(import.meta.dirname, archive), folder));

  test('is whole, and tells what it always told', async () => {
    expect(await fsck('repository')).toMatchObject({ ok: true, problems: [], damaged: [] });
    expect(await told('repository')).toMatchSnapshot();
    expect(await operations('repository')).toMatchSnapshot();
    expect(await checksOut('repository')).toMatchSnapshot();
  });

  test('comes back from its packs and journals alone', async () => {
    const before = await told('repository');
    rmSync(join(folder, 'repository', '.art', 'objects'), { recursive: true });
    expect(await fsck('repository', { repair: true })).toMatchObject({ ok: true, problems: [] });
    expect(await told('repository')).toEqual(before);
  });

  test('takes new versions, and gives them to its bucket', async () => {
    writeFileSync(join(folder, 'repository', 'data', 'new.txt'), 'new');
    await within('repository', async (r) => {
      const [{ version }] = await r.commit({ name: 'numbers' });
      expect(version).toBe('v4');
      await withBucket((bucket) => push(r, { remote: 'origin', bucket }));
      await r.gc({ undoWindowDays: 0 });
    });
    expect(await fsck('repository')).toMatchObject({ ok: true, problems: [] });
  });

  test('its bucket is pulled from, whole', async () => {
    await initRepository(join(folder, 'clone'));
    await within('clone', async (r) => {
      r.addRemote({ name: 'origin', url: '../bucket' });
      await withBucket((bucket) => pull(r, { remote: 'origin', bucket }));
    });
    expect(await fsck('clone')).toMatchObject({ ok: true, problems: [] });
    expect(await told('clone')).toMatchSnapshot();
    expect(await checksOut('clone')).toEqual(await checksOut('repository'));
  });

  test('of a newer format it is refused, and says so', async () => {
    const layout = join(folder, 'repository', '.art', 'format');
    writeFileSync(layout, `${Number(readFileSync(layout, 'utf8')) + 1}\n`);
    await expect(fsck('repository')).rejects.toMatchObject({
      code: 'REPOSITORY_TOO_NEW',
      message: expect.stringMatching(/has layout 2; this art knows 1$/),
    });
  });

  test.each([
    ['minReader', 'read'],
    ['minWriter', 'write to'],
  ])('whose bucket needs a newer %s is refused to %s it', async (field, what) => {
    const path = join(folder, 'bucket', 'format');
    const format = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...format, [field]: 2 }));
    writeFileSync(join(folder, 'repository', 'data', 'new.txt'), 'new');
    await initRepository(join(folder, 'clone'));
    const pulled = within('clone', async (r) => {
      r.addRemote({ name: 'origin', url: '../bucket' });
      return await withBucket((bucket) => pull(r, { remote: 'origin', bucket }));
    });
    const refused = {
      code: 'REMOTE_TOO_NEW',
      message: expect.stringContaining(`needs format 2 to ${what} it`) as string,
    };
    if (field === 'minReader') await expect(pulled).rejects.toMatchObject(refused);
    else await pulled;
    const pushed = within('repository', async (r) => {
      await r.commit({ name: 'numbers' });
      return await withBucket((bucket) => push(r, { remote: 'origin', bucket }));
    });
    if (field === 'minWriter') await expect(pushed).rejects.toMatchObject(refused);
    else await pushed.catch(() => undefined);
  });
});
