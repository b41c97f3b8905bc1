/** What every bench asks of a tool, and the settings under which the tools are fair to each other. */
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
  /** Brings the source to where `commit` takes it from; not measured. Left out where nothing changed. */
  stage?(place: Place, number: number): Command;
  /** Commits the source as version `number`, counted from 0. */
  commit(place: Place, number: number): Command;
  /** Writes version `number`, which is the newest, into the empty folder `target`. */
  checkout(place: Place, number: number, target: string): Command;
  /** What the last command sent or fetched, of tools that say so. */
  traffic?(place: Place): Traffic;
}

export interface Traffic {
  readonly requests: number;
  readonly bytes: number;
}

const ART = fileURLToPath(new URL('../dist/bin/art.cjs', import.meta.url));
/** Runs `art` as users do; for the startup bench also. */
export const ART_ARGV: readonly string[] = [process.execPath, ART];

export function named(name: string, role: Peer['role'], { durable }: { readonly durable: boolean }) {
  return {
    name,
    role,
    durable,
    isInstalled: () => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
  };
}

export function isArtBuilt(): boolean {
  return existsSync(ART);
}

export function artCommand(): string {
  return ART_ARGV.map(quote).join(' ');
}

export function gitEnvironment(place: Place): Record<string, string> {
  return { ...gitSettings(place), GIT_DIR: place.repository, GIT_WORK_TREE: place.source };
}

export function gitSettings({ home }: Place): Record<string, string> {
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
    // Files as they are, not links into the annex.
    'annex.addunlocked': 'true',
  };
  const rows = Object.entries(settings);
  return {
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_COUNT: String(rows.length),
    ...Object.fromEntries(rows.map(([key], i) => [`GIT_CONFIG_KEY_${i}`, key])),
    ...Object.fromEntries(rows.map(([, value], i) => [`GIT_CONFIG_VALUE_${i}`, value])),
  };
}

export function resticEnvironment({ repository, home }: Place): Record<string, string> {
  return {
    RESTIC_REPOSITORY: repository,
    RESTIC_PASSWORD: 'bench',
    RESTIC_FROM_PASSWORD: 'bench',
    RESTIC_CACHE_DIR: `${home}/cache`,
  };
}

export function borgEnvironment({ repository, home }: Place): Record<string, string> {
  return {
    BORG_REPO: repository,
    BORG_BASE_DIR: home,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  };
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
