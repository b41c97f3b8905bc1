/** Says, for `art` and each tool it is compared with, how to make a repository, commit into it and check out. */
import {
  artCommand,
  borgEnvironment,
  gitEnvironment,
  isArtBuilt,
  named,
  quote,
  resticEnvironment,
  type Peer,
} from './peer.ts';

const art: Peer = {
  ...named('art', 'art', { durable: true }),
  isInstalled: isArtBuilt,
  prepare: ({ repository }) => ({ script: `${artCommand()} init -q .`, cwd: repository }),
  commit: ({ source, repository }, number) => ({
    script: `${artCommand()} commit bench ${quote(source)} -q -m v${number}`,
    cwd: repository,
  }),
  checkout: ({ repository }, _number, target) => ({
    script: `${artCommand()} checkout bench ${quote(target)} -q`,
    cwd: repository,
  }),
};

const cp: Peer = {
  ...named('cp', 'floor', { durable: true }),
  prepare: () => ({ script: ':' }),
  commit: ({ source, repository }, number) => ({
    script: `cp -a ${quote(source)} v${number} && sync -f v${number}`,
    cwd: repository,
  }),
  checkout: ({ repository }, number, target) => ({
    script: `cp -a v${number}/. ${quote(target)}`,
    cwd: repository,
  }),
};

const tar: Peer = {
  ...named('tar', 'floor', { durable: true }),
  prepare: () => ({ script: ':' }),
  commit: ({ source, repository }, number) => ({
    script: `tar -cf v${number}.tar -C ${quote(source)} . && sync v${number}.tar`,
    cwd: repository,
  }),
  checkout: ({ repository }, number, target) => ({
    script: `tar -xf v${number}.tar -C ${quote(target)}`,
    cwd: repository,
  }),
};

const git: Peer = {
  ...named('git', 'rival', { durable: true }),
  prepare: (place) => ({ script: 'git init -q', env: gitEnvironment(place) }),
  commit: (place, number) => ({
    script: `git add -A . && git commit -q --allow-empty -m v${number}`,
    cwd: place.source,
    env: gitEnvironment(place),
  }),
  checkout: (place, _number, target) => ({
    // An index of its own, since git would otherwise take the target for the source.
    script: 'git checkout -q -f main',
    cwd: target,
    env: { ...gitEnvironment(place), GIT_WORK_TREE: target, GIT_INDEX_FILE: `${place.home}/checkout-index` },
  }),
};

const gitLfs: Peer = {
  ...git,
  ...named('git-lfs', 'rival', { durable: false }),
  prepare: (place) => ({
    script:
      `git init -q && git lfs install --local >/dev/null && ` +
      `echo '* filter=lfs diff=lfs merge=lfs -text' > ${quote(place.repository)}/info/attributes`,
    env: gitEnvironment(place),
  }),
};

const restic: Peer = {
  ...named('restic', 'rival', { durable: true }),
  prepare: (place) => ({ script: 'restic init -q', env: resticEnvironment(place) }),
  commit: (place) => ({ script: 'restic backup -q .', cwd: place.source, env: resticEnvironment(place) }),
  checkout: (place, _number, target) => ({
    script: `restic restore -q latest --target ${quote(target)}`,
    env: resticEnvironment(place),
  }),
};

export const borg: Peer = {
  ...named('borg', 'rival', { durable: true }),
  prepare: (place) => ({ script: 'borg init --encryption=none', env: borgEnvironment(place) }),
  commit: (place, number) => ({
    script: `borg create ::v${number} .`,
    cwd: place.source,
    env: borgEnvironment(place),
  }),
  checkout: (place, number, target) => ({
    script: `borg extract ::v${number}`,
    cwd: target,
    env: borgEnvironment(place),
  }),
};

const casync: Peer = {
  ...named('casync', 'rival', { durable: false }),
  prepare: () => ({ script: ':' }),
  commit: ({ source, repository }, number) => ({
    script: `casync make --store=store.castr v${number}.caidx ${quote(source)}`,
    cwd: repository,
  }),
  checkout: ({ repository }, number, target) => ({
    script: `casync extract --store=store.castr v${number}.caidx ${quote(target)}`,
    cwd: repository,
  }),
};

export const PEERS: readonly Peer[] = [art, cp, tar, git, gitLfs, restic, borg, casync];
