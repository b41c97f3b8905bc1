/** Lists what is measured: scenarios, whose steps are the rows of the table. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeTables } from './generate-tables.ts';
import { writeFlatFolder, writeLargeFile, writeSmallFiles } from './generate.ts';
import { fetchPackage, packageFolder, PACKAGES } from './packages.ts';
import type { Peer } from './peer.ts';
import { TRANSFER_PEERS } from './transfer-peers.ts';

/** Gives the folder `source` other content; runs before every tool commits it. */
export type Change = (source: string) => void;

export interface Step {
  /** The workload's name on the command line and in results. */
  readonly row: string;
  readonly title: string;
  /** One commit for each; absent for a checkout of the newest version. Costs of several commits are added up. */
  readonly commits?: readonly Change[];
  /** For a checkout: into the folder of the one before, or, the first time, into one that does not exist. */
  readonly inPlace?: boolean;
}

export interface Scenario {
  readonly steps: readonly Step[];
  /** Memory to keep warm for one command, about what it writes. */
  readonly warmBytes: number;
  /** What there is to choose from; `PEERS` unless given. */
  readonly peers?: readonly Peer[];
  /** The tools that take part unless others are named. */
  readonly tools?: readonly string[];
  readonly roundsMax?: number;
  /** Fetches the input if need be; false when it cannot be had here. */
  readonly isAvailable?: () => boolean;
}

export interface Options {
  /** Multiplies sizes and counts. */
  readonly scale: number;
  /** Kept from run to run, for what comes over the network. */
  readonly cacheFolder: string;
  /** For what a scenario prepares once. */
  readonly workFolder: () => string;
}

const GIB = 2 ** 30;
/** Nothing is staged anew before it. */
export const unchanged: Change = () => {};

/** Every scenario by name. */
export const SCENARIOS: Readonly<Record<string, (options: Options) => Scenario>> = {
  large,
  'small-20k': (options) => small('20k', 20_000, options),
  'small-100k': (options) => small('100k', 100_000, options),
  tables,
  typescript: (options) => packages('typescript', options),
  'vega-datasets': (options) => packages('vega-datasets', options),
  system,
  memory,
  'flat-1m': flat,
  'transfer-large': transferLarge,
  'transfer-20k': (options) => transferSmall('20k', 20_000, options),
  'transfer-100k': (options) => transferSmall('100k', 100_000, options),
};

function large({ scale }: Options): Scenario {
  const mib = Math.max(20, Math.round(512 * scale));
  const write =
    (editedPlaces: number, inserted: boolean): Change =>
    (source) =>
      writeLargeFile(source, { mib, editedPlaces, inserted });
  return {
    warmBytes: 1.2 * GIB * scale,
    steps: [
      { row: 'large-first', title: `commit ${mib} MiB incompressible`, commits: [write(0, false)] },
      {
        row: 'large-edited',
        title: '… after 1 % changed in 20 places, 1 MiB inserted',
        commits: [write(20, true)],
      },
      { row: 'checkout-large', title: `check out ${mib} MiB` },
    ],
  };
}

function small(name: string, full: number, { scale }: Options): Scenario {
  const count = Math.round(full * scale);
  const files = `${count.toLocaleString('en')} files of 1 to 10 KiB`;
  const first: Change = (source) => {
    const only = existsSync(source) ? 'changed' : 'all';
    writeSmallFiles(source, { count, share: 0.003, only, content: 'first' });
  };
  const second: Change = (source) =>
    writeSmallFiles(source, { count, share: 0.003, only: 'changed', content: 'second' });
  return {
    warmBytes: full * scale * 20_000,
    steps: [
      { row: `small-${name}-first`, title: `commit ${files}`, commits: [first] },
      { row: `small-${name}-unchanged`, title: '… with nothing changed', commits: [unchanged] },
      { row: `small-${name}-changed`, title: '… with 0.3 % of them changed', commits: [second] },
      { row: `checkout-small-${name}`, title: `check out ${files}` },
    ],
  };
}

function tables({ scale, workFolder }: Options): Scenario {
  const mib = Math.max(4, Math.round(256 * scale));
  let masters: string | undefined;
  const write = (content: 'first' | 'second'): Change => {
    return (source) => {
      masters ??= workFolder();
      const master = join(masters, content);
      if (!existsSync(master)) writeTables(master, { mib, content });
      mkdirSync(source, { recursive: true });
      for (const name of readdirSync(master)) copyFileSync(join(master, name), join(source, name));
    };
  };
  return {
    warmBytes: GIB * scale,
    steps: [
      { row: 'tables-first', title: `commit ${mib} MiB of CSV and JSON Lines`, commits: [write('first')] },
      {
        row: 'tables-appended',
        title: '… with 1 % appended and scattered edits',
        commits: [write('second')],
      },
      { row: 'checkout-tables', title: `check out ${mib} MiB of CSV and JSON Lines` },
    ],
  };
}

function packages(name: string, { cacheFolder }: Options): Scenario {
  const versions = PACKAGES[name]!;
  const replaceBy = (version: string): Change => {
    return (source) => {
      rmSync(source, { recursive: true, force: true });
      cpSync(packageFolder(cacheFolder, name, version), source, { recursive: true });
    };
  };
  return {
    isAvailable: () => versions.every((version) => fetchPackage(cacheFolder, name, version)),
    warmBytes: GIB / 2,
    steps: [
      {
        row: `packages-${name}`,
        title: `commit ${versions.length} published versions of ${name}, one by one`,
        commits: versions.map(replaceBy),
      },
      { row: `checkout-${name}`, title: `check out ${name}` },
    ],
  };
}

function system({ scale }: Options): Scenario {
  const folder = scale < 1 ? '/usr/share/doc' : '/usr/share';
  const copyOnce: Change = (source) => {
    if (!existsSync(source)) cpSync(folder, source, { recursive: true, verbatimSymlinks: true });
  };
  return {
    isAvailable: () => existsSync(folder),
    // git leaves out empty folders and obeys any .gitignore in there, so it has no part in this.
    tools: ['art', 'cp', 'tar', 'restic', 'borg', 'casync'],
    warmBytes: 1.2 * GIB * scale,
    steps: [
      { row: 'system-first', title: `commit a copy of ${folder}`, commits: [copyOnce] },
      { row: 'checkout-system', title: `check out a copy of ${folder}` },
    ],
  };
}

function memory({ scale }: Options): Scenario {
  const mib = Math.max(20, Math.round(4096 * scale));
  const write =
    (inserted: boolean): Change =>
    (source) =>
      writeLargeFile(source, { mib, editedPlaces: 0, inserted });
  return {
    tools: ['art', 'cp', 'restic', 'borg'],
    roundsMax: 1,
    warmBytes: 6 * GIB * scale,
    steps: [
      { row: 'memory-first', title: `commit one file of ${mib} MiB`, commits: [write(false)] },
      { row: 'memory-inserted', title: '… with 1 MiB inserted in the middle', commits: [write(true)] },
      { row: 'memory-checkout', title: `check out one file of ${mib} MiB` },
    ],
  };
}

function flat({ scale }: Options): Scenario {
  const count = Math.round(1_000_000 * scale);
  const files = `${count.toLocaleString('en')} files in one flat folder`;
  const write: Change = (source) => {
    if (!existsSync(source)) writeFlatFolder(source, { count });
  };
  return {
    tools: ['art', 'tar', 'borg'],
    roundsMax: 1,
    warmBytes: 4 * GIB * scale,
    steps: [
      { row: 'flat-1m-first', title: `commit ${files}`, commits: [write] },
      { row: 'flat-1m-unchanged', title: '… with nothing changed', commits: [unchanged] },
      { row: 'flat-1m-checkout', title: `check out ${files}` },
    ],
  };
}

function transferLarge({ scale }: Options): Scenario {
  const mib = Math.max(20, Math.round(512 * scale));
  const write =
    (editedPlaces: number): Change =>
    (source) =>
      writeLargeFile(source, { mib, editedPlaces, inserted: false });
  return transfer('large', `${mib} MiB`, {
    first: write(0),
    changed: write(20),
    warmBytes: 1.8 * GIB * scale,
  });
}

function transferSmall(name: string, full: number, { scale }: Options): Scenario {
  const count = Math.round(full * scale);
  const write =
    (content: 'first' | 'second'): Change =>
    (source) => {
      const only = existsSync(source) ? 'changed' : 'all';
      writeSmallFiles(source, { count, share: 0.01, only, content });
    };
  return transfer(name, `${count.toLocaleString('en')} files of 1 to 10 KiB`, {
    first: write('first'),
    changed: write('second'),
    // git-annex starts anew for every file: 20,000 take it minutes.
    tools: TRANSFER_PEERS.map((peer) => peer.name).filter((tool) => tool !== 'git-annex'),
    warmBytes: full * scale * 30_000,
  });
}

interface Transferred {
  readonly first: Change;
  /** Gives 1 % other content. */
  readonly changed: Change;
  readonly tools?: readonly string[];
  readonly warmBytes: number;
}

/** From a sender to a remote folder, and from there to a receiver: at first, changed, and when nothing is new. */
function transfer(name: string, what: string, { first, changed, ...limits }: Transferred): Scenario {
  return {
    ...limits,
    peers: TRANSFER_PEERS,
    steps: [
      { row: `push-${name}-first`, title: `push ${what} to a folder`, commits: [first] },
      { row: `clone-${name}`, title: `clone them and check out`, inPlace: true },
      { row: `push-${name}-changed`, title: '… push after 1 % changed', commits: [changed] },
      { row: `pull-${name}-changed`, title: '… pull that and check out', inPlace: true },
      { row: `push-${name}-unchanged`, title: '… push with nothing new', commits: [unchanged] },
      { row: `pull-${name}-unchanged`, title: '… pull with nothing new', inPlace: true },
    ],
  };
}
