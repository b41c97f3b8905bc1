/** Says what a commit is asked for, and what it answers. */
import type { Metadata } from '#object';

export interface CommitRequest {
  /** Absent: every bound artifact that changed. */
  readonly name?: string;
  /** Relative to the context's folder. Absent: the bound path. */
  readonly paths?: readonly string[];
  /** Puts a version together from parts instead: these are added... */
  readonly add?: readonly Addition[];
  /** ...after these files and folders were taken out... */
  readonly remove?: readonly string[];
  /** ...of the version that this spec names. Absent: it begins empty. */
  readonly onto?: string;
  /** Files that are there with other content give way. */
  readonly overwrite?: boolean;
  /** Adds to the draft of this ID, which nobody sees, and makes no version. */
  readonly part?: string;
  /** Makes the draft of this ID a version, once. */
  readonly finish?: string;
  readonly type?: string;
  readonly message?: string;
  readonly aliases?: readonly string[];
  readonly tags?: readonly string[];
  readonly metadata?: Metadata;
  readonly description?: string;
  /** Absent: the first commit of one folder inside the work tree, outside runs. */
  readonly bind?: boolean;
  readonly allowEmpty?: boolean;
  readonly dryRun?: boolean;
}

/**
 * A file or folder to add. `dest` is where it goes: a path; a folder if it ends in a slash, into which a file goes under
 * its own name; `.` for a folder whose contents become the root. Without it everything goes under its own name.
 */
export type Addition =
  | {
      /** Relative to the context's folder. */
      readonly path: string;
      readonly dest?: string;
    }
  | {
      readonly content: AsyncIterable<Uint8Array>;
      readonly dest: string;
    };

export interface CommitResult {
  readonly name: string;
  /** Null for a part of a draft, which is no version yet. */
  readonly version: string | null;
  readonly cid: string | null;
  readonly tree: string;
  readonly created: boolean;
  /** The version it was made from, if there was one. */
  readonly base: string | null;
  /** How many versions are newer than that one. */
  readonly behind: number;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of content that the store did not have. */
  readonly newBytes: number;
  /** What they take on disk. */
  readonly storedBytes: number;
  readonly aliases: readonly string[];
}
