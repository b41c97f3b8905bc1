/** Lists the commands; each is loaded when it is asked for, so that none pays for another's start. */
import type { Command } from './command.ts';

export interface CommandEntry {
  /** The command's own summary, for help that loads none of them. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** In the order of `art --help`. */
export const COMMANDS: ReadonlyMap<string, CommandEntry> = new Map([
  ['init', entry('Make a repository', async () => (await import('./commands/init.ts')).initCommand)],
  [
    'commit',
    entry(
      'Keep a folder or files as the next version',
      async () => (await import('./commands/commit.ts')).commitCommand,
    ),
  ],
  [
    'status',
    entry(
      'Compare bound folders with the versions they hold',
      async () => (await import('./commands/status.ts')).statusCommand,
    ),
  ],
  [
    'checkout',
    entry(
      'Make a folder hold a version',
      async () => (await import('./commands/checkout.ts')).checkoutCommand,
    ),
  ],
  [
    'download',
    entry(
      'Make a plain copy of a version',
      async () => (await import('./commands/download.ts')).downloadCommand,
    ),
  ],
  [
    'verify',
    entry(
      'Check that a folder holds exactly a version',
      async () => (await import('./commands/verify.ts')).verifyCommand,
    ),
  ],
  [
    'unbind',
    entry(
      'Take a binding away, touching no file',
      async () => (await import('./commands/unbind.ts')).unbindCommand,
    ),
  ],
  ['list', entry('List artifacts', async () => (await import('./commands/list.ts')).listCommand)],
  ['log', entry('Show versions, newest first', async () => (await import('./commands/log.ts')).logCommand)],
  [
    'show',
    entry(
      'Show all about an artifact or a version',
      async () => (await import('./commands/show.ts')).showCommand,
    ),
  ],
  ['ls', entry('List what is in a version', async () => (await import('./commands/ls.ts')).lsCommand)],
  [
    'cat',
    entry(
      'Write one file of a version to standard output',
      async () => (await import('./commands/cat.ts')).catCommand,
    ),
  ],
  [
    'diff',
    entry(
      'Show what differs between versions, or a version and its folder',
      async () => (await import('./commands/diff.ts')).diffCommand,
    ),
  ],
  [
    'alias',
    entry(
      'Put, move or remove names of versions',
      async () => (await import('./commands/alias.ts')).aliasCommand,
    ),
  ],
  ['tag', entry('Put or remove tags', async () => (await import('./commands/tag.ts')).tagCommand)],
  ['meta', entry('Read or change metadata', async () => (await import('./commands/meta.ts')).metaCommand)],
  [
    'describe',
    entry(
      'Describe an artifact or a version',
      async () => (await import('./commands/describe.ts')).describeCommand,
    ),
  ],
  [
    'rename',
    entry(
      'Rename an artifact, or change its type',
      async () => (await import('./commands/rename.ts')).renameCommand,
    ),
  ],
  ['delete', entry('Delete versions', async () => (await import('./commands/delete.ts')).deleteCommand)],
  ['undo', entry('Take an operation back', async () => (await import('./commands/undo.ts')).undoCommand)],
  ['ops', entry('List operations', async () => (await import('./commands/ops.ts')).opsCommand)],
  [
    'config',
    entry('Read and change settings', async () => (await import('./commands/config.ts')).configCommand),
  ],
  [
    'remote',
    entry(
      'Add, list, remove and check places to share through',
      async () => (await import('./commands/remote.ts')).remoteCommand,
    ),
  ],
  [
    'push',
    entry('Send versions that a remote lacks', async () => (await import('./commands/push.ts')).pushCommand),
  ],
  [
    'fetch',
    entry(
      'Bring what a remote has, and merge nothing',
      async () => (await import('./commands/fetch.ts')).fetchCommand,
    ),
  ],
  [
    'pull',
    entry(
      'Bring what a remote has, and merge it',
      async () => (await import('./commands/pull.ts')).pullCommand,
    ),
  ],
  [
    'clone',
    entry(
      'Make a repository of what a remote has',
      async () => (await import('./commands/clone.ts')).cloneCommand,
    ),
  ],
  [
    'du',
    entry(
      'Show what versions take, alone and shared',
      async () => (await import('./commands/du.ts')).duCommand,
    ),
  ],
  ['gc', entry('Free what nothing needs any more', async () => (await import('./commands/gc.ts')).gcCommand)],
  [
    'fsck',
    entry('Check everything, and mend it', async () => (await import('./commands/fsck.ts')).fsckCommand),
  ],
  [
    'completion',
    entry(
      'Print the completion script of bash, zsh or fish',
      async () => (await import('./commands/completion.ts')).completionCommand,
    ),
  ],
]);

/** Every option of any command that takes a value: `art -C data log` must not take `data` for the command. */
export const VALUE_OPTIONS: ReadonlySet<string> = new Set(
  (
    '-C -t --type -m --message -a --alias --tag --meta --meta-file --description ' +
    '--path --limit --offset --length --undo-window --add --onto --part --finish ' +
    '--endpoint --region --profile --artifact --file --unset --remote --min-age --grace --also-at --from'
  ).split(' '),
);

/** Options that take a value in one command and none in another. */
export const SOMETIMES_VALUE_OPTIONS: ReadonlySet<string> = new Set(['--remove']);

/** What other tools call it, and what it is here. */
export const KNOWN_ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['add', 'commit'],
  ['artifact', 'list'],
  ['branch', 'alias'],
  ['check', 'fsck'],
  ['create', 'init'],
  ['get', 'download'],
  ['history', 'log'],
  ['info', 'show'],
  ['prune', 'gc'],
  ['put', 'commit'],
  ['remove', 'delete'],
  ['repair', 'fsck'],
  ['restore', 'checkout'],
  ['revert', 'undo'],
  ['rm', 'delete'],
  ['save', 'commit'],
  ['switch', 'checkout'],
  ['update', 'checkout'],
  ['use', 'checkout'],
  ['versions', 'log'],
]);

/** Where the first word stands that is neither an option nor an option's value, or -1. */
export function commandIndex(argv: readonly string[]): number {
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--') return -1;
    if (VALUE_OPTIONS.has(argv[i])) i++;
    // Its value, or a word of a command where it takes none: only a command's name is neither.
    else if (SOMETIMES_VALUE_OPTIONS.has(argv[i]) && !COMMANDS.has(argv[i + 1] ?? '')) i++;
    else if (!argv[i].startsWith('-') || argv[i] === '-') return i;
  }
  return -1;
}

function entry(summary: string, load: () => Promise<Command>): CommandEntry {
  return { summary, load };
}
