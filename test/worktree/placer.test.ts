import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { utf8 } from '#base';
// The room's own file: who uses the door gets no thread to choose.
import { Placer } from '../../src/worktree/placer.ts';
import { temporaryFolder } from './folders.ts';

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  return {
    ...real,
    Worker: vi.fn(function (...args: ConstructorParameters<typeof real.Worker>) {
      return new real.Worker(...args);
    }),
  };
});
const { Worker } = await import('node:worker_threads');
afterEach(() => vi.mocked(Worker).mockClear());

const MANY = 5000;

function programOf(folder: string, text: string): string {
  const path = join(folder, 'program.mjs');
  writeFileSync(path, text);
  return path;
}

function placement(placer: Placer, folder: string) {
  const bytes = placer.room(3);
  bytes.set(utf8('abc'));
  const path = join(folder, 'f');
  const temporaries = [join(folder, '.art-tmp-f')];
  return {
    ...{ paths: [path], temporaries, executables: [false], found: [undefined], looks: [true] },
    ...{ ends: [3], bytes },
  };
}

test('what a thread was asked for that ended while nobody waited is refused, not waited for', async () => {
  const folder = temporaryFolder();
  await using placer = new Placer({ program: programOf(folder, 'process.exit(3);') });
  placer.expect(MANY);
  const [worker] = vi.mocked(Worker).mock.results.map(({ value }) => value as InstanceType<typeof Worker>);
  await new Promise((resolve) => worker.once('exit', resolve));
  await expect(placer.place(placement(placer, folder))).rejects.toThrow(/ended \(status 3\)/);
  await expect(placer.place(placement(placer, folder))).rejects.toThrow(/ended \(status 3\)/);
});

test.each([
  ['ends', 'process.exit(0);', /ended \(status 0\)/],
  ['fails', 'throw new Error("no luck");', /no luck/],
])('what waits for a thread that %s is refused', async (_, does, why) => {
  const folder = temporaryFolder();
  const text = `import { parentPort } from 'node:worker_threads'; parentPort.on('message', () => { ${does} });`;
  await using placer = new Placer({ program: programOf(folder, text) });
  placer.expect(MANY);
  const first = placer.place(placement(placer, folder));
  const second = placer.place(placement(placer, folder));
  await expect(first).rejects.toThrow(why);
  await expect(second).rejects.toThrow(why);
});

test('where the system gives no thread, files are placed all the same', async () => {
  const folder = temporaryFolder();
  vi.mocked(Worker).mockImplementationOnce(function (): never {
    throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
  });
  await using placer = new Placer({ program: programOf(folder, '') });
  placer.expect(MANY);
  const placed = await placer.place(placement(placer, folder));
  expect(placed.failure).toBeUndefined();
  expect(existsSync(join(folder, 'f'))).toBe(true);
});

test('one thread starts, once there is much to place', async () => {
  const folder = temporaryFolder();
  await using placer = new Placer({ program: programOf(folder, '') });
  placer.expect(10);
  expect(Worker).not.toHaveBeenCalled();
  placer.expect(MANY);
  placer.expect(MANY + 1);
  expect(Worker).toHaveBeenCalledTimes(1);
});
