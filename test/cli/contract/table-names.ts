/** Promises of the commands that name, delete and take back, and of those that compare and measure. */
import type { Contract } from './contract.ts';

export const NAMES: Contract = {
  tag: {
    forms: ['tag SPEC TAG... [--remove]', 'tag --artifact NAME TAG... [--remove]'],
    options: ['--artifact NAME', '--remove'],
    json: { keys: { name: 'text', version: 'version|null', tags: ['text'] } },
    runs: [
      { line: 'tag d:v0 clean raw', says: 'clean' },
      { line: 'tag d:v0 gold --remove' },
      { line: 'tag --artifact d vision' },
      { line: 'tag --artifact d vision --remove', after: ['tag --artifact d vision'] },
      { line: 'tag d', error: 'USAGE' },
      { line: 'tag nothing clean', error: 'ARTIFACT_NOT_FOUND' },
      { line: 'tag d:v9 clean', error: 'VERSION_NOT_FOUND' },
    ],
  },
  meta: {
    forms: ['meta SPEC [K=V]... [--file F] [--unset K]... [--history]'],
    options: ['--file F', '--unset K...', '--history'],
    json: { keys: { name: 'text', version: 'version', metadata: { map: 'any' } } },
    runs: [
      { line: 'meta d:v0', says: 'lr' },
      { line: 'meta d:v0 lr=0.2 note=fast' },
      { line: 'meta d:v0 --file meta.json' },
      { line: 'meta d:v0 --unset lr' },
      {
        line: 'meta d:v0 --history',
        after: ['meta d:v0 lr=0.2'],
        json: [
          {
            keys: {
              name: 'text',
              version: 'version',
              metadata: { map: 'any' },
              op: 'count',
              time: 'time',
              user: 'text',
            },
          },
        ],
      },
      { line: 'meta d:v0 --unset nothing', error: 'METADATA_KEY_NOT_FOUND' },
      { line: 'meta nothing', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  describe: {
    forms: ['describe NAME|SPEC TEXT'],
    options: [],
    json: { keys: { name: 'text', version: 'version|null', description: 'text|null' } },
    runs: [
      { line: 'describe d "All of it."' },
      { line: 'describe d:v0 ""' },
      { line: 'describe d', error: 'USAGE' },
      { line: 'describe nothing text', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  rename: {
    forms: ['rename NAME NEW [--type T]'],
    options: ['-t, --type T'],
    json: { keys: { name: 'text' } },
    runs: [
      { line: 'rename d digits', says: 'digits' },
      { line: 'rename m m --type table' },
      { line: 'rename d m', error: 'NAME_TAKEN' },
      { line: 'rename nothing else', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  delete: {
    forms: [
      'delete SPEC... [--force] [--dry-run]',
      'delete NAME --all [--force] [--dry-run]',
      "delete 'NAME:v3..v40' [--except-aliased] [--force] [--dry-run]",
    ],
    options: ['--all', '--except-aliased', '--force', '--dry-run'],
    json: { keys: { deleted: ['text'], freeable: 'count', op: 'count|null', undo: 'text|null' } },
    runs: [
      { line: 'delete d:v1', says: 'art undo' },
      { line: 'delete d:v0 --force' },
      { line: 'delete m --all --dry-run' },
      { line: 'delete d:v0..v1 --except-aliased' },
      { line: 'delete d:v0', error: 'VERSION_NAMED' },
      { line: 'delete d', error: 'DELETE_UNCLEAR' },
      { line: 'delete d:v9', error: 'VERSION_NOT_FOUND' },
    ],
  },
  undo: {
    forms: ['undo [OP] [--dry-run]'],
    options: ['--dry-run'],
    json: {
      keys: {
        op: 'count|null',
        undone: 'count',
        time: 'time',
        user: 'text',
        command: 'text',
        changes: ['text'],
        redo: 'text|null',
      },
    },
    runs: [
      { line: 'undo', says: 'art undo' },
      { line: 'undo --dry-run' },
      { line: 'undo 3' },
      { line: 'undo 99', error: 'OPERATION_NOT_FOUND' },
      { line: 'undo best', error: 'USAGE' },
    ],
  },
  ops: {
    forms: ['ops [--limit N]'],
    options: ['--limit N'],
    reads: true,
    json: [
      {
        keys: {
          id: 'count',
          time: 'time',
          user: 'text',
          run: 'text|null',
          command: 'text',
          refs: ['text'],
          undone: 'flag',
        },
      },
    ],
    unseen: { '$[].run': 'nothing is run yet' },
    runs: [{ line: 'ops', says: 'commit' }, { line: 'ops --limit 1' }, { line: 'ops now', error: 'USAGE' }],
  },
  diff: {
    forms: ['diff SPEC [SPEC] [--path P]... [--stat] [--exit-code]'],
    options: ['--path P...', '--stat', '--exit-code'],
    json: [
      {
        keys: {
          path: 'text',
          change: 'text',
          from: 'text|null',
          sizeBefore: 'count|null',
          sizeAfter: 'count|null',
        },
      },
    ],
    runs: [
      { line: 'diff d:v0 d:v1', says: 'c.txt' },
      { line: 'diff d:v1 d:v0', says: 'c.txt' },
      { line: 'diff d:v0 d:v1 --exit-code', exit: 1 },
      { line: 'diff d:v0 d:v1 --path sub/' },
      { line: 'diff d:v0 d:v1 --stat', only: 'people' },
      { line: 'diff d', after: ['$ mv data/a.txt data/z.txt'] },
      { line: 'diff nothing', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  du: {
    forms: ['du [NAME]'],
    options: [],
    reads: true,
    json: [{ keys: { name: 'text', version: 'version', alone: 'count', shared: 'count', stored: 'count' } }],
    runs: [
      { line: 'du', says: 'd:v1' },
      { line: 'du m' },
      { line: 'du nothing', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
};
