/** Promises of the commands that look. */
import type { Contract } from './contract.ts';
import type { Shape } from './shape.ts';
import { FULL, REACH, REACH_FORM, REACH_OPTIONS } from './table-sharing.ts';

const LISTED = {
  name: 'text',
  type: 'text',
  versions: 'count',
  latest: 'version',
  bytes: 'count',
  updated: 'time',
  description: 'text|null',
  tags: ['text'],
} as const satisfies Record<string, Shape>;

const LOGGED = {
  name: 'text',
  version: 'version',
  cid: 'cid',
  parents: ['cid'],
  message: 'text',
  author: 'text',
  time: 'time',
  files: 'count',
  bytes: 'count',
  aliases: ['text'],
  tags: ['text'],
  producers: ['text'],
} as const satisfies Record<string, Shape>;

const { parents: _, ...VERSION } = LOGGED;

export const LOOKING: Contract = {
  list: {
    forms: ['list [--type T] [--tag T] [--limit N]'],
    options: ['--type T', '--tag T', '--limit N'],
    reads: true,
    json: [{ keys: LISTED }],
    runs: [
      { line: 'list', says: /^d:v1 +dataset .*\nm:v0 +model / },
      { line: 'list', after: ['describe d "All of it."', 'delete m --all'], says: /All of it\.\n$/ },
      { line: 'list --type model --limit 1', says: /^m:v0/ },
      { line: 'list --tag none', says: 'no artifact with the tag "none"' },
      { line: 'list --limit 0' },
      { line: 'list d', error: 'USAGE' },
      { line: 'list --limit x', error: 'USAGE' },
      { line: 'list --limit 1 --limit 2', error: 'USAGE' },
    ],
  },
  log: {
    forms: ['log [NAME] [--limit N] [--graph]'],
    options: ['--limit N', '--graph'],
    reads: true,
    json: [{ keys: LOGGED }],
    runs: [
      { line: 'log', says: 'd:v1' },
      { line: 'log d --limit 1', says: /^d:v1 .* latest +second\n$/ },
      { line: 'log d --graph', only: 'people', says: 'd:v1' },
      { line: 'log nothing', error: 'ARTIFACT_NOT_FOUND' },
      { line: 'log d:v1', error: 'NAME_INVALID' },
    ],
  },
  show: {
    forms: ['show NAME|SPEC'],
    options: [],
    reads: true,
    json: {
      keys: {
        ...VERSION,
        tree: 'cid',
        type: 'text',
        description: 'text|null',
        metadata: { map: 'any' },
        usedBy: ['text'],
        expires: 'time|null',
      },
    },
    unseen: { '$.expires': 'nothing expires yet' },
    runs: [
      { line: 'show d:best', says: 'Some *data*.' },
      { line: 'show d:latest' },
      { line: 'show d', json: { keys: { ...LISTED, aliases: { map: 'version' } } }, says: 'best = v0' },
      { line: 'show d:v0~1', error: 'VERSION_NOT_FOUND' },
      { line: 'show d:x/y', error: 'ALIAS_NOT_FOUND' },
      { line: 'show d/v0', error: 'SPEC_INVALID' },
    ],
  },
  ls: {
    forms: ['ls SPEC [PREFIX] [-l]'],
    options: ['-l'],
    reads: true,
    json: [
      {
        keys: {
          path: 'text',
          kind: 'text',
          size: 'count',
          digest: 'digest|null',
          mode: 'text|null',
          target: 'text|null',
          uri: 'text|null',
        },
      },
    ],
    unseen: { '$[].uri': 'there are no references yet' },
    runs: [
      { line: 'ls d', says: 'a.txt\nc.txt\nempty/\nlink\nsub/b.txt\n' },
      { line: 'ls d sub/ -l', says: 'sub/b.txt' },
      { line: 'ls d nothing' },
      { line: 'ls nothing', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  cat: {
    forms: [`cat SPEC PATH [--offset N] [--length N] [--from URL] ${REACH_FORM}`],
    options: ['--offset N', '--length N', '--from URL', ...REACH_OPTIONS],
    reads: true,
    json: null,
    runs: [
      { line: 'cat d a.txt', says: /^one$/ },
      { line: 'cat d c.txt --offset 1 --length 2', says: /^hr$/ },
      { line: 'cat d a.txt --from ../bucket', after: FULL, says: /^one$/ },
      { line: `cat d a.txt --from origin ${REACH}`, after: FULL, says: /^one$/ },
      { line: 'cat d a.txt --region r', error: 'USAGE' },
      { line: 'cat d b.txt', error: 'ENTRY_NOT_FOUND' },
      { line: 'cat d sub', error: 'USAGE' },
      { line: 'cat d sub/', error: 'USAGE' },
      { line: 'cat d /a.txt', error: 'ENTRY_NOT_FOUND' },
    ],
  },
};
