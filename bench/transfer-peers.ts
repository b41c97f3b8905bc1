/**
 * Says, for `art` and each tool it is compared with, how versions get to a remote folder and back. The repository is
 * the remote; the home has the sender's side and, below `clone`, the receiver's.
 */
import { readFileSync } from 'node:fs';
import type { Command } from './measure.ts';
import {
  artCommand,
  borgEnvironment,
  gitSettings,
  isArtBuilt,
  named,
  quote,
  resticEnvironment,
  type Peer,
  type Place,
  type Traffic,
} from './peer.ts';
import { borg } from './peers.ts';

const art: Peer = {
  ...named('art', 'art', { durable: true }),
  isInstalled: isArtBuilt,
  prepare: ({ repository, home }) => ({
    script: `mkdir sender && cd sender && ${artCommand()} init -q . && ${artCommand()} remote add origin ${quote(repository)}`,
    cwd: home,
  }),
  stage: ({ source, home }, number) => ({
    script: `${artCommand()} commit bench ${quote(source)} -q -m v${number}`,
    cwd: `${home}/sender`,
  }),
  commit: ({ home }) => ({ script: `${artCommand()} push --json > ../traffic`, cwd: `${home}/sender` }),
  checkout: ({ repository, home }, number, target) => ({
    script:
      number === 0
        ? `${artCommand()} clone ${quote(repository)} clone --json > traffic && cd clone && ${artCommand()} checkout bench ${quote(target)} -q`
        : `cd clone && ${artCommand()} pull --json > ../traffic && ${artCommand()} checkout bench ${quote(target)} -q`,
    cwd: home,
  }),
  traffic: ({ home }) => JSON.parse(readFileSync(`${home}/traffic`, 'utf8')) as Traffic,
};

/** What the tools that keep no version on the sender's side are to be held against. */
const artCommitAndPush: Peer = {
  ...art,
  name: 'art commit+push',
  stage: () => ({ script: ':' }),
  commit: (place, number) => ({
    script: `${art.stage!(place, number).script} && ${art.commit(place, number).script}`,
    cwd: `${place.home}/sender`,
  }),
};

const cp: Peer = {
  ...named('cp', 'floor', { durable: true }),
  prepare: () => ({ script: ':' }),
  commit: ({ source, repository }) => ({
    script: `cp -au ${quote(source)}/. . && sync -f .`,
    cwd: repository,
  }),
  checkout: ({ repository }, _number, target) => ({
    script: `mkdir -p ${quote(target)} && cp -au ${quote(repository)}/. ${quote(target)} && sync -f ${quote(target)}`,
  }),
};

const rsync: Peer = {
  ...named('rsync', 'floor', { durable: true }),
  prepare: () => ({ script: ':' }),
  commit: ({ source, repository }) => ({
    script: `rsync -a --delete --fsync ${quote(source)}/ ${quote(repository)}/`,
  }),
  checkout: ({ repository }, _number, target) => ({
    script: `mkdir -p ${quote(target)} && rsync -a --delete --fsync ${quote(repository)}/ ${quote(target)}/`,
  }),
};

const rclone: Peer = {
  ...named('rclone', 'floor', { durable: false }),
  prepare: () => ({ script: ':' }),
  commit: ({ source, repository, home }) => ({
    script: `rclone sync ${quote(source)} ${quote(repository)}`,
    env: { HOME: home },
  }),
  checkout: ({ repository, home }, _number, target) => ({
    script: `rclone sync ${quote(repository)} ${quote(target)}`,
    env: { HOME: home },
  }),
};

const git: Peer = {
  ...named('git', 'rival', { durable: true }),
  prepare: (place) => ({
    script: `env -u GIT_DIR -u GIT_WORK_TREE git init -q --bare ${quote(place.repository)} && git init -q && git remote add origin ${quote(place.repository)}`,
    env: senderGit(place),
  }),
  stage: (place, number) => ({
    script: `git add -A . && git commit -q --allow-empty -m v${number}`,
    cwd: place.source,
    env: senderGit(place),
  }),
  commit: (place) => ({
    script: 'git push -q origin main',
    cwd: place.source,
    env: senderGit(place),
  }),
  checkout: (place, number, target) => {
    const url = quote(`file://${place.repository}`);
    const clone = `mkdir -p ${quote(target)} && git init -q && git remote add origin ${url} && `;
    return {
      script: `${number === 0 ? clone : ''}git fetch -q origin && cd ${quote(target)} && git checkout -q -f -B main origin/main`,
      cwd: place.home,
      env: { ...gitSettings(place), GIT_DIR: `${place.home}/clone.git`, GIT_WORK_TREE: target },
    };
  },
};

const gitAnnex: Peer = {
  ...named('git-annex', 'rival', { durable: false }),
  prepare: (place) =>
    annex(
      place,
      `git init -q --bare ${quote(place.repository)} && git -C ${quote(place.repository)} annex init -q remote && ` +
        `git init -q sender && cd sender && git annex init -q sender && git remote add origin ${quote(place.repository)}`,
    ),
  stage: (place, number) =>
    annex(
      place,
      `cd sender && mkdir -p bench && rsync -a --delete ${quote(place.source)}/ bench/ && ` +
        `git annex add -q bench && git commit -q --allow-empty -m v${number}`,
    ),
  commit: (place) =>
    annex(
      place,
      'cd sender && git push -q origin main && git annex copy -q --to origin bench && git annex sync -q --no-content',
    ),
  checkout: (place, number) =>
    annex(
      place,
      number === 0
        ? `git clone -q ${quote(place.repository)} clone && cd clone && git annex init -q clone && git annex get -q bench`
        : 'cd clone && git pull -q && git annex get -q bench',
    ),
};

/** restic keeps a repository on the sender's side too, as `art` does, and copies what the other lacks. */
const restic: Peer = {
  ...named('restic', 'rival', { durable: true }),
  prepare: (place) => ({
    script: 'restic -r sender init -q && restic init -q --from-repo sender --copy-chunker-params',
    cwd: place.home,
    env: resticEnvironment(place),
  }),
  stage: (place) => ({
    script: `restic -r ${quote(place.home)}/sender backup -q .`,
    cwd: place.source,
    env: resticEnvironment(place),
  }),
  commit: (place) => ({
    script: 'restic copy -q --from-repo sender',
    cwd: place.home,
    env: resticEnvironment(place),
  }),
  checkout: (place, _number, target) => ({
    script: `restic restore -q latest --target ${quote(target)}`,
    env: resticEnvironment(place),
  }),
};

/** borg commits straight to the remote. */
const borgRemote: Peer = {
  ...borg,
  checkout: (place, number, target) => ({
    // It overwrites no file that is there already.
    script: `rm -rf ${quote(target)} && mkdir -p ${quote(target)} && cd ${quote(target)} && borg extract ::v${number}`,
    env: borgEnvironment(place),
  }),
};

export const TRANSFER_PEERS: readonly Peer[] = [
  art,
  artCommitAndPush,
  cp,
  rsync,
  rclone,
  git,
  gitAnnex,
  restic,
  borgRemote,
];

function senderGit(place: Place): Record<string, string> {
  return { ...gitSettings(place), GIT_DIR: `${place.home}/sender.git`, GIT_WORK_TREE: place.source };
}

function annex(place: Place, script: string): Command {
  return { script, cwd: place.home, env: gitSettings(place) };
}
