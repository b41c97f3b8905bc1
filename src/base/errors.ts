/** Names every operating error once: its code, its exit status and what the user can do about it. */

interface ErrorKind {
  readonly exit: 1 | 2 | 3 | 4 | 5 | 6 | 130;
  readonly hint?: string;
}

/** The catalogue. A code is an API and never changes its meaning; a message may be reworded. */
export const ERRORS = {
  // 1: it failed
  DISK_FULL: { exit: 1, hint: 'Free some space and run the same command again; nothing is stored twice.' },
  FILE_CHANGED: { exit: 1, hint: 'Stop whatever is writing the file, then commit again.' },
  FILE_UNREADABLE: { exit: 1, hint: 'Make it readable, or name it in .artignore.' },
  FILE_UNSUPPORTED: { exit: 1, hint: 'Name it in .artignore, or move it elsewhere.' },
  FOLDER_UNWRITABLE: { exit: 1, hint: 'Check owner, permissions and whether the disk is mounted read-only.' },
  IO_FAILED: { exit: 1, hint: 'The system refused it; look at the disk, then run the command again.' },
  PATH_INVALID_UTF8: { exit: 1, hint: 'Rename it to valid UTF-8, or name its folder in .artignore.' },
  REPOSITORY_NESTED: { exit: 1, hint: 'Use --nested to make one here all the same.' },
  REMOTE_CLOCK: { exit: 1, hint: 'Set the clock of this machine, then run the command again.' },
  REMOTE_DENIED: { exit: 1, hint: 'Check the credentials and what they permit.' },
  REMOTE_FAILED: { exit: 1, hint: 'Run the command again; if it stays so, ask whoever runs the remote.' },
  REMOTE_UNCERTAIN: { exit: 1, hint: 'Run the command again; nothing is sent twice.' },
  REMOTE_UNSHARED: {
    exit: 1,
    hint: 'Such a store is for one writer alone; `art remote check` says what it lacks.',
  },
  REMOTE_UNREACHABLE: { exit: 1, hint: 'Check the address and the network, then run the command again.' },
  REMOTE_TOO_NEW: { exit: 1, hint: 'Install a newer art.' },
  REPOSITORY_TOO_NEW: { exit: 1, hint: 'Install a newer art, or use the one that made this repository.' },
  // 2: it was asked wrongly
  USAGE: { exit: 2, hint: 'See `art --help`.' },
  NAME_INVALID: { exit: 2, hint: 'Choose another name.' },
  METADATA_INVALID: { exit: 2, hint: 'Metadata holds what JSON can say, at most 1 MiB of it.' },
  SPEC_INVALID: {
    exit: 2,
    hint: 'Write NAME, NAME:v3, NAME:ALIAS or NAME@HASH, then ~N for N versions before it.',
  },
  HASH_AMBIGUOUS: { exit: 2, hint: 'Give more characters of the hash.' },
  CONFIG_INVALID: { exit: 2, hint: 'Mend it in an editor, or take an older one out of Git.' },
  REMOTE_URL_INVALID: { exit: 2, hint: 'Give the path of a folder, file:///PATH or s3://BUCKET/PREFIX.' },
  DESCRIPTION_INVALID: { exit: 2, hint: 'Keep longer texts in a file of the version.' },
  DELETE_UNCLEAR: { exit: 2 },
  UNDO_UNCLEAR: { exit: 2, hint: '`art ops` lists the operations; name the one to take back.' },
  NOTHING_BOUND: { exit: 2, hint: 'Name an artifact and a path: `art commit NAME PATH`.' },
  REMOTE_UNSAID: { exit: 2, hint: 'Name one: `art push REMOTE`; `art remote list` shows them.' },
  // 3: it is not there
  REPOSITORY_NOT_FOUND: { exit: 3, hint: 'Run `art init` in the folder that should hold it.' },
  ARTIFACT_NOT_FOUND: { exit: 3, hint: '`art list` shows what there is.' },
  VERSION_NOT_FOUND: { exit: 3, hint: '`art log` shows the versions there are.' },
  ALIAS_NOT_FOUND: { exit: 3, hint: '`art show NAME` lists its aliases.' },
  ENTRY_NOT_FOUND: { exit: 3, hint: '`art ls SPEC` lists the paths in a version.' },
  PATH_NOT_FOUND: {
    exit: 3,
    hint: 'Look for a slip in the path; it is read from the current folder, or that of -C.',
  },
  BINDING_NOT_FOUND: { exit: 3, hint: '`art status` lists the bound folders.' },
  BUCKET_NOT_FOUND: { exit: 3, hint: 'Check the address of the remote: `art remote list`.' },
  OBJECT_NOT_FOUND: { exit: 3, hint: 'Run `art fsck` to learn what is missing.' },
  DRAFT_NOT_FOUND: { exit: 3, hint: 'A first `art commit NAME --part ID --add …` begins one.' },
  REMOTE_NOT_FOUND: { exit: 3, hint: '`art remote list` shows the remotes there are.' },
  REMOTE_EMPTY: { exit: 3, hint: 'Push to it first, or check the address.' },
  OPERATION_NOT_FOUND: { exit: 3, hint: '`art ops` lists the operations there are.' },
  UNDO_GONE: { exit: 3, hint: 'What undo needs is kept for 30 days, or as `art gc --undo-window` said.' },
  METADATA_KEY_NOT_FOUND: { exit: 3, hint: '`art meta SPEC` shows what there is.' },
  CONFIG_NOT_FOUND: { exit: 3, hint: '`art config` lists what is set.' },
  // 4: data is damaged
  OBJECT_CORRUPT: {
    exit: 4,
    hint: 'Run `art fsck --deep` to learn how far it goes, `art fsck --repair` to mend it.',
  },
  OBJECT_INVALID: { exit: 4, hint: 'It was not written by art, or by a newer one.' },
  PACK_CORRUPT: {
    exit: 4,
    hint: 'Run `art fsck --deep` to learn how far it goes, `art fsck --repair` to mend it.',
  },
  STORE_DAMAGED: { exit: 4, hint: 'Run `art fsck --repair`: it rebuilds the database from the packs.' },
  TREE_UNSAFE: { exit: 4, hint: 'Nothing was written. Ask whoever made this version.' },
  PROMISE_BROKEN: {
    exit: 4,
    hint: 'Bring it from somebody who has it: their `art push` to that remote, or `art pull` from another one.',
  },
  REMOTE_CORRUPT: {
    exit: 4,
    hint: 'Nothing of it was kept. Whoever still has these versions mends it: `art remote check` it, then `art push`; or push to a new place.',
  },
  // 5: two things do not agree
  UNCOMMITTED_CHANGES: { exit: 5, hint: 'Commit them first, or use --force to overwrite them.' },
  TYPE_MISMATCH: { exit: 5, hint: 'Leave -t away, or commit under another name.' },
  NAME_TAKEN: { exit: 5, hint: 'Choose a name that differs by more than case.' },
  BINDING_CONFLICT: { exit: 5, hint: 'Use --no-bind, or `art unbind` the other one first.' },
  BOUND_PATH_GONE: {
    exit: 5,
    hint: 'Use `art checkout NAME` to bring it back, or --allow-empty to commit it as empty.',
  },
  CHECKOUT_UNFINISHED: { exit: 5, hint: 'Run the checkout again, then commit.' },
  PATH_TAKEN: { exit: 5, hint: 'Use --overwrite to replace what is there.' },
  PARTIAL_FOLDER: { exit: 5 },
  DRAFT_FINISHED: { exit: 5, hint: 'Give the next draft another ID.' },
  DRAFT_CONFLICT: { exit: 5, hint: 'Leave --onto away, or give this draft another ID.' },
  ALIAS_CONFLICT: { exit: 5 },
  DELETE_CONFLICT: { exit: 5 },
  NUMBERS_DIVERGED: {
    exit: 5,
    hint: 'A number that a remote knows never changes. Commit what only you have under another name, and push that.',
  },
  REPOSITORY_EXISTS: { exit: 5, hint: 'Choose another folder, or run `art pull` in that one.' },
  REMOTE_NEEDED: { exit: 5, hint: 'Bring all of it here first: `art pull REMOTE --no-lazy`.' },
  REMOTE_EXISTS: { exit: 5, hint: 'Choose another name, or `art remote remove` that one first.' },
  REMOTE_NOT_ART: { exit: 5, hint: 'Choose an empty place: nothing there was touched.' },
  REMOTE_REPLACED: {
    exit: 5,
    hint: 'Mount or name the bucket that was there. If another one is meant: `art remote remove` it, add it again, then pull and push.',
  },
  REMOTE_REWRITTEN: {
    exit: 5,
    hint: 'If that was meant: `art remote remove` it, add it again, and pull; versions only you have get new numbers.',
  },
  VERSION_NAMED: {
    exit: 5,
    hint: 'Use --force to delete it with its aliases, or --except-aliased to leave such versions.',
  },
  UNDO_REFUSED: { exit: 5, hint: 'Take back what came later first; `art ops` lists it.' },
  REF_MOVED: { exit: 5, hint: 'Run the command again.' },
  REUSED_GONE: { exit: 5, hint: 'Run the command again.' },
  // 6: somebody else is at it
  LOCKED: { exit: 6, hint: 'Wait for it to end. If its host is gone for good: `art fsck --break-lock`.' },
  // 130: the user stopped it
  // No hint: its message says what is true now, and the user knows why.
  INTERRUPTED: { exit: 130 },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** An operating error: expected, named, meant for the user. A bug is a plain Error instead. */
export class ArtError extends Error {
  override readonly name = 'ArtError';
  readonly code: ErrorCode;
  readonly exit: number;
  readonly hint: string | undefined;
  /** What was done all the same: the result of the parts that went through. */
  readonly done: object | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly hint?: string; readonly done?: object | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const kind: ErrorKind = ERRORS[code];
    this.code = code;
    this.exit = kind.exit;
    this.hint = options.hint ?? kind.hint;
    this.done = options.done;
  }
}

/** Tells whether `error` is an operating error with this code. */
export function isArtError(error: unknown, code?: ErrorCode): error is ArtError {
  return error instanceof ArtError && (code === undefined || error.code === code);
}

/** The system's error code (`ENOENT`, `EACCES`, …) of an error raised by node:fs, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code: unknown = (error as NodeJS.ErrnoException).code;
  // An assertion of a caller's own has a code, too, and is nothing that the system said.
  return typeof code === 'string' && code !== 'ERR_ASSERTION' ? code : undefined;
}

/** Turns a failure of node:fs on `path` into the operating error it means; passes anything else through. */
export function fileError(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (error instanceof ArtError || errno === undefined) return error;
  const shown = JSON.stringify(path);
  if (errno === 'ENOSPC' || errno === 'EDQUOT')
    return new ArtError('DISK_FULL', `no space left to write ${shown}`, { cause: error });
  if (errno === 'EACCES' || errno === 'EPERM' || errno === 'EROFS') {
    return new ArtError('FOLDER_UNWRITABLE', `not permitted: ${shown} (${errno})`, { cause: error });
  }
  if (errno === 'ENOENT') return new ArtError('PATH_NOT_FOUND', `${shown} does not exist`, { cause: error });
  return new ArtError('IO_FAILED', `${shown}: ${(error as Error).message}`, { cause: error });
}
