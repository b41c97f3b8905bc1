import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolders } from '#base';

describe('making folders', () => {
  let root = '';
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'art-files-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  test('makes those above too, and leaves what is there', () => {
    makeFolders(join(root, 'a/b/c'));
    makeFolders(join(root, 'a/b/c'));
    expect(statSync(join(root, 'a/b/c')).isDirectory()).toBe(true);
    symlinkSync('a', join(root, 'link'));
    makeFolders(join(root, 'link/b/d'));
    expect(statSync(join(root, 'a/b/d')).isDirectory()).toBe(true);
    makeFolders('/');
  });

  test('says what stands in the way', () => {
    writeFileSync(join(root, 'file'), '');
    mkdirSync(join(root, 'folder'));
    symlinkSync('nowhere', join(root, 'link'));
    const said = (text: string) =>
      expect.objectContaining({ code: 'FOLDER_UNWRITABLE', message: text }) as Error;
    const shown = (name: string) => JSON.stringify(join(root, name));
    expect(() => makeFolders(join(root, 'file'))).toThrow(
      said(`${shown('file')} is no folder, or lies below what is none`),
    );
    expect(() => makeFolders(join(root, 'file/a'))).toThrow(
      expect.objectContaining({ code: 'FOLDER_UNWRITABLE' }),
    );
    expect(() => makeFolders(join(root, 'link/a'))).toThrow(said(`${shown('link')} is a link to nothing`));
  });

  test.runIf(process.platform === 'linux')('ends where nobody may make anything', () => {
    const refused = expect.objectContaining({ code: 'FOLDER_UNWRITABLE' });
    expect(() => makeFolders('/proc/none')).toThrow(refused);
    expect(() => makeFolders('/proc/none/below')).toThrow(refused);
  });
});
