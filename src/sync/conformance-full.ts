/** The promises that are dear to try: ranges, long bodies, odd names, order of lists, races of swaps. */
import { compareUtf8 } from '#base';
import type { Check } from './probe.ts';

const RACERS = 8;
/** More than any driver puts by one request. */
const LONG_BYTES = 17 * 1024 * 1024 + 11;
/** More than a folder keeps of a pointer. */
const SWAPS = 70;

export const FULL_CHECKS: readonly Check[] = [
  {
    check: 'ranges',
    needed: 'use',
    async try(probe) {
      const key = probe.object('range');
      await probe.create(key, '0123456789');
      const cases: readonly [offset: number, length: number, expected: string][] = [
        [0, 1, '0'],
        [3, 4, '3456'],
        [8, 100, '89'],
        [0, 10, '0123456789'],
        [10, 5, ''],
        [50, 5, ''],
        [2, 0, ''],
      ];
      for (const [offset, length, expected] of cases) {
        const got = await probe.read(key, { offset, length });
        const asked = `bytes ${offset} to ${offset + length}`;
        if (got?.bytes.toString() !== expected)
          return `${asked} of 10 are read as ${got?.bytes.toString() ?? 'nothing'}`;
        if (got.size !== 10) return `${asked} of 10: the whole is said to be ${got.size} long`;
      }
      return undefined;
    },
  },
  {
    check: 'empty objects',
    needed: 'use',
    async try(probe) {
      const key = probe.object('empty');
      if ((await probe.create(key, '')) === undefined) return 'an empty object cannot be put';
      const got = await probe.read(key);
      return got?.size === 0 && got.bytes.length === 0 ? undefined : 'an empty object is not read back';
    },
  },
  {
    check: 'long objects',
    needed: 'use',
    async try(probe) {
      const key = probe.object('long');
      const bytes = patterned(LONG_BYTES);
      if ((await probe.create(key, bytes)) === undefined) return 'a new object was said to be there already';
      const got = await probe.read(key);
      if (got?.size !== LONG_BYTES || !got.bytes.equals(bytes))
        return 'a long object is not read back as it was put';
      const range = { offset: 8 * 1024 * 1024 - 5, length: 2 * 1024 * 1024 };
      const part = await probe.read(key, range);
      const same = part?.bytes.equals(bytes.subarray(range.offset, range.offset + range.length));
      return same === true ? undefined : 'a range of a long object is not what was put there';
    },
  },
  {
    check: 'create a long object once',
    needed: 'sharing',
    async try(probe) {
      const key = probe.object('long-race');
      const bodies = [1, 2].map((fill) => Buffer.alloc(LONG_BYTES, fill));
      const { winners, unknown } = await probe.race(2, (i) => probe.create(key, bodies[i]));
      if (winners.length > 1) return 'both of two creators at once were told that they won';
      if (winners.length === 0)
        return unknown ? undefined : 'none of two creators at once was told that it won';
      const got = await probe.read(key);
      return got?.bytes.equals(bodies[winners[0]]) === true
        ? undefined
        : 'what is there is not what the winner put';
    },
  },
  {
    check: 'odd names',
    needed: 'use',
    async try(probe) {
      const names = [
        'a%41',
        '%41',
        '@at',
        '..dots',
        'dot.',
        '-dash',
        '_',
        'x'.repeat(200),
        'deep/er/and/deep.er',
      ];
      for (const name of names) {
        const key = probe.object(`names/${name}`);
        if ((await probe.create(key, name)) === undefined) return `${name} was said to be there already`;
      }
      for (const name of names) {
        const key = probe.object(`names/${name}`);
        if ((await probe.text(key)) !== name) return `${name} is not read back`;
        if (!(await probe.keys(key)).includes(key)) return `${name} is not listed`;
      }
      return undefined;
    },
  },
  {
    check: 'order of lists',
    needed: 'use',
    async try(probe) {
      const names = ['b', 'a', 'a/b', 'a-b', 'a.b', 'a0', 'B', '_', 'a/a/z', 'a%', '@', '10', '9', 'a/0'];
      // Some stores keep no object `a` beside `a/b`; nor does the layout of a remote.
      const apart = names.filter((name) => !names.some((other) => other.startsWith(`${name}/`)));
      const keys = apart.map((name) => probe.object(`list/${name}`));
      for (const key of keys) await probe.create(key, 'x');
      const expected = [...keys].sort(compareUtf8);
      if (!same(await probe.keys(probe.object('list/')), expected))
        return 'a list is not in the order of bytes, or not whole';
      if (!same(await probe.keys(probe.object('list/'), { pageRows: 3 }), expected))
        return 'a list that takes several requests is not whole';
      const prefix = probe.object('list/a');
      if (
        !same(
          await probe.keys(prefix),
          expected.filter((key) => key.startsWith(prefix)),
        )
      ) {
        return 'a prefix that ends within a name is not taken as it is';
      }
      for (const after of expected) {
        const rest = expected.filter((key) => compareUtf8(key, after) > 0);
        if (!same(await probe.keys(probe.object('list/'), { after }), rest))
          return `a list after ${after} is not the rest`;
      }
      return undefined;
    },
  },
  {
    check: 'race to swap',
    needed: 'sharing',
    async try(probe) {
      const key = probe.pointer('race');
      let tag = await probe.create(key, 'start');
      for (let round = 0; round < 3; round++) {
        if (tag === undefined) return 'the pointer is gone';
        const from = tag;
        const { winners, unknown } = await probe.race(RACERS, (i) => probe.swap(key, `${round} ${i}`, from));
        if (winners.length > 1) return `${winners.length} of ${RACERS} swaps at once were said to be won`;
        const now = await probe.read(key);
        if (!unknown && now?.bytes.toString() !== `${round} ${winners[0]}`)
          return 'the pointer is not what the winner put';
        tag = now?.tag;
      }
      return undefined;
    },
  },
  {
    check: 'many swaps',
    needed: 'use',
    async try(probe) {
      const key = probe.pointer('many');
      const first = await probe.create(key, 'swap 0');
      let tag = first;
      for (let i = 1; i <= SWAPS && tag !== undefined; i++) tag = await probe.swap(key, `swap ${i}`, tag);
      if (tag === undefined || (await probe.text(key)) !== `swap ${SWAPS}`)
        return `${SWAPS} swaps one after the other fail`;
      // The oldest values may be gone: their tags must still be refused.
      const { winners } = await probe.race(1, () => probe.swap(key, 'from long ago', first ?? ''));
      if (winners.length > 0) return 'a swap with a very old tag was carried out';
      return (await probe.text(key)) === `swap ${SWAPS}`
        ? undefined
        : 'a swap with a very old tag has changed the pointer';
    },
  },
];

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, index) => key === b[index]);
}

/** Bytes that tell where they belong. */
function patterned(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
  return bytes;
}
