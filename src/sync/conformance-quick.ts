/** The promises on which safety rests, tried in a few requests: conditions hold, and a list shows what was put. */
import type { Check } from './probe.ts';

const RACERS = 8;

export const QUICK_CHECKS: readonly Check[] = [
  {
    check: 'read back',
    needed: 'use',
    async try(probe) {
      const key = probe.object('read');
      if (await probe.text(key)) return 'an object that nobody put is there';
      const tag = await probe.create(key, 'read back');
      const got = await probe.read(key);
      if (tag === undefined || got?.bytes.toString() !== 'read back')
        return 'what was put is not what is read';
      return got.tag === tag && got.size === 9
        ? undefined
        : 'reading gives another tag or size than putting gave';
    },
  },
  {
    check: 'create once',
    needed: 'sharing',
    async try(probe) {
      for (const key of [probe.object('once'), probe.pointer('once')]) {
        if ((await probe.create(key, 'first')) === undefined)
          return 'a new object was said to be there already';
        if ((await probe.create(key, 'second')) !== undefined) return 'an object could be created twice';
        if ((await probe.text(key)) !== 'first')
          return 'the second of two creators has overwritten the first';
      }
      return undefined;
    },
  },
  {
    check: 'swap',
    needed: 'use',
    async try(probe) {
      const key = probe.pointer('swap');
      const first = await probe.create(key, '1');
      const second = first && (await probe.swap(key, '2', first));
      const third = second && (await probe.swap(key, '3', second));
      if (third === undefined) return 'a pointer cannot be replaced by who knows its tag';
      if (first === second || second === third) return 'two values of a pointer have the same tag';
      return (await probe.text(key)) === '3' ? undefined : 'a swap that was won has not changed the pointer';
    },
  },
  {
    check: 'refuse a stale swap',
    needed: 'sharing',
    async try(probe) {
      const key = probe.pointer('stale');
      const first = await probe.create(key, '1');
      const second = first && (await probe.swap(key, '2', first));
      if (first === undefined || second === undefined)
        return 'a pointer cannot be replaced by who knows its tag';
      if ((await probe.swap(key, 'late', first)) !== undefined)
        return 'a swap with an old tag was carried out';
      if ((await probe.text(key)) !== '2')
        return 'a swap with an old tag was refused, yet has changed the pointer';
      if ((await probe.swap(probe.pointer('none'), 'x', second)) === undefined) return undefined;
      return 'a pointer that does not exist could be replaced';
    },
  },
  {
    check: 'race to create',
    needed: 'sharing',
    async try(probe) {
      const key = probe.object('race');
      const { winners, unknown } = await probe.race(RACERS, (i) => probe.create(key, `racer ${i}`));
      if (winners.length > 1)
        return `${winners.length} of ${RACERS} creators at once were told that they won`;
      if (unknown) return undefined;
      if (winners.length === 0) return `none of ${RACERS} creators at once was told that it won`;
      return (await probe.text(key)) === `racer ${winners[0]}`
        ? undefined
        : 'what is there is not what the winner put';
    },
  },
  {
    check: 'list after put',
    needed: 'sharing',
    async try(probe) {
      const [object, pointer] = [probe.object('listed'), probe.pointer('listed')];
      const tags = [await probe.create(object, 'object'), await probe.create(pointer, '1')];
      const swapped = tags[1] && (await probe.swap(pointer, '22', tags[1]));
      const expected = [
        { key: object, tag: tags[0], size: 6 },
        { key: pointer, tag: swapped, size: 2 },
      ];
      for (const { key, tag, size } of expected) {
        const rows = [];
        for await (const row of probe.bucket.list(key, probe.options)) rows.push(row);
        if (!rows.some((row) => row.key === key)) return 'a list does not show what was just put';
        if (rows.length > 1) return 'a list shows one key more than once';
        if (rows[0].tag !== tag || rows[0].size !== size) return 'a list shows an old tag or size';
      }
      return undefined;
    },
  },
  {
    check: 'delete',
    needed: 'use',
    async try(probe) {
      const key = probe.object('delete');
      const tag = await probe.create(key, 'delete');
      if (tag === undefined) return 'a new object was said to be there already';
      if (!(await probe.bucket.delete(key, { ...probe.options, tag })))
        return 'a delete with the right tag was refused';
      if ((await probe.text(key)) !== undefined) return 'what was deleted can still be read';
      return (await probe.bucket.delete(key, probe.options))
        ? 'what is not there could be deleted'
        : undefined;
    },
  },
  {
    check: 'delete by tag',
    needed: 'advice',
    async try(probe) {
      const key = probe.object('delete-by-tag');
      const tag = await probe.create(key, 'stays');
      const done = await probe.bucket.delete(key, { ...probe.options, tag: `${tag ?? ''}0` });
      if (done || (await probe.text(key)) !== 'stays') return 'a delete with a wrong tag was carried out';
      return undefined;
    },
  },
];
