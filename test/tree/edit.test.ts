/** Proves that a map is the same tree, bit for bit, however it came to be, and that edits touch little. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes, toHex } from '#base';
import { decodeTreeNode } from '#object';
import { edit, rootOf } from '#tree';
import { MemoryNodes, build, entryOf, list, shown } from './memory-nodes.ts';
import { CHANGES, SHAPES, applied, dice, sorted } from './samples.ts';

const shape = fc.constantFrom(...Object.keys(SHAPES));
const change = fc.constantFrom(...Object.keys(CHANGES));

describe('equal maps are equal trees', () => {
  test('an edited map is the map built from what it then holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.integer(),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (shape, seed, steps) => {
          const roll = dice(seed);
          let map = SHAPES[shape](roll);
          const nodes = new MemoryNodes();
          let root = build(nodes, sorted(map));
          for (const step of steps) {
            const changes = CHANGES[step](map, roll);
            // What is put goes elsewhere: an edit must not need to read it back.
            const put = new MemoryNodes();
            root = await edit(nodes, put, root.digest, changes);
            for (const [key, bytes] of put.nodes) nodes.nodes.set(key, bytes);
            map = applied(map, changes);
            const built = build(new MemoryNodes(), sorted(map));
            expect({ ...root, digest: toHex(root.digest) }).toEqual({
              ...built,
              digest: toHex(built.digest),
            });
          }
          expect((await list(nodes, root.digest)).map(shown)).toEqual(sorted(map).map(shown));
          expect(await rootOf(nodes, root.digest)).toEqual(root);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('every way to change every shape once', async () => {
    for (const shape of Object.keys(SHAPES)) {
      for (const step of Object.keys(CHANGES)) {
        const roll = dice(shape.length * 31 + step.length);
        const map = SHAPES[shape](roll);
        const nodes = new MemoryNodes();
        const root = build(nodes, sorted(map));
        const changes = CHANGES[step](map, roll);
        const after = await edit(nodes, nodes, root.digest, changes);
        expect(after, `${shape}: ${step}`).toEqual(build(new MemoryNodes(), sorted(applied(map, changes))));
      }
    }
  });

  test('the key that begins a node may go, and keys may come around it', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 3000 }, (_, i) => entryOf(`a/${String(i).padStart(6, '0')}`));
    const root = build(nodes, all);
    const inner = decodeTreeNode(nodes.nodes.get(toHex(root.digest))!);
    if (inner.kind !== 'inner') throw new Error('expected several leaves');
    const map = new Map(all.map((entry) => [toHex(entry.key), entry]));
    for (let row = 0; row < inner.rows; row++) {
      const key = Uint8Array.from(inner.keys.at(row));
      const before = entryOf(Buffer.concat([key.subarray(0, -1), Buffer.from('/~')]));
      const behind = entryOf(Buffer.concat([key, Buffer.from('!')]));
      for (const changes of [
        [{ key, entry: undefined }],
        [{ key: before.key, entry: before }],
        [{ key: behind.key, entry: behind }],
        [
          { key: before.key, entry: before },
          { key, entry: undefined },
        ],
      ]) {
        const after = await edit(nodes, new MemoryNodes(), root.digest, changes);
        expect(after).toEqual(build(new MemoryNodes(), sorted(applied(map, changes))));
      }
    }
  });

  test('an empty map is one empty leaf, and an emptied map is it again', async () => {
    const nodes = new MemoryNodes();
    const empty = build(nodes, []);
    expect(nodes.nodes.size).toBe(1);
    expect(empty).toMatchObject({ count: 0, bytes: 0 });
    const entry = entryOf('a');
    const one = await edit(nodes, nodes, empty.digest, [{ key: entry.key, entry }]);
    expect(one).toEqual(build(nodes, [entry]));
    expect(await edit(nodes, nodes, one.digest, [{ key: entry.key, entry: undefined }])).toEqual(empty);
    expect(await edit(nodes, nodes, one.digest, [])).toEqual(one);
  });

  test('a root that is left with one child gives way to it', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 40_000 }, (_, i) => entryOf(`d/${String(i).padStart(6, '0')}`));
    const root = build(nodes, all);
    expect(decodeTreeNode(nodes.nodes.get(toHex(root.digest))!).level).toBe(2);
    for (const kept of [20_000, 3000, 300, 20]) {
      const changes = all.slice(0, -kept).map(({ key }) => ({ key, entry: undefined }));
      const after = await edit(nodes, nodes, root.digest, changes);
      expect(after).toEqual(build(new MemoryNodes(), all.slice(-kept)));
    }
  });

  test('an inner node with one child that is left alone gives way to it', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 40_000 }, (_, i) => entryOf(`d/${String(i).padStart(6, '0')}`));
    const whole = decodeTreeNode(nodes.nodes.get(toHex(build(nodes, all).digest))!);
    const second = Uint8Array.from(whole.keys.at(1));
    const start = all.findIndex(({ key }) => compareBytes(key, second) === 0);
    // The second node of level 1 now has a single leaf, of five entries.
    const root = build(nodes, all.slice(0, start + 5));
    expect(decodeTreeNode(nodes.nodes.get(toHex(root.digest))!)).toMatchObject({ level: 2, rows: 2 });
    const changes = all.slice(0, start).map(({ key }) => ({ key, entry: undefined }));
    const after = await edit(nodes, nodes, root.digest, changes);
    expect(after).toEqual(build(new MemoryNodes(), all.slice(start, start + 5)));
  });
});

describe('an edit costs what it changes', () => {
  const COUNT = 100_000;
  const key = (i: number) =>
    `train/class_${String(i >> 10).padStart(5, '0')}/img_${String(i).padStart(9, '0')}.jpg`;
  const nodes = new MemoryNodes();
  const root = build(
    nodes,
    (function* () {
      for (let i = 0; i < COUNT; i++) yield entryOf(key(i));
    })(),
  );

  test.each(['set', 'insert', 'remove'])('ten scattered entries (%s) rewrite a path each', async (how) => {
    const changes = Array.from({ length: 10 }, (_, i) => {
      const name = key(i * 10_000 + 5000) + (how === 'insert' ? '.new' : '');
      const entry = entryOf(name, { size: 1 });
      return { key: entry.key, entry: how === 'remove' ? undefined : entry };
    });
    nodes.count();
    await edit(nodes, nodes, root.digest, changes);
    // A leaf each, its parents (of which there are about four), the root; a moved boundary may cost a leaf more.
    expect(nodes.fresh).toBeLessThanOrEqual(20);
    expect(nodes.reads).toBeLessThanOrEqual(24);
    expect(nodes.calls).toBeLessThanOrEqual(12);
  });

  test('one entry at either end rewrites one path', async () => {
    for (const name of ['!', '~']) {
      const entry = entryOf(name);
      nodes.count();
      await edit(nodes, nodes, root.digest, [{ key: entry.key, entry }]);
      expect(nodes.fresh).toBeLessThanOrEqual(3);
      expect(nodes.reads).toBeLessThanOrEqual(4);
    }
  });

  test('nodes cut by size alone are read no further than needed', async () => {
    const nodes = new MemoryNodes();
    const all = Array.from({ length: 400 }, (_, i) =>
      entryOf(`v${String(i).padStart(5, '0')}`, { extra: new Uint8Array(9000) }),
    );
    const root = build(nodes, all);
    expect(nodes.nodes.size).toBeGreaterThan(50);
    nodes.count();
    await edit(nodes, nodes, root.digest, [{ key: all[90].key, entry: { ...all[90], size: 1 } }]);
    expect(nodes.reads).toBeLessThanOrEqual(5);
    expect(nodes.fresh).toBeLessThanOrEqual(3);
  });
});
