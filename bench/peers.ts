/** Says, for `art` and each tool it is compared with, how to make a repository, commit into it and check out. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from './measure.ts';

/** Folders of one tool in one round; all but `source` are its own and empty at first. */
export interface Place {
  /** What is committed. */
  readonly source: string;
  /** What counts as stored. */
  readonly repository: string;
  /** For caches and settings; not counted as stored. */
  readonly home: string;
}

export interface Peer {
  readonly name: string;
  /** A floor stores no versions: it shows what the machine needs at the least. */
  readonly role: 'art' | 'rival' | 'floor';
  /** Whether a commit is on disk for certain when the command ends. */
  readonly durable: boolean;
  isInstalled(): boolean;
  /** Makes the repository; not measured. */
  prepare(place: Place): Command;
  /** Commits the source as version `number`, counted from 0. */
  commit(place: Place, number: number): Command;
  /** Writes version `number`, which is the newest, into the empty folder `target`. */
  checkout(place: Place, number: number, target: string): Command;
}

const ART = fileURLToPath(new URL('../dist/art.js', import.meta.url));
/** Runs `art` as users do; for the startup bench also. */
export const ART_ARGV: readonly string[] = [process.execPath, ART];

const art: Peer = {
  ...named('art', 'art', { durable: true }),
  isInstalled: () => existsSync(ART),
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

const borg: Peer = {
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

function named(name: string, role: Peer['role'], { durable }: { readonly durable: boolean }) {
  return {
    name,
    role,
    durable,
    isInstalled: () => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
  };
}

function artCommand(): string {
  return ART_ARGV.map(quote).join(' ');
}

function gitEnvironment({ source, repository, home }: Place): Record<string, string> {
  const settings = {
    'user.name': 'bench',
    'user.email': 'bench@example.org',
    'init.defaultBranch': 'main',
    // Durable like the others, in the cheapest way git has.
    'core.fsync': 'committed',
    'core.fsyncMethod': 'batch',
    // Housekeeping would go on in the background while the next tool is measured.
    'gc.auto': '0',
    'maintenance.auto': 'false',
  };
  const rows = Object.entries(settings);
  return {
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_DIR: repository,
    GIT_WORK_TREE: source,
    GIT_CONFIG_COUNT: String(rows.length),
    ...Object.fromEntries(rows.map(([key], i) => [`GIT_CONFIG_KEY_${i}`, key])),
    ...Object.fromEntries(rows.map(([, value], i) => [`GIT_CONFIG_VALUE_${i}`, value])),
  };
}

function resticEnvironment({ repository, home }: Place): Record<string, string> {
  return { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: home };
}

function borgEnvironment({ repository, home }: Place): Record<string, string> {
  return {
    BORG_REPO: repository,
    BORG_BASE_DIR: home,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
