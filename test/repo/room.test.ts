import type * as fs from 'node:fs';
import { expect, test, vi } from 'vitest';
import { sleep } from '#base';
import { networkFileSystem } from '../../src/repo/network-file-system.ts';
import { Scene } from './scene.ts';

/** What the file system is said to have, in blocks of 1 KiB. */
let blocks = { blocks: 1e9, bfree: 9e8, bavail: 9e8 };

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  return { ...real, statfsSync: () => ({ ...blocks, bsize: 1024 }) };
});

async function alertsOf(scene: Scene, request = {}): Promise<string[]> {
  const alerts: string[] = [];
  await scene.in((r) => r.commit({ name: 'd', ...request }), { onAlert: (text) => alerts.push(text) });
  return alerts;
}

test('a commit that will find no room is told of before it reads anything', async () => {
  await using scene = await Scene.make();
  scene.write({
    'data/a': 'x'.repeat(50_000),
    'data/b/c': 'y'.repeat(30_000),
    'data/.artignore': 'big\n',
    'data/big': 'z'.repeat(90_000),
  });
  await sleep(100); // So that the stat cache may vouch for them.
  blocks = { blocks: 1e9, bfree: 70, bavail: 70 };
  expect(await alertsOf(scene, { paths: ['data'], dryRun: true })).toEqual([
    '78.1 KiB to read, and 70.0 KiB free for them: unless they compress well or are stored already, there will not be room',
  ]);
  blocks = { blocks: 1e9, bfree: 90, bavail: 90 };
  expect(await alertsOf(scene, { paths: ['data'] })).toEqual([]);
  // What is known is not read again.
  blocks = { blocks: 1e9, bfree: 10, bavail: 10 };
  scene.write({ 'data/b/c': 'small' });
  expect(await alertsOf(scene)).toEqual([]);
  scene.write({ 'data/new': 'n'.repeat(20_000) });
  expect(await alertsOf(scene)).toHaveLength(1);
});

const MOUNTS = String.raw`22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 22 0:26 / /home rw - nfs4 server:/home rw
32 31 0:27 / /home/ada/with\040blank rw - ext4 /dev/vdb rw
33 22 0:28 / /mnt rw - ext4 /dev/vdc rw
34 33 0:29 / /mnt/far rw master:3 - fuse.sshfs ada@far:/ rw
35 22 0:30 / /data rw - xfs /dev/vdd rw
36 22 0:31 / /data rw - lustre mgs:/data rw
37 22 0:32 / /win rw - cifs //server/share rw`;

test.each([
  ['/srv', undefined],
  ['/home', 'nfs4'],
  ['/home/ada/project', 'nfs4'],
  ['/homes', undefined],
  ['/home/ada/with blank/x', undefined],
  ['/mnt/x', undefined],
  ['/mnt/far/x', 'fuse.sshfs'],
  ['/data/x', 'lustre'],
  ['/win', 'cifs'],
])('the file system of %s is of a network: %s', (folder, type) => {
  expect(networkFileSystem(folder, MOUNTS)).toBe(type);
});
