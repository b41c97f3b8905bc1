import { existsSync, linkSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHUNK, hash } from '#object';
import { LevelStore, OwnerLock } from '#store';
import { whoAmI } from '../../src/store/holder.ts';
import type { Holder } from '../../src/store/holder.ts';
import { newStore, removeTemporaryFolders, temporaryFolder } from './care.ts';

let folder: string;
beforeEach(() => (folder = temporaryFolder()));
afterEach(removeTemporaryFolders);

const owner = () => join(folder, 'owner');
const lockOf = (waitMsMax?: number) => new OwnerLock(folder, undefined, waitMsMax);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Leaves a file of a process that is like this one, but for `but`. */
function leave(name: string, but: Partial<Holder>): void {
  writeFileSync(join(folder, name), JSON.stringify({ ...whoAmI('other'), ...but }));
}

const deadPid = () => spawnSync(process.execPath, ['--version']).pid;
const ticketAt = (time: number, nonce: string) => `ticket-${String(time).padStart(14, '0')}-${nonce}`;

describe('a holder that is gone', () => {
  test.each<[string, () => Partial<Holder>]>([
    ['its process has ended', () => ({ pid: deadPid() })],
    ['its process number is that of another process now', () => ({ started: '1' })],
    ['its host was started again', () => ({ boot: 'another' })],
  ])('(%s) is taken over from', async (_, but) => {
    leave('owner', but());
    leave('process-other', but());
    const lock = lockOf(5000);
    await lock.acquire();
    expect(lock.holder()).toMatchObject({ pid: process.pid });
    lock.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('several see it at once, and one after the other gets the lock', async () => {
    leave('owner', { pid: deadPid() });
    let inside = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const lock = lockOf();
        await lock.acquire();
        expect(++inside).toBe(1);
        await pause(3);
        inside--;
        lock.close();
      }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('and has left nothing but an empty file is taken over from, as nobody can be named', async () => {
    writeFileSync(join(folder, 'process-empty'), '');
    linkSync(join(folder, 'process-empty'), owner());
    const hasty = lockOf(300);
    await expect(hasty.acquire()).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining('does not say who it is'),
    });
    hasty.close();
    const lock = lockOf(20_000);
    await lock.acquire();
    expect(lock.holder()).toMatchObject({ pid: process.pid });
    lock.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a holder that may still be there', () => {
  test.each<[string, Partial<Holder>]>([
    ['it runs', {}],
    ['it is on another host', { host: 'far', pid: 999_999 }],
    ['it is on another machine of that name', { machine: 'another', boot: 'another', pid: 999_999 }],
    ['it is in a container', { pidNamespace: 'pid:[1]', pid: 999_999 }],
    ['it does not know its boot', { boot: '' }],
  ])('(%s) is waited for, then named with its host, process and age', async (_, but) => {
    const since = Date.now() - 90_000;
    leave('owner', { ...but, since });
    const { host, pid } = { ...whoAmI(''), ...but };
    await expect(lockOf(60).acquire()).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringMatching(
        new RegExp(
          `^the repository is in use by process ${pid} on ${host}, started 9[01] s ago \\(waited 0 s\\)$`,
        ),
      ),
    });
    expect(JSON.parse(readFileSync(owner(), 'utf8'))).toMatchObject({ nonce: 'other', since });
    expect(readdirSync(folder).filter((name) => name.startsWith('ticket-'))).toEqual([]);
  });

  test('is freed by `break`, which tells who it was', async () => {
    leave('owner', { host: 'far' });
    const lock = lockOf(60);
    expect(lock.break()).toMatchObject({ host: 'far', pid: process.pid });
    await lock.acquire();
    lock.close();
    expect(lock.break()).toBeUndefined();
  });
});

test('only a lock that is ours is released', async () => {
  const lock = lockOf();
  await lock.acquire();
  rmSync(owner());
  leave('owner', { host: 'far' });
  lock.close();
  expect(readHost()).toBe('far');
  const other = lockOf(60);
  other.release();
  other.close();
  expect(readHost()).toBe('far');
});
const readHost = () => (JSON.parse(readFileSync(owner(), 'utf8')) as Holder).host;

describe('the queue', () => {
  test('whoever lets go and wants it again comes after those who wait', async () => {
    const [first, second, third] = [lockOf(), lockOf(), lockOf()];
    await first.acquire();
    const order: string[] = [];
    const waiting = [
      second.acquire().then(() => order.push('second')),
      pause(5)
        .then(() => third.acquire())
        .then(() => order.push('third')),
    ];
    await pause(50);
    first.release();
    const again = first.acquire().then(() => order.push('first'));
    await waiting[0];
    await pause(50);
    second.release();
    await waiting[1];
    await pause(50);
    third.release();
    await again;
    expect(order).toEqual(['second', 'third', 'first']);
    for (const lock of [first, second, third]) lock.close();
  });

  test('whoever does not take its turn is overtaken, once, and its ticket goes', async () => {
    leave(ticketAt(Date.now() - 1000, 'other'), {});
    const lock = lockOf();
    expect(lock.wanted()).toBe(true);
    const start = performance.now();
    await lock.acquire();
    expect(performance.now() - start).toBeGreaterThan(50);
    expect(lock.wanted()).toBe(false);
    lock.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('whoever was overtaken and wakes is in it again', async () => {
    const [first, second] = [lockOf(), lockOf()];
    await first.acquire();
    const waiting = second.acquire();
    await pause(20);
    for (const name of readdirSync(folder)) if (name.startsWith('ticket-')) rmSync(join(folder, name));
    await pause(100);
    expect(first.wanted()).toBe(true);
    first.close();
    await waiting;
    second.close();
  });

  test('nobody waits behind a ticket of a process that has ended, or one that nobody signed', async () => {
    leave(ticketAt(1, 'other'), { pid: deadPid() });
    writeFileSync(join(folder, ticketAt(2, 'empty')), '');
    const lock = lockOf();
    await lock.acquire();
    expect(lock.wanted()).toBe(false);
    lock.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a ticket of a clock that is ahead is one like any other', async () => {
    const ahead = ticketAt(Date.now() + 1e9, 'other');
    leave(ahead, { host: 'far' });
    const lock = lockOf();
    await lock.acquire();
    expect(existsSync(join(folder, ahead))).toBe(false);
    lock.close();
  });

  test('whoever may not wait long takes a free lock out of turn', async () => {
    const ticket = ticketAt(1, 'other');
    leave(ticket, { host: 'far' });
    const lock = lockOf(20);
    await lock.acquire();
    expect(existsSync(join(folder, ticket))).toBe(true);
    lock.close();
  });
});

test('whoever only wants to look is let in soon, however long another writes', async () => {
  const art = await newStore();
  await using writer = new LevelStore(art);
  await using reader = new LevelStore(art);
  let done = false;
  const writing = (async () => {
    await using transaction = await writer.begin();
    for (let i = 0; !done; i++) {
      const bytes = Buffer.alloc(100_000, i);
      transaction.put(CHUNK, hash(bytes), bytes);
      await (transaction.breathe() ?? pause(0));
    }
  })();
  try {
    for (let round = 0; round < 3; round++) {
      const start = performance.now();
      await reader.getRecord('ref/a');
      expect(performance.now() - start).toBeLessThan(2000);
      await reader.rest();
      await pause(100);
    }
  } finally {
    done = true;
    await writing;
  }
});
