/** Proves that a folder's pointer loses no swap, whoever is frozen, and why it is not a lock and a rename. */
import { expect, test } from 'vitest';
import { explore } from './explorer.ts';
import { folderPointer } from './folder-pointer.ts';

test('no swap that was reported is lost', () => {
  const model = folderPointer({ linked: true, checked: true });
  const { complete, loss, seen } = explore(model);
  expect(loss).toBeUndefined();
  expect(complete).toBe(true);
  expect([...seen]).toContain('all have written');
});

test('a lock that is taken over from a frozen writer loses one', () => {
  expect(explore(folderPointer({ linked: false, checked: false })).loss).toMatchInlineSnapshot(`
    [
      "ann       reads number 0",
      "bob       reads number 0",
      "ann       writes number 1, believing that it holds the lock",
      "bob       writes number 2, believing that it holds the lock",
      "LOST: what ann was told is written",
    ]
  `);
});

test('a writer that does not look above its link loses one, when old numbers were cleared away', () => {
  expect(explore(folderPointer({ linked: true, checked: false })).loss).toMatchInlineSnapshot(`
    [
      "ann       reads number 0",
      "bob       reads number 0",
      "ann       links number 1",
      "eve       reads number 1",
      "eve       links number 2",
      "bob       links number 1",
      "LOST: what bob was told is written",
    ]
  `);
});
