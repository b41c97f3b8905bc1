/** Promises of the commands that share. */
import type { Contract } from './contract.ts';
import type { Shape } from './shape.ts';

const REMOTE: Shape = { keys: { name: 'text', url: 'text' } };

const SYNCED: Shape = {
  keys: {
    remote: 'text',
    versions: 'count',
    renumbered: [{ keys: { name: 'text', from: 'version', to: 'version' } }],
    objects: 'count',
    bytes: 'count',
    requests: 'count',
    upToDate: 'flag',
  },
};

export const REACH_FORM = '[--endpoint URL] [--region R] [--path-style] [--profile P]';
export const REACH_OPTIONS = ['--endpoint URL', '--region R', '--path-style', '--profile P'];
export const REACH = '--endpoint https://s3.example.org --region r --path-style --profile p';
const ADDRESS_FORM = `${REACH_FORM} [--local]`;
const ADDRESS_OPTIONS = [...REACH_OPTIONS, '--local'];
const ADDRESS = `${REACH} --local`;

/** A remote that has everything, and one that has nothing. */
export const FULL = ['$ rm -rf ../bucket && mkdir ../bucket', 'remote add origin ../bucket', 'push'];
const EMPTY = FULL.slice(0, 2);

const CHECKED: Shape = {
  keys: {
    name: 'text',
    url: 'text',
    verdict: 'text',
    checks: [{ keys: { check: 'text', ok: 'flag', needed: 'text', detail: 'text' } }],
  },
};

export const SHARING: Contract = {
  remote: {
    forms: [`remote add NAME URL ${ADDRESS_FORM}`, 'remote list', 'remote remove NAME', 'remote check NAME'],
    options: ADDRESS_OPTIONS,
    json: REMOTE,
    runs: [
      { line: 'remote add origin ../bucket', says: 'added the remote origin' },
      { line: `remote add lab s3://bucket/prefix ${ADDRESS}`, says: 'added the remote lab' },
      { line: 'remote list', json: [REMOTE], says: 'there is no remote yet' },
      { line: 'remote list', json: [REMOTE], after: ['remote add origin ../bucket'], says: 'origin' },
      { line: 'remote remove origin', after: ['remote add origin ../bucket'], says: 'removed the remote' },
      { line: 'remote remove origin', error: 'REMOTE_NOT_FOUND' },
      {
        line: 'remote check origin',
        after: EMPTY,
        json: CHECKED,
        says: 'origin is fit for sharing',
      },
      { line: 'remote check origin', error: 'REMOTE_NOT_FOUND' },
      { line: 'remote check', error: 'USAGE' },
      { line: 'remote add x ftp://example.org/art', error: 'REMOTE_URL_INVALID' },
      { line: 'remote add x s3://ada:secret@bucket', error: 'REMOTE_URL_INVALID' },
      { line: 'remote add a/b ../bucket', error: 'NAME_INVALID' },
      { line: 'remote rename a b', error: 'USAGE' },
      { line: 'remote add origin', error: 'USAGE' },
    ],
  },
  push: {
    forms: ['push [REMOTE] [NAME...] [--dry-run]'],
    options: ['--dry-run'],
    json: SYNCED,
    runs: [
      { line: 'push', after: EMPTY, says: '3 versions' },
      { line: 'push origin d', after: EMPTY, says: '2 versions' },
      { line: 'push --dry-run', after: EMPTY },
      { line: 'push', after: FULL, says: 'nothing to push' },
      { line: 'push', error: 'REMOTE_UNSAID' },
      { line: 'push nothing', after: EMPTY, error: 'ARTIFACT_NOT_FOUND' },
    ],
  },
  fetch: {
    forms: ['fetch [REMOTE] [NAME...] [--dry-run]'],
    options: ['--dry-run'],
    json: SYNCED,
    runs: [
      { line: 'fetch', after: FULL },
      { line: 'fetch origin d --dry-run', after: FULL },
      { line: 'fetch', error: 'REMOTE_UNSAID' },
    ],
  },
  pull: {
    forms: ['pull [REMOTE] [NAME...] [--lazy|--no-lazy] [--dry-run]'],
    options: ['--lazy', '--no-lazy', '--dry-run'],
    json: SYNCED,
    runs: [
      { line: 'pull', after: FULL },
      { line: 'pull origin d --dry-run', after: FULL },
      { line: 'pull --lazy', after: FULL },
      { line: 'pull --no-lazy', after: [...FULL, 'pull --lazy'] },
      { line: 'pull --lazy --no-lazy', after: FULL, error: 'USAGE' },
      { line: 'pull', error: 'REMOTE_UNSAID' },
    ],
  },
  clone: {
    forms: [`clone URL [DIR] ${ADDRESS_FORM} [--nested] [--lazy]`],
    options: [...ADDRESS_OPTIONS, '--nested', '--lazy'],
    json: SYNCED,
    runs: [
      { line: 'clone ../bucket ../copy', after: [...FULL, '$ rm -rf ../copy'], says: 'cloned into' },
      { line: 'clone ../bucket ../copy --lazy', after: [...FULL, '$ rm -rf ../copy'], says: 'cloned into' },
      { line: `clone ../bucket copy --nested ${ADDRESS}`, after: FULL, says: 'cloned into' },
      { line: 'clone ../bucket copy', after: FULL, error: 'REPOSITORY_NESTED' },
      { line: 'clone ../bucket .', after: FULL, error: 'REPOSITORY_EXISTS' },
      { line: 'clone', error: 'USAGE' },
    ],
  },
};
