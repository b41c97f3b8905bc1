/**
 * Makes a golden repository and bucket: every kind of object and record, objects in a pack and in a journal, and a
 * bucket with two pushes and a gc. Run once for each format that is released; what was made is never made again:
 * `npx tsx --conditions=source test/golden/make.ts layout-1`.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, chmodSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initRepository, openRepository } from '#repo';
import type { Repository } from '#repo';
import { collectRemote, openBucket, push } from '#sync';
import { noise } from '../store/care.ts';
import { packFolder } from './archive.ts';

const name = process.argv[2];
const archive = join(import.meta.dirname, `${name}.json.gz`);
if (name === undefined || existsSync(archive)) throw new Error('say what is to be made, and was not yet');

const folder = mkdtempSync(join(tmpdir(), 'art-golden-'));
const root = join(folder, 'repository');
let time = Date.UTC(2026, 0, 1);

async function within<T>(work: (repository: Repository) => Promise<T>): Promise<T> {
  await using repository = await openRepository({
    author: 'ada',
    host: 'golden',
    command: 'make',
    run: null,
    now: () => (time += 60_000),
    folder: root,
    artifactsFolder: 'artifacts',
  });
  return await work(repository);
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const lines = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => `${from},row number ${from + (i % 50)}\n`).join('');

await initRepository(root);
mkdirSync(join(folder, 'bucket'));
write({
  'data/train.csv': lines(0, 30_000),
  'data/notes/größe.txt': 'ein Text\n',
  'data/run.sh': '#!/bin/sh\n',
  'data/mean.txt': lines(7, 100),
});
chmodSync(join(root, 'data/run.sh'), 0o755);
mkdirSync(join(root, 'data/empty'));
symlinkSync('train.csv', join(root, 'data/newest'));
const history = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`step ${i} of the run`, i % 9]));
await within((r) =>
  r.commit({ name: 'numbers', paths: ['data'], message: 'first', metadata: { history }, tags: ['raw'] }),
);
write({ 'data/train.csv': lines(0, 15_000) + lines(90_000, 16_000) });
await within((r) => r.commit({ name: 'numbers', paths: ['data'], message: 'second', aliases: ['best'] }));
write({ 'model/weights.txt': lines(500, 300) });
await within((r) => r.commit({ name: 'Model', type: 'model', paths: ['model'], message: 'of numbers:v1' }));
// So much that what lived in the journal is copied into a pack when it is dead.
writeFileSync(join(root, 'data/train.csv'), noise(1, 1_500_000));
await within((r) => r.commit({ name: 'numbers', paths: ['data'], message: 'third, to be deleted' }));
await within((r) => r.checkout({ spec: 'numbers:v1' }));
await within((r) => r.delete({ targets: ['numbers:v2'], force: true }));
await within((r) => r.gc({ undoWindowDays: 0 }));
await within(async (r) => {
  r.addRemote({ name: 'origin', url: '../bucket' });
  await using bucket = await openBucket(join(folder, 'bucket'), { cwd: folder, env: {} });
  await push(r, { remote: 'origin', bucket });
});
await within((r) => r.describe('numbers', 'What was counted.'));
await within((r) => r.meta('numbers:v1', { set: { accuracy: 0.75 } }));
write({ 'data/mean.txt': lines(8, 100) });
await within((r) => r.commit({ name: 'numbers', paths: ['data'], message: 'fourth' }));
await within(async (r) => {
  await using bucket = await openBucket(join(folder, 'bucket'), { cwd: folder, env: {} });
  await push(r, { remote: 'origin', bucket });
  await r.delete({ targets: ['Model:v0'], force: true });
  await push(r, { remote: 'origin', bucket });
  await collectRemote(r, { remote: 'origin', bucket, minAgeMs: 0, graceMs: 0 });
  await r.undo();
});
packFolder(folder, archive);
rmSync(folder, { recursive: true });
