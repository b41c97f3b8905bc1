import { describe, expect, test } from 'vitest';
import { MemoryBucket } from '#sync';
import { Clone } from './scene.ts';
import { bringTree, code, damagePacks, download, lazyScene } from './lazy-scene.ts';
import { packsOf } from './samples.ts';

describe('a broken promise', () => {
  test('names version and paths, leaves nothing behind, and is told by fsck until it is mended', async () => {
    const { bucket, ada, ben } = await lazyScene({ 'a/one.txt': Buffer.from('one'.repeat(50)) });
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    await bringTree(ben);
    const saved = new Map<string, Uint8Array>();
    for (const key of await packsOf(bucket)) {
      const parts: Uint8Array[] = [];
      for await (const part of (await bucket.get(key))!.body) parts.push(Uint8Array.from(part));
      saved.set(key, Buffer.concat(parts));
      await bucket.delete(key);
    }
    await expect(download(ben, 'out')).rejects.toThrow(code('PROMISE_BROKEN'));
    await expect(download(ben, 'out')).rejects.toThrow(/many:v0 \("a\/one.txt"\)/);
    const { ok, damaged } = await ben.scene.in((repository) => repository.fsck());
    expect([ok, damaged.map(({ versions, paths }) => [versions, paths])]).toEqual([
      false,
      [[['many:v0'], ['a/one.txt']]],
    ]);
    for (const [key, bytes] of saved)
      await bucket.putIfAbsent(key, {
        size: bytes.length,
        open: async function* () {
          yield bytes;
        },
      });
    await ben.pull();
    await ben.check();
    expect(await ben.contents('many')).toEqual(await ada.contents('many'));
  });

  test('is one too where bytes were changed: none of them arrives', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    await bringTree(ben);
    await damagePacks(bucket);
    await expect(download(ben, 'out', ['large.bin'])).rejects.toThrow(code('PROMISE_BROKEN'));
    expect(ben.scene.exists('out/large.bin')).toBe(false);
  });

  test('another bucket at the same address is not the one that promised', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    ben.bucket = new MemoryBucket();
    await ada.scene.in(async () => {});
    const other = await Clone.make(ben.bucket);
    await using _o = other;
    await other.commit('else', { a: 'a' });
    await other.push();
    await expect(download(ben, 'out')).rejects.toThrow(/not the bucket that promised/);
  });
});

describe('two remotes', () => {
  test('what one has promised is copied through to the other', async () => {
    const { ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    const second = new MemoryBucket();
    ben.others.set('second', second);
    await ben.push({ remote: 'second' });
    const carl = await Clone.make(second);
    await using _c = carl;
    await carl.pull();
    expect(await carl.contents('many')).toEqual(await ada.contents('many'));
    await carl.check();
  });

  test('or nothing is sent, if it is not where it was promised', async () => {
    const { bucket, ada, ben } = await lazyScene();
    await using _a = ada;
    await using _b = ben;
    await ben.pull({ lazy: true });
    await bringTree(ben);
    for (const key of await packsOf(bucket)) await bucket.delete(key);
    for await (const { key } of bucket.list('idx/')) await bucket.delete(key);
    const second = new MemoryBucket();
    ben.others.set('second', second);
    // The cached index knows where it was: it is the reading that finds it gone.
    await expect(ben.push({ remote: 'second' })).rejects.toThrow(code('PROMISE_BROKEN'));
    for await (const { key } of second.list('refs/')) expect((await second.get(key))?.size).toBeLessThan(120);
    expect(await packsOf(second)).toEqual([]);
  });
});
