import { expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import { WirePackBuilder, decodeWireIndex } from '#store';
import type { WirePack } from '#store';

const tiny = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => Buffer.from(`object ${from + i}`));

function packed(builder: WirePackBuilder, objects: readonly Buffer[]): WirePack {
  for (const bytes of objects) builder.put(CHUNK, hash(bytes), bytes);
  return builder.seal();
}

test('an index stays what it is once its pack is released and the next ones are filled', async () => {
  const builder = await WirePackBuilder.make();
  const objects = tiny(0, 5000);
  const pack = packed(builder, objects);
  const whole = Buffer.concat(pack.parts);
  const index = Buffer.from(pack.index);
  expect(whole.subarray(-index.length)).toEqual(index);
  pack.release();
  await Promise.resolve();
  for (let i = 1; i < 4; i++) packed(builder, tiny(i * 10_000, i * 10_000 + 6000)).release();
  expect(index.equals(pack.index)).toBe(true);
  const { packBytes, rowCount, rows } = decodeWireIndex(pack.index, 'it');
  expect({ packBytes, rowCount }).toEqual({ packBytes: whole.length, rowCount: objects.length });
  expect(Array.from(rows, ({ digest }) => Buffer.from(digest))).toEqual(
    objects.map((bytes) => Buffer.from(hash(bytes))),
  );
});

test('a pack that is not released keeps its bytes while the next is filled', async () => {
  const builder = await WirePackBuilder.make();
  const pack = packed(builder, tiny(0, 5000));
  const before = Buffer.concat(pack.parts);
  packed(builder, tiny(10_000, 16_000));
  expect(Buffer.concat(pack.parts).equals(before)).toBe(true);
});
