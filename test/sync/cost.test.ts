import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hash, encodeCommit, CHUNK, FILE } from '#object';
import { MapBuilder, edit, keyOfPath } from '#tree';
import { addVersion, newArtifact, parseArtifactName, parseTypeName } from '#version';
import { publishOperation } from '#repo';
import { MemoryBucket, RemoteView, counting } from '#sync';
import { Clone, twoClones } from './scene.ts';
import { noise } from './samples.ts';

const NAME = parseArtifactName('many');
const SETTING = {
  author: 'ada',
  host: 'here',
  command: 'test',
  run: null,
  now: Date.now,
  artifactsFolder: 'artifacts',
};
const ENTRIES = Number(process.env['ART_SYNC_ENTRIES'] ?? 100_000);

/** Commits a tree of many entries, or the same with one of them changed, without any folder. */
async function commitMany(clone: Clone, changed: string | undefined): Promise<void> {
  await clone.scene.in(async (repository) => {
    const { context } = repository;
    await using tx = await context.store.begin();
    const file = (path: string, content: string) => {
      const bytes = Buffer.from(content);
      const digest = hash(bytes);
      tx.put(CHUNK, digest, bytes);
      const key = keyOfPath(path, { folder: false });
      const none = new Uint8Array(0);
      return { key, kind: FILE, executable: false, size: bytes.length, digest, extra: none } as const;
    };
    const path = (i: number) => `dir${String(i >> 8).padStart(5, '0')}/file${String(i).padStart(8, '0')}`;
    await publishOperation(tx, context, async (draft) => {
      const builder = new MapBuilder(draft);
      for (let i = 0; i < ENTRIES; i++) builder.add(file(path(i), `content ${i % 100}`));
      let root = builder.finish();
      if (changed !== undefined)
        root = await edit(draft, draft, root.digest, [
          { key: keyOfPath(path(ENTRIES / 2), { folder: false }), entry: file(path(ENTRIES / 2), changed) },
        ]);
      const { digest: tree, count: files, bytes } = root;
      const said = { message: '', author: 'ada', time: 1, metadata: {}, run: null, ext: {} };
      const encoded = encodeCommit({ tree, parents: [], files, bytes, ...said });
      const commit = hash(encoded);
      draft.putNode(commit, encoded);
      const before =
        (await draft.findArtifact(NAME)) ?? newArtifact({ name: NAME, type: parseTypeName('dataset') });
      const { artifact } = await addVersion(draft, before, { commit, bytes });
      await draft.setArtifact(artifact);
    });
  });
}

describe('what a push and a pull cost', () => {
  test('one small file changed among many: at most 10 requests and 300 KB', async () => {
    const { ada, ben } = await twoClones();
    await using _a = ada;
    await using _b = ben;
    await commitMany(ada, undefined);
    await ada.push();
    await ben.pull();
    await commitMany(ada, 'changed');
    const pushed = await ada.push();
    expect(pushed.requests).toBeLessThanOrEqual(10);
    expect(pushed.bytes).toBeLessThanOrEqual(300_000);
    const pulled = await ben.pull();
    expect(pulled.requests).toBeLessThanOrEqual(10);
    expect(pulled.bytes).toBeLessThanOrEqual(300_000);
  }, 60_000);

  test('requests do not depend on how many versions were not pushed', async () => {
    const requests: number[] = [];
    for (const versions of [1, 100]) {
      const { ada } = await twoClones();
      await using _a = ada;
      await ada.commit('cifar', { a: 'first' });
      await ada.push();
      await ada.scene.in(async (repository) => {
        for (let i = 0; i < versions; i++) {
          ada.scene.write({ 'in-cifar/a': `version ${i}` });
          await repository.commit({ name: 'cifar', paths: ['in-cifar'], bind: false });
        }
      });
      const pushed = await ada.push();
      expect(pushed.versions).toBe(versions);
      requests.push(pushed.requests);
    }
    expect(requests[1]).toBe(requests[0]);
  }, 60_000);
});

describe('one file out of a bucket of many packs', () => {
  const PACKS = 100;
  const LENGTH = 50_000;
  let ada: Clone;
  beforeAll(async () => {
    ada = await Clone.make(new MemoryBucket());
    const files: Record<string, Uint8Array> = { 'first.bin': noise(1, LENGTH) };
    for (let i = 0; i < PACKS; i++) {
      files[`dir/f${i}.bin`] = noise(i + 2, LENGTH);
      await ada.commit('many', files);
      await ada.push();
    }
  }, 300_000);
  afterAll(() => ada[Symbol.asyncDispose]());

  test.each([
    ['the newest file', 'many', `dir/f${PACKS - 1}.bin`, 12],
    // Nothing tells which pack an old object is in: at worst every index is read, and nothing else.
    ['the newest file of an old version', 'many:v50', 'dir/f50.bin', PACKS / 2 + 10],
    ['the oldest file of the newest version', 'many', 'first.bin', PACKS + 10],
  ])(
    '%s costs little more than its bytes and the indexes that lead there',
    async (_, spec, path, requestsMax) => {
      const counted = counting(ada.bucket);
      const scratch = mkdtempSync(join(tmpdir(), 'art-view-'));
      try {
        const setting = { ...SETTING, folder: scratch };
        const view = await RemoteView.open(counted, setting, scratch);
        let length = 0;
        for await (const piece of view.cat(spec, path)) length += piece.length;
        expect(length).toBe(LENGTH);
      } finally {
        rmSync(scratch, { recursive: true });
      }
      expect(counted.traffic.requests).toBeLessThanOrEqual(requestsMax);
      expect(counted.traffic.bytesReceived).toBeLessThanOrEqual(LENGTH + 200_000);
    },
  );
});
