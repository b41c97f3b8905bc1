import { mkdirSync, readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CommitRequest, CommitResult, Repository } from '#repo';
import { Scene } from './scene.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

async function made(scene: Scene, request: CommitRequest): Promise<CommitResult> {
  const [result] = await scene.in((r) => r.commit(request));
  return result;
}

async function pathsOf(scene: Scene, spec: string): Promise<string[]> {
  return scene.in(async (r) => {
    const paths: string[] = [];
    for await (const batch of r.ls(spec)) paths.push(...batch.map(({ path }) => path));
    return paths;
  });
}

async function textOf(scene: Scene, spec: string, path: string): Promise<string> {
  return scene.in(async (r: Repository) => {
    const parts: Buffer[] = [];
    for await (const part of r.cat(spec, path)) parts.push(Buffer.from(part));
    return Buffer.concat(parts).toString();
  });
}

async function* stream(...pieces: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

describe('a version put together from parts', () => {
  test('begins empty, or with another version, and takes files, folders and streams', async () => {
    await using scene = await Scene.make();
    scene.write({ 'in/a.txt': 'a', 'in/deep/b.txt': 'b', 'one.csv': '1', 'big.bin': randomBytes(700_000) });
    const first = await made(scene, {
      name: 'd',
      add: [
        { path: 'in', dest: 'train' },
        { path: 'one.csv' },
        { path: 'one.csv', dest: 'extra/' },
        { path: 'big.bin', dest: 'deep/er/big' },
        { content: stream('from ', 'a pipe'), dest: 'piped.txt' },
      ],
    });
    expect(first).toMatchObject({ version: 'v0', created: true, base: null, behind: 0, files: 6 });
    expect(await pathsOf(scene, 'd')).toEqual([
      'deep/er/big',
      'extra/one.csv',
      'one.csv',
      'piped.txt',
      'train/a.txt',
      'train/deep/b.txt',
    ]);
    expect(await textOf(scene, 'd', 'piped.txt')).toBe('from a pipe');

    scene.write({ 'two.csv': '2' });
    const second = await made(scene, {
      name: 'd',
      onto: 'd',
      add: [{ path: 'two.csv' }, { path: 'two.csv', dest: 'one.csv' }],
      remove: ['train/deep', 'piped.txt'],
      overwrite: true,
      message: 'more',
    });
    expect(second).toMatchObject({ version: 'v1', created: true, base: 'v0', behind: 0, files: 5 });
    expect(await pathsOf(scene, 'd')).toEqual([
      'deep/er/big',
      'extra/one.csv',
      'one.csv',
      'train/a.txt',
      'two.csv',
    ]);
    expect(await textOf(scene, 'd', 'one.csv')).toBe('2');
    const shown = await scene.in((r) => r.show('d:v1'));
    expect(shown).toMatchObject({ message: 'more', parents: [first.cid], files: 5 });
    expect(readdirSync(scene.path('.art', 'tmp'))).toEqual([]);
  });

  test('is the tree that a commit of the same folder gives, and then no new version', async () => {
    await using scene = await Scene.make();
    scene.write({ 'x/a': '1', 'x/s/b': '2', 'y/c': '3' });
    mkdirSync(scene.path('x/empty'));
    const whole = await made(scene, { name: 'd', paths: ['x'] });
    const parts = await made(scene, { name: 'e', add: [{ path: 'x', dest: '.' }] });
    expect(parts.tree).toBe(whole.tree);
    expect(await made(scene, { name: 'd', onto: 'd', add: [{ path: 'x/a' }] })).toMatchObject({
      version: 'v0',
      created: false,
    });
    const more = await made(scene, { name: 'e', onto: 'e', add: [{ path: 'y', dest: 'empty' }] });
    expect(more.files).toBe(3);
    const back = await made(scene, { name: 'e', onto: 'e~1', add: [{ path: 'y' }], remove: ['s'] });
    expect(back).toMatchObject({ version: 'v2', base: 'v0', behind: 1, files: 2 });
    expect(await pathsOf(scene, 'e')).toEqual(['a', 'empty', 'y/c']);
  });

  test('touches neither bindings nor held folders nor art.lock', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'more/b': '2' });
    await made(scene, { name: 'd', paths: ['data'] });
    const before = [scene.read('art.toml'), scene.read('art.lock')];
    await made(scene, { name: 'd', onto: 'd', add: [{ path: 'more/b' }] });
    await made(scene, { name: 'new', add: [{ path: 'more' }] });
    expect([scene.read('art.toml'), scene.read('art.lock')]).toEqual(before);
    const [status] = await scene.in((r) => r.status());
    expect(status).toMatchObject({ held: 'v0', latest: 'v1', behind: 1, clean: true });
  });

  test('onto another artifact begins with its files and names its commit as parent', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', b: '2' });
    const from = await made(scene, { name: 'd', paths: ['data'] });
    const result = await made(scene, { name: 'copy', onto: 'd:v0', add: [{ path: 'b' }] });
    expect(result).toMatchObject({ version: 'v0', base: null, behind: 0, files: 2 });
    expect(await scene.in((r) => r.show('copy:v0'))).toMatchObject({ parents: [from.cid] });
  });

  test('a dry run says the same and keeps nothing', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'b/c': '2' });
    await made(scene, { name: 'd', paths: ['data'] });
    const request = { name: 'd', onto: 'd', add: [{ path: 'b' }] };
    const dry = await made(scene, { ...request, dryRun: true });
    expect(dry).toMatchObject({ version: 'v1', created: true, cid: null, files: 2 });
    expect((await made(scene, request)).tree).toBe(dry.tree);
  });

  test.each<[string, Partial<CommitRequest>, string, RegExp]>([
    [
      'another file',
      { add: [{ path: 'b', dest: 'a' }] },
      'PATH_TAKEN',
      /^"d:v0" has "a" with other content$/,
    ],
    ['a file in the way', { add: [{ path: 'b', dest: 'a/b' }] }, 'PATH_TAKEN', /"a" is a file in "d:v0"/],
    [
      'a folder in the way',
      { add: [{ path: 'b', dest: 's' }], overwrite: true },
      'PATH_TAKEN',
      /"s" is a folder/,
    ],
    ['nothing to remove', { remove: ['nowhere'] }, 'ENTRY_NOT_FOUND', /there is no "nowhere" in "d:v0"/],
    ['a file removed as a folder', { remove: ['a/'] }, 'ENTRY_NOT_FOUND', /"a\/"/],
    ['a path that is not there', { add: [{ path: 'gone' }] }, 'PATH_NOT_FOUND', /gone/],
    ['a DEST outside', { add: [{ path: 'b', dest: '../b' }] }, 'USAGE', /"\.\.\/b"/],
    ['a DEST of Git', { add: [{ path: 'b', dest: '.git/hooks/x' }] }, 'USAGE', /Git/],
    ['an absolute DEST', { add: [{ path: 'b', dest: '/b' }] }, 'USAGE', /absolute/],
    ['a version that is not there', { onto: 'd:v7', add: [{ path: 'b' }] }, 'VERSION_NOT_FOUND', /v7/],
    ['a path beside', { paths: ['b'], add: [{ path: 'b' }] }, 'USAGE', /stands alone/],
    ['nothing to add', { add: [] }, 'USAGE', /nothing to add/],
    ['another type', { add: [{ path: 'b' }], type: 'model' }, 'TYPE_MISMATCH', /model/],
  ])('is refused for %s', async (_, request, code, message) => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', 'data/s/x': '1', b: '2' });
    await made(scene, { name: 'd', paths: ['data'] });
    const refused = scene.in((r) => r.commit({ name: 'd', onto: 'd', ...request }));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await pathsOf(scene, 'd')).toEqual(['a', 's/x']);
  });

  test('one command may add to what it added, and says so if it would overwrite it', async () => {
    await using scene = await Scene.make();
    scene.write({ 'x/a': '1', 'y/a': '1', 'y/b': '2', 'z/a': 'other' });
    const add = [
      { path: 'x', dest: 't' },
      { path: 'y', dest: 't' },
    ];
    expect((await made(scene, { name: 'd', add })).files).toBe(2);
    const clash = scene.in((r) => r.commit({ name: 'd', add: [...add, { path: 'z', dest: 't' }] }));
    await expect(clash).rejects.toMatchObject({
      code: 'PATH_TAKEN',
      message: expect.stringContaining('"t/a"'),
    });
  });
});

describe('a draft', () => {
  test('is seen by nobody until it is finished, once', async () => {
    await using scene = await Scene.make();
    scene.write({ 'p/a': '1', 'p/b': '2', 'q/c': '3' });
    const part = await made(scene, { name: 'd', part: 'run', add: [{ path: 'p' }] });
    expect(part).toMatchObject({ name: 'd', version: null, cid: null, created: false, base: null, files: 2 });
    await made(scene, { name: 'd', part: 'run', add: [{ path: 'q' }] });
    expect(await scene.in((r) => r.list())).toEqual([]);
    const dry = await made(scene, { name: 'd', finish: 'run', dryRun: true });
    expect(dry).toMatchObject({ version: 'v0', cid: null, created: true });
    const done = await made(scene, {
      name: 'd',
      finish: 'run',
      aliases: ['best'],
      message: 'all',
      type: 'model',
    });
    expect(done).toMatchObject({ version: 'v0', created: true, files: 3, aliases: ['latest', 'best'] });
    expect(await pathsOf(scene, 'd:best')).toEqual(['p/a', 'p/b', 'q/c']);
    const again = await made(scene, { name: 'd', finish: 'run', tags: ['t'] });
    expect(again).toMatchObject({ version: 'v0', created: false, cid: done.cid });
    expect(scene.warnings).toEqual(['the draft "run" was finished before: it became d:v0']);
    expect(await scene.in((r) => r.show('d:v0'))).toMatchObject({ tags: ['t'], message: 'all' });
    await expect(made(scene, { name: 'd', part: 'run', add: [{ path: 'q' }] })).rejects.toMatchObject({
      code: 'DRAFT_FINISHED',
      message: 'the draft "run" is finished: it became "d:v0"',
    });
  });

  test('takes parts at the same time, and refuses two that disagree', async () => {
    await using scene = await Scene.make();
    const parts = Array.from({ length: 12 }, (_, i) => `part${i}`);
    scene.write(Object.fromEntries(parts.map((name) => [`${name}/${name}`, name])));
    scene.write({ 'x/same': '1', 'y/same': '2' });
    await Promise.all(
      parts.map((name) => made(scene, { name: 'd', part: 'p', add: [{ path: name, dest: 'all' }] })),
    );
    await made(scene, { name: 'd', part: 'p', add: [{ path: 'x/same' }] });
    await made(scene, { name: 'd', part: 'p', add: [{ path: 'x/same' }] });
    const other = { name: 'd', part: 'p', add: [{ path: 'y/same' }] };
    await expect(made(scene, other)).rejects.toMatchObject({
      code: 'PATH_TAKEN',
      message: 'the draft "p" has "same" with other content',
    });
    await made(scene, { ...other, overwrite: true });
    await made(scene, { name: 'd', part: 'p', remove: ['all/part3'] });
    expect(await made(scene, { name: 'd', finish: 'p' })).toMatchObject({ files: 12, version: 'v0' });
    expect(await textOf(scene, 'd', 'same')).toBe('2');
  });

  test('may begin with a version, and then only with that one', async () => {
    await using scene = await Scene.make();
    scene.write({ 'data/a': '1', b: '2' });
    const from = await made(scene, { name: 'd', paths: ['data'] });
    scene.write({ 'data/a': '2' });
    await made(scene, { name: 'd' });
    await made(scene, { name: 'd', part: 'p', onto: 'd:v0', add: [{ path: 'b' }] });
    await expect(
      made(scene, { name: 'd', part: 'p', onto: 'd:v1', add: [{ path: 'b' }] }),
    ).rejects.toMatchObject({
      code: 'DRAFT_CONFLICT',
      message: 'the draft "p" was begun on "d:v0", not on "d:v1"',
    });
    const done = await made(scene, { name: 'd', finish: 'p' });
    expect(done).toMatchObject({ version: 'v2', base: 'v0', behind: 1, files: 2 });
    expect(await scene.in((r) => r.show('d:v2'))).toMatchObject({ parents: [from.cid] });
  });

  test('that is unknown is an error that lists the open ones', async () => {
    await using scene = await Scene.make();
    scene.write({ b: '2' });
    await expect(made(scene, { name: 'd', finish: 'p' })).rejects.toMatchObject({
      code: 'DRAFT_NOT_FOUND',
      message: '"d" has no draft "p", nor any other that is open',
    });
    for (const part of ['epoch-1', 'epoch-2']) await made(scene, { name: 'd', part, add: [{ path: 'b' }] });
    await expect(made(scene, { name: 'd', finish: 'epoch1' })).rejects.toMatchObject({
      code: 'DRAFT_NOT_FOUND',
      hint: 'Did you mean "epoch-1"? Open drafts of d: epoch-1, epoch-2.',
    });
  });

  test('outlives gc while it is young, and is forgotten once it is older than what undo needs', async () => {
    await using scene = await Scene.make();
    scene.write({ 'p/a': randomBytes(300_000), 'p/b': 'b' });
    await made(scene, { name: 'd', part: 'young', add: [{ path: 'p' }] });
    await scene.in((r) => r.gc({ undoWindowDays: 1 }));
    expect(await scene.in((r) => r.fsck({ deep: true }))).toMatchObject({ ok: true });
    expect(await made(scene, { name: 'd', finish: 'young' })).toMatchObject({ files: 2 });

    await made(scene, { name: 'd', part: 'old', add: [{ path: 'p/b' }] });
    const later = { now: () => Date.UTC(2026, 0, 1) + 40 * DAY_MS };
    const dry = await scene.in((r) => r.gc({ dryRun: true, explain: true }), later);
    expect(dry.reasons).toContain('the draft "old" of d is older than the undo window');
    await scene.in((r) => r.gc(), later);
    expect(scene.warnings).toContain('the draft "old" of d was older than the undo window, and is forgotten');
    await expect(made(scene, { name: 'd', finish: 'old' })).rejects.toMatchObject({
      code: 'DRAFT_NOT_FOUND',
    });
    expect(await scene.in((r) => r.fsck({ deep: true }))).toMatchObject({ ok: true });
  });

  test.each<[string, CommitRequest]>([
    ['a message for a part', { name: 'd', part: 'p', add: [{ path: 'b' }], message: 'm' }],
    ['a part of nothing', { name: 'd', part: 'p' }],
    ['a part of no artifact', { part: 'p', add: [{ path: 'b' }] }],
    ['finishing with more to add', { name: 'd', finish: 'p', add: [{ path: 'b' }] }],
    ['finishing no artifact', { finish: 'p' }],
  ])('%s is refused', async (_, request) => {
    await using scene = await Scene.make();
    scene.write({ b: '2' });
    await expect(made(scene, request)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
