/** Carries what every operation of a repository needs, composed once. */
import { hash } from '#object';
import { toHex, utf8 } from '#base';
import { join } from 'node:path';
import type { LevelStore, ObjectStore } from '#store';
import type { Layout } from './layout.ts';
import type { Promises } from './promises.ts';
import type { Progress } from '#worktree';

/** Where an operation comes from, and how it is watched. */
export interface Setting {
  /** Who does it, as commits and the operation log say. */
  readonly author: string;
  readonly host: string;
  /** The command as typed. */
  readonly command: string;
  /** The id of the run it happens in. */
  readonly run: string | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Given paths are relative to this. */
  readonly folder: string;
  /** Where artifacts go that are bound nowhere; relative to `folder`. */
  readonly artifactsFolder: string;
  /** How long to wait for a process that has the repository open; by default 60 s. */
  readonly waitMsMax?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Told at once, before long work, what a person may rather stop for. */
  readonly onAlert?: (text: string) => void;
  /** Told things that are no failure and that a person should know. */
  readonly onWarning?: (text: string) => void;
}

export interface Context extends Layout, Setting {
  /** Where operations read and write: what it lacks and a remote has promised, it brings. */
  readonly store: ObjectStore;
}

/** What there is of a repository on this machine. */
export interface RepositoryContext extends Context {
  /** The store on disk alone: nothing is brought. */
  readonly disk: LevelStore;
  readonly promises: Promises;
}

/** The stat cache of what was scanned together: one folder, or several paths. */
export function statCacheOf({ stat }: Layout, paths: readonly string[]): string {
  return join(stat, toHex(hash(utf8(paths.join('\0')))).slice(0, 32));
}

/** The options by which a walk over objects is watched. */
export function watchedWalk({ signal, onProgress }: Setting): {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: { readonly objects: number }) => void;
} {
  return {
    ...(signal && { signal }),
    ...(onProgress && {
      onProgress: ({ objects }) => onProgress({ files: objects, bytes: 0, what: 'object' }),
    }),
  };
}

/** The options by which long work is watched. */
export function watched({ signal, onProgress }: Setting): {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
} {
  return { ...(signal && { signal }), ...(onProgress && { onProgress }) };
}
