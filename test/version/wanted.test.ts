import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isArtError } from '#base';
import {
  bind,
  boundPath,
  parseArtifactName,
  parseWanted,
  pathsOverlap,
  renameBinding,
  unbind,
} from '#version';

const name = parseArtifactName;

const FILE = `# Our data.
[remotes.origin]
url = "s3://bucket/prefix" # the team's
path-style = true

# From the Toronto page.
[artifacts.cifar]
path = "data/cifar" # 170 MB
type = "dataset"
owner = "mia"

[artifacts."model.v2"]
path = 'models/v2'

[tool.other]
list = [
  "[artifacts.no]", # not a table
  """
[artifacts.neither]
""",
]
`;

const failure = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    if (isArtError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return undefined;
};

test('bindings and remotes are read, unknown keys are left alone', () => {
  const { bindings, remotes } = parseWanted(FILE);
  expect([...bindings.values()]).toEqual([
    { name: 'cifar', path: 'data/cifar', type: 'dataset' },
    { name: 'model.v2', path: 'models/v2' },
  ]);
  expect(Object.entries(remotes.get('origin') ?? {})).toEqual([
    ['url', 's3://bucket/prefix'],
    ['path-style', true],
  ]);
  expect(parseWanted('').bindings.size).toBe(0);
});

test('binding keeps every other byte', () => {
  expect(bind(FILE, name('mnist'), './data/mnist/')).toBe(
    FILE.replace("path = 'models/v2'\n", `path = 'models/v2'\n\n[artifacts.mnist]\npath = "data/mnist"\n`),
  );
  expect(bind(FILE, name('cifar'), 'data/cifar-10')).toBe(FILE.replace('"data/cifar"', '"data/cifar-10"'));
  expect(bind(FILE, name('cifar'), 'data//cifar')).toBe(FILE);
  expect(bind('', name('a.b'), '.')).toBe('[artifacts."a.b"]\npath = "."\n');
  expect(bind('# mine', name('a'), 'x')).toBe('# mine\n\n[artifacts.a]\npath = "x"\n');
  expect(bind('a = 1\r\n', name('b'), 'x')).toBe('a = 1\r\n\r\n[artifacts.b]\r\npath = "x"\r\n');
});

test('unbinding removes exactly that table', () => {
  expect(unbind(FILE, name('cifar'))).toBe(
    FILE.replace(`[artifacts.cifar]\npath = "data/cifar" # 170 MB\ntype = "dataset"\nowner = "mia"\n`, ''),
  );
  expect(unbind('[artifacts]\na.path = "x"\nb = { path = "y" }\n', name('b'))).toBe(
    '[artifacts]\na.path = "x"\n',
  );
  expect(unbind('artifacts.a.path = "x"\n', name('a'))).toBe('');
  expect(unbind('[artifacts.a]\n# why\npath = "x"\n[artifacts.a.more]\nz = 1\n[b]\n', name('a'))).toBe(
    '[b]\n',
  );
});

test('what takes a person is left to one', () => {
  const inline = 'artifacts = { a = { path = "x" } }\n';
  expect(failure(() => bind(inline, name('b'), 'y'))).toMatchInlineSnapshot(
    `"CONFIG_INVALID art.toml: its layout does not let art set artifacts.b.path = "y": please edit it by hand"`,
  );
  expect(failure(() => unbind(inline, name('a')))).toMatchInlineSnapshot(
    `"CONFIG_INVALID art.toml: its layout does not let art remove artifacts.a: please edit it by hand"`,
  );
  expect(bind(inline, name('a'), 'x')).toBe(inline);
});

test.each([
  ['<<<<<<< HEAD\n[artifacts.a]\npath = "x"\n=======\n>>>>>>> topic\n', 1],
  ['[artifacts.a]\npath = "x"\n=======\npath = "y"\n', 3],
  ['[artifacts.a]\npath = "x"\n||||||| base\r\n', 3],
  ['a = 1\n\n>>>>>>> topic\n', 3],
  ['a = 1\nb = \n', 2],
  ['[artifacts.a]\npath = "x"\n[artifacts.a]\n', 3],
  ['[artifacts."no name"]\npath = "x"\n', 1],
  ['\n[artifacts.a]\npath = "/abs"\n', 2],
  ['[artifacts.a]\npath = "x/../../y"\n', 1],
  ['[artifacts.a]\npath = "C:\\\\data"\n', 1],
  ['[artifacts.a]\npath = "x/.git"\n', 1],
  ['[artifacts.a]\npath = ".ART"\n', 1],
  ['[artifacts.a]\npath = ""\n', 1],
  ['[artifacts.a]\npath = 3\n', 1],
  ['[artifacts.a]\ntype = "dataset"\n', 1],
  ['[artifacts.a]\npath = "x"\ntype = "a/b"\n', 1],
  ['[artifacts.a]\npath = "x"\n[artifacts.b]\npath = "x"\n', 3],
  ['[artifacts.a]\npath = "x"\n[artifacts.b]\npath = "x/y"\n', 3],
  ['[artifacts.a]\npath = "x/y"\n[artifacts.b]\npath = "./x//"\n', 3],
  ['[artifacts.a]\npath = "x"\n[artifacts.b]\npath = "."\n', 3],
  ['[artifacts.a]\npath = "x"\n[artifacts.A]\npath = "y"\n', 3],
  ['[artifacts]\na = 1\n', 2],
  ['[[artifacts]]\na = 1\n', 1],
  ['\nartifacts = { a = { path = "/abs" } }\n', 2],
  ['remotes = 1\n', 1],
])('%j is refused with its line', (text, line) => {
  expect(failure(() => parseWanted(text))).toMatch(new RegExp(`^CONFIG_INVALID art\\.toml:${line}: \\S`));
});

test('a conflict is called a conflict, and a line of a text that looks like one is not', () => {
  expect(failure(() => parseWanted('<<<<<<< HEAD\n'))).toBe(
    'CONFIG_INVALID art.toml:1: a merge conflict is not resolved here',
  );
  expect(failure(() => parseWanted('note = """\n=======\n"""\n'))).toBeUndefined();
});

test('bindings that overlap are refused', () => {
  const text = bind('', name('cifar'), 'data/cifar');
  expect(failure(() => bind(text, name('b'), 'data'))).toMatchInlineSnapshot(
    `"BINDING_CONFLICT "b" at "data" and "cifar" at "data/cifar" overlap"`,
  );
  expect(failure(() => bind(text, name('b'), 'data/cifar/x'))).toMatch('BINDING_CONFLICT');
  expect(failure(() => bind(text, name('b'), '.'))).toMatch('BINDING_CONFLICT');
  expect(failure(() => bind(text, name('CIFAR'), 'x'))).toMatch('BINDING_CONFLICT');
  expect(failure(() => bind(text, name('b'), '../x'))).toMatch('CONFIG_INVALID');
  expect(failure(() => bind(text, name('b'), 'data/cifar-10'))).toBeUndefined();
  expect(failure(() => unbind(text, name('cifra')))).toMatch('BINDING_NOT_FOUND');
});

test('two paths overlap when one folder holds the other', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join('/'));
  fc.assert(
    fc.property(path, path, (a, b) => {
      expect(pathsOverlap(a, b)).toBe(`${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`));
      expect(pathsOverlap(a, '.') && pathsOverlap('.', b)).toBe(true);
    }),
  );
});

test('a path has one form', () => {
  expect(['./a//b/', 'a/b', 'a/./b', '.', './', 'a b/ü'].map(boundPath)).toEqual([
    'a/b',
    'a/b',
    'a/b',
    '.',
    '.',
    'a b/ü',
  ]);
});

test('binding and unbinding follow a plain model, and undo each other', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c.d', '__proto__', 'constructor', '9-x'),
    path: fc.constantFrom('p', 'q', 'p/q', 'r s', 'é"\\/x\ty', 'q\nz', '\u007f'),
    unbind: fc.boolean(),
  });
  const start = fc.constantFrom(
    '',
    FILE,
    '# only this',
    '[artifacts]\n',
    'x = 1\r\n[y]\r\n',
    '\ufeffx = 1\n',
    '[[t]]\na = 1\n',
  );
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 12 }), (first, steps) => {
      let text: string = first;
      const model = new Map(
        [...parseWanted(text).bindings].map(([bound, { path }]) => [bound as string, path]),
      );
      for (const { name: text_, path, unbind: remove } of steps) {
        const at = name(text_);
        if (remove) {
          const expected = model.delete(at) ? undefined : 'BINDING_NOT_FOUND';
          expect(failure(() => (text = unbind(text, at)))?.split(' ')[0]).toBe(expected);
        } else {
          const overlaps = [...model].some(([other, taken]) => other !== at && pathsOverlap(taken, path));
          const before = text;
          const expected = overlaps ? 'BINDING_CONFLICT' : undefined;
          expect(failure(() => (text = bind(text, at, path)))?.split(' ')[0]).toBe(expected);
          if (!overlaps && !model.has(at)) expect(unbind(text, at).trimEnd()).toBe(before.trimEnd());
          if (!overlaps) model.set(at, path);
        }
        expect(new Map([...parseWanted(text).bindings].map(([bound, { path: p }]) => [bound, p]))).toEqual(
          model,
        );
      }
    }),
  );
});

test('no text raises anything but an operating error', () => {
  const pieces = [
    '[artifacts.a]',
    '[[artifacts]]',
    'path = "x"',
    "'''",
    '"""',
    '"',
    '=',
    '[',
    ']',
    '{',
    '}',
    '#',
    '\n',
    '\r\n',
    '=======',
    '<<<<<<< x',
    'a.b',
    '.',
    '\\',
    '\0',
    '\ud800',
    '1979-05-27',
    'nan',
    '99999999999999999999',
    'artifacts',
    'remotes',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((parts) => parts.join('')),
    fc.tuple(fc.nat(FILE.length), fc.nat(20), fc.constantFrom(...pieces)).map(([at, cut, piece]) => {
      return FILE.slice(0, at) + piece + FILE.slice(at + cut);
    }),
  );
  fc.assert(
    fc.property(text, (mangled) => {
      for (const action of [
        () => parseWanted(mangled),
        () => bind(mangled, name('new'), 'some/where'),
        () => unbind(mangled, name('cifar')),
      ]) {
        expect(failure(action) ?? 'CONFIG_INVALID').toMatch(
          /^(CONFIG_INVALID|BINDING_CONFLICT|BINDING_NOT_FOUND)/,
        );
      }
    }),
    { numRuns: 1500 },
  );
});

describe('a binding under another name', () => {
  const rename = (text: string, type = 'dataset') =>
    renameBinding(text, { name: parseArtifactName('d'), to: parseArtifactName('e.x'), type });

  test.each([
    ['# c\n[artifacts.d] # mine\npath = "p"\n', '# c\n[artifacts."e.x"] # mine\npath = "p"\n'],
    ['[artifacts]\nd.path = "p"\nd.note = "n"\n', '[artifacts]\n"e.x".path = "p"\n"e.x".note = "n"\n'],
    ['artifacts.d.path="p"\n', 'artifacts."e.x".path ="p"\n'],
    [
      '[artifacts.d]\npath = "p"\n[artifacts.d.more]\nx = 1\n',
      '[artifacts."e.x"]\npath = "p"\n[artifacts."e.x".more]\nx = 1\n',
    ],
    ['[artifacts]\nd = { path = "p" }\n', '[artifacts]\n"e.x" = { path = "p" }\n'],
    ['[artifacts.other]\npath = "p"\n', '[artifacts.other]\npath = "p"\n'],
  ])('keeps all else: %j', (text, wanted) => {
    expect(rename(text)).toBe(wanted);
  });

  test('says the new type only where a type is said', () => {
    expect(rename('[artifacts.d]\npath = "p"\ntype = "a"\n', 'b')).toContain('type = "b"');
    expect(rename('[artifacts.d]\npath = "p"\n', 'b')).not.toContain('type');
  });

  test('does not take the place of another', () => {
    const both = '[artifacts.d]\npath = "p"\n[artifacts."E.x"]\npath = "q"\n';
    expect(() => rename(both)).toThrow(expect.objectContaining({ code: 'BINDING_CONFLICT' }));
  });

  test('is left to a person where the layout does not let art', () => {
    expect(() => rename('artifacts = { d = { path = "p" } }\n')).toThrow('edit it by hand');
  });
});
