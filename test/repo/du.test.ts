import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visitStrongLinks, type Digest } from '#object';
import { layoutOf } from '#repo';
import { LevelStore, measureUsage } from '#store';
import { toHex } from '#base';
import { Scene } from './scene.ts';
import { getSpec } from '../../src/repo/find.ts';

/** Every object below a root with its size, walked without any cleverness. */
async function closureOf(store: LevelStore, root: Digest): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const walk = async (kind: 0 | 1, digest: Digest): Promise<void> => {
    const key = `${kind}${toHex(digest)}`;
    if (found.has(key)) return;
    const bytes = Uint8Array.from((await store.reader().getMany([{ kind, digest }]))[0]);
    found.set(key, bytes.length);
    const links: [0 | 1, Digest][] = [];
    if (kind === 1) visitStrongLinks(bytes, (linkKind, link) => links.push([linkKind, link]));
    for (const [linkKind, link] of links) await walk(linkKind, link);
  };
  await walk(1, root);
  return found;
}

const sum = (sizes: Iterable<number>) => [...sizes].reduce((a, b) => a + b, 0);

test('du tells what each version alone needs, and what it shares, as sets of objects would', async () => {
  await using scene = await Scene.make();
  const random = fc.sample(fc.array(fc.nat(40), { minLength: 3, maxLength: 12 }), { numRuns: 14, seed: 7 });
  const specs: string[] = [];
  for (const [i, contents] of random.entries()) {
    const name = i % 3 === 0 ? 'other' : 'd';
    // Long ones have file nodes, and parts in common.
    const files = contents.map((n, at) => [`${name}/f${at}`, n % 5 === 0 ? longFile(n) : `content ${n}`]);
    scene.write({ [`${name}/always`]: String(i), ...Object.fromEntries(files) });
    const [{ version }] = await scene.in((repository) =>
      repository.commit({ name, paths: [scene.path(name)] }),
    );
    specs.push(`${name}:${version}`);
  }
  const all = await scene.in((repository) => repository.du());
  const one = await scene.in((repository) => repository.du('d'));
  expect(one.rows).toEqual(all.rows.filter(({ name }) => name === 'd'));
  expect(one.stored).toBeLessThan(all.stored);

  await using store = new LevelStore(layoutOf(scene.root).art);
  const order = all.rows.map(({ name, version }) => `${name}:${version}`);
  expect([...order].sort()).toEqual([...specs].sort());
  const roots: Digest[] = [];
  for (const spec of order) roots.push((await getSpec(store, spec)).version.commit);
  const closures = await Promise.all(roots.map((root) => closureOf(store, root)));
  for (const [i, { alone, shared }] of all.rows.entries()) {
    const others = closures.filter((_, j) => j !== i);
    const mine = [...closures[i]].filter(([key]) => !others.some((other) => other.has(key)));
    expect([order[i], alone]).toEqual([order[i], sum(mine.map(([, size]) => size))]);
    expect([order[i], alone + shared]).toEqual([order[i], sum(closures[i].values())]);
  }
  const inParts = await measureUsage(store, roots, { counted: roots.length, chunksMax: 5 });
  expect(inParts.roots.map(({ alone, total }) => [alone, total - alone])).toEqual(
    all.rows.map(({ alone, shared }) => [alone, shared]),
  );
  expect(Math.abs(inParts.stored - all.stored)).toBeLessThan(10);
});

test('du of an artifact that does not exist says so', async () => {
  await using scene = await Scene.make();
  await expect(scene.in((repository) => repository.du('nope'))).rejects.toMatchObject({
    code: 'ARTIFACT_NOT_FOUND',
  });
  expect(await scene.in((repository) => repository.du())).toEqual({ rows: [], stored: 0 });
});

function longFile(seed: number): Buffer {
  const bytes = Buffer.alloc(400_000);
  let state = 7;
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  bytes.writeUInt32LE(seed, 10 * seed);
  return bytes;
}
