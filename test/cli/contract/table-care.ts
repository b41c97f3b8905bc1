/** Promises of the commands for names, settings and the store. */
import type { Contract } from './contract.ts';
import type { Shape } from './shape.ts';

const NAMED: Shape = { keys: { name: 'text', version: 'version', aliases: ['text'] } };

const AT_REMOTE: Shape = {
  keys: {
    remote: 'text',
    freed: 'count',
    kept: 'count',
    packs: 'count',
    expired: ['any'],
    reasons: ['text'],
    deleted: 'count',
    condemned: 'count',
    condemnedBytes: 'count',
    copied: 'count',
    waiting: 'count',
    due: 'time|null',
    requests: 'count',
  },
};
const PUSHED = ['$ rm -rf ../bucket && mkdir ../bucket', 'remote add origin ../bucket', 'push'];

export const CARE: Contract = {
  alias: {
    forms: ['alias SPEC ALIAS...', 'alias --remove NAME:ALIAS...'],
    options: ['--remove'],
    json: NAMED,
    runs: [
      { line: 'alias d:v1 best prod', says: 'd:v1 is latest, best, prod' },
      { line: 'alias --remove d:best', json: [NAMED], says: 'd:v0 has no alias now' },
      { line: 'alias --remove d:prod', error: 'ALIAS_NOT_FOUND' },
      { line: 'alias --remove d:best~1', error: 'USAGE' },
      { line: 'alias --remove d:origin/best', error: 'USAGE' },
      { line: 'alias --remove d:latest', error: 'USAGE' },
      { line: 'alias d latest', error: 'NAME_INVALID' },
      { line: 'alias d', error: 'USAGE' },
      { line: 'alias nothing best', error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  config: {
    forms: ['config [KEY [VALUE]] [--global]'],
    options: ['--global'],
    json: { keys: { key: 'text', value: 'text|null' } },
    runs: [
      { line: 'config', json: { map: 'text' }, after: ['config user Ada'], says: 'user  Ada' },
      { line: 'config user Ada', says: 'user is Ada' },
      { line: 'config user --global', after: ['config --global user Ada'], says: /^Ada\n$/ },
      { line: 'config user', only: 'json' },
      { line: 'config user', error: 'CONFIG_NOT_FOUND', only: 'people' },
      { line: 'config a=b c', error: 'CONFIG_INVALID' },
      { line: 'config user Ada', in: '..', error: 'REPOSITORY_NOT_FOUND' },
    ],
  },
  gc: {
    forms: [
      'gc [--dry-run] [--undo-window DAYS] [--explain]',
      'gc --also-at REMOTE [--dry-run] [--undo-window DAYS] [--explain]',
      'gc --remote NAME [--dry-run] [--min-age HOURS] [--grace HOURS]',
    ],
    options: [
      '--dry-run',
      '--undo-window DAYS',
      '--explain',
      '--also-at REMOTE',
      '--remote NAME',
      '--min-age HOURS',
      '--grace HOURS',
    ],
    json: { keys: { freed: 'count', kept: 'count', packs: 'count', expired: ['any'], reasons: ['text'] } },
    runs: [
      { line: 'gc', says: /^freed / },
      { line: 'gc --dry-run --undo-window 0 --explain', says: /^would free / },
      { line: 'gc --remote origin --min-age 0 --grace 0', after: PUSHED, json: AT_REMOTE },
      { line: 'gc --also-at origin', after: PUSHED, says: /^freed / },
      { line: 'gc --also-at origin --remote origin', after: PUSHED, error: 'USAGE' },
      { line: 'gc --also-at origin', error: 'REMOTE_NOT_FOUND' },
      { line: 'gc --remote origin', error: 'REMOTE_NOT_FOUND' },
      { line: 'gc now', error: 'USAGE' },
    ],
  },
  fsck: {
    forms: ['fsck [--deep] [--repair] [--break-lock]'],
    options: ['--deep', '--repair', '--break-lock'],
    json: {
      keys: {
        ok: 'flag',
        checked: 'count',
        damaged: [{ keys: { cid: 'text', kind: 'text', versions: ['text'], paths: ['text'] } }],
        promised: 'count',
        healed: 'count',
        problems: ['text'],
      },
    },
    runs: [
      { line: 'fsck', says: 'all is well' },
      { line: 'fsck --deep --repair --break-lock', says: 'all is well' },
      { line: 'fsck', after: ['$ rm .art/objects/CURRENT'], exit: 4, says: 'CURRENT is gone' },
      { line: 'fsck', in: '..', error: 'REPOSITORY_NOT_FOUND' },
    ],
  },
  completion: {
    forms: ['completion SHELL'],
    options: [],
    json: null,
    runs: [
      { line: 'completion bash', says: 'complete -F _art art' },
      { line: 'completion tcsh', error: 'USAGE' },
    ],
  },
};
