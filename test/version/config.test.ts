import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isArtError } from '#base';
import { getConfig, listConfig, setConfig, unsetConfig } from '#version';

const FILE = `# Settings of this repository.
user = "Mia <mia@example.org>" # me

# Core.
[core]
threads = 4 # all of them
level = 1.5

[remotes."a.b"]
url = "/mnt/share"
`;

test('values are read by dotted key, as text', () => {
  expect([...listConfig(FILE, 'config.toml')]).toEqual([
    ['user', 'Mia <mia@example.org>'],
    ['core.threads', '4'],
    ['core.level', '1.5'],
    ['remotes."a.b".url', '/mnt/share'],
  ]);
  expect(getConfig(FILE, 'config.toml', 'remotes."a.b".url')).toBe('/mnt/share');
  expect(getConfig(FILE, 'config.toml', "remotes.'a.b'.url")).toBe('/mnt/share');
  expect(getConfig(FILE, 'config.toml', 'core')).toBeUndefined();
  expect(getConfig('x = [1, "a", 9999999999999999999]\nd = 1979-05-27\n', 'config.toml', 'x')).toBe(
    '[1,"a","9999999999999999999"]',
  );
});

test('setting keeps comments and order', () => {
  const set = (key: string, value: string) => setConfig(FILE, 'config.toml', key, value);
  expect(set('user', 'Bo')).toBe(FILE.replace('"Mia <mia@example.org>"', '"Bo"'));
  expect(set('core.threads', '8')).toBe(FILE.replace('= 4', '= 8'));
  expect(set('core.color', 'false')).toBe(FILE.replace('level = 1.5\n', 'level = 1.5\ncolor = false\n'));
  expect(set('mail', '007')).toBe(FILE.replace('# me\n', '# me\nmail = "007"\n'));
  expect(set('gc.days', '30')).toBe(`${FILE}\n[gc]\ndays = 30\n`);
  expect(set('remotes.c.url', 'x')).toBe(`${FILE}\n[remotes.c]\nurl = "x"\n`);
  expect(setConfig('# Core.\n[core]\n', 'config.toml', 'user', 'x')).toBe('user = "x"\n# Core.\n[core]\n');
  expect(setConfig('core.a = 1\n', 'config.toml', 'core.b', 'x')).toBe('core.a = 1\ncore.b = "x"\n');
});

test('unsetting removes a value, or a table with all in it', () => {
  expect(unsetConfig(FILE, 'config.toml', 'user')).toBe(FILE.replace(/user.*\n/, ''));
  expect(unsetConfig(FILE, 'config.toml', 'core.level')).toBe(FILE.replace('level = 1.5\n', ''));
  expect(listConfig(unsetConfig(FILE, 'config.toml', 'core'), 'config.toml').size).toBe(2);
  expect(unsetConfig(FILE, 'config.toml', 'nothing.here')).toBe(FILE);
});

test.each(['', '.', 'a..b', 'a b', 'a=1', 'a\nb', '"', 'a.', '[a]', '#'])('%j is no key', (key) => {
  for (const action of [
    () => getConfig('', 'f', key),
    () => setConfig('', 'f', key, 'x'),
    () => unsetConfig('', 'f', key),
  ]) {
    expect(action).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  }
});

test('what is set is got, and nothing else changes', () => {
  const word = fc.constantFrom('a', 'b', 'c-d', '"x.y"', '__proto__', 'constructor');
  const key = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));
  const value = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 10 }),
    fc.constantFrom(
      'true',
      '1',
      '-5',
      '1e3',
      '-0',
      '0x1',
      '9007199254740993',
      ' 1',
      '\n',
      '"',
      "'''",
      '\u007f',
      '\0',
    ),
  );
  const file = fc.constantFrom('', FILE, 'a.b = 1\n', '[a]\n[a.b]\n', 'a = { b = 1 }', '[[a]]\nb = 1\n');
  fc.assert(
    fc.property(file, fc.array(fc.tuple(key, value), { maxLength: 6 }), (first, sets) => {
      let text: string = first;
      for (const [at, wanted] of sets) {
        const before = listConfig(text, 'f');
        try {
          text = setConfig(text, 'f', at, wanted);
        } catch (error) {
          // A value where a table would have to be, or the other way round.
          expect(isArtError(error, 'CONFIG_INVALID')).toBe(true);
          continue;
        }
        expect(getConfig(text, 'f', at)).toBe(wanted);
        expect(Object.fromEntries(listConfig(text, 'f'))).toEqual({
          ...Object.fromEntries(before),
          [at]: wanted,
        });
      }
    }),
    { numRuns: 300 },
  );
});
