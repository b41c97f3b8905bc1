/** Runs one command line: finds the command, reads its words, lets it work, and says how it ended. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ArtError, isArtError, suggest } from '#base';
import type { Repository, Setting } from '#repo';
import type { Command, Options, Values } from './command.ts';
import { COMMANDS, KNOWN_ELSEWHERE, commandIndex } from './commands.ts';
import { parseForm } from './form.ts';
import { failureOf, failureText, isReaderGone } from './failure.ts';
import { Output } from './output.ts';
import type { Pager } from './pager.ts';
import { keeperWhenNeeded } from './promise-keeper.ts';
import { ProgressLine } from './progress.ts';
import type { Sink } from './sink.ts';
import { findAuthor, globalConfigPath, hostName } from './who.ts';
import type { Environment } from './who.ts';
import { COMMON_OPTIONS, parseWords } from './words.ts';

/** The world outside, so that a test can be one. */
export interface Host {
  readonly cwd: () => string;
  readonly env: Environment;
  /** Begins to read standard input. */
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Aborted when the user wants it to stop. */
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Starts the user's pager on the terminal; absent where there can be none. */
  readonly startPager?: (env: Environment) => Promise<Pager | undefined>;
}

interface Work {
  readonly argv: readonly string[];
  readonly host: Host;
  readonly out: Output;
  readonly progress: ProgressLine;
}

/** The first word of a shell's question what may stand next; hidden, as only our own scripts ask. */
const COMPLETE = '--complete-words';
/** What is understood without a command. */
const BARE_OPTIONS = {
  ...COMMON_OPTIONS,
  version: { kind: 'switch', describe: 'Show which art this is' },
} as const satisfies Options;
const STOPPED = 'stopped; nothing was changed';
const USAGE_STATUS = 2;

/** Does what `argv` (without node and program) says; gives the exit status. Raises nothing but bugs of its own. */
export async function runCli(argv: readonly string[], host: Host): Promise<number> {
  if (argv[0] === COMPLETE) {
    const { complete } = await import('./complete.ts');
    await complete(argv.slice(1), host);
    return 0;
  }
  const work = workOf(argv, host);
  const { out, progress } = work;
  let command: Command | undefined;
  let status = 0;
  try {
    const at = commandIndex(argv);
    if (at < 0 || argv[at] === 'help') status = await help(argv, at, out);
    else {
      command = await loadCommand(argv[at]);
      status = await runCommand(command, argv[at], [...argv.slice(0, at), ...argv.slice(at + 1)], work);
    }
    progress.clear();
    await out.end();
    return status;
  } catch (error) {
    progress.clear();
    return isReaderGone(error) ? status : fail(error, command, work);
  }
}

// Before the words are read properly: an error in them is to be told in the form that was asked for.
function workOf(argv: readonly string[], host: Host): Work {
  const { stdout, stderr, env, signal } = host;
  const end = argv.indexOf('--');
  const options = end < 0 ? argv : argv.slice(0, end);
  const color = !env['NO_COLOR'] && !isDumb(env);
  const progress = new ProgressLine(stderr, host.now);
  const out = new Output({
    ...{ stdout, stderr, json: options.includes('--json'), quiet: false, color, signal },
    beforeWrite: () => progress.clear(),
  });
  return { argv, host, out, progress };
}

/** Whether the terminal knows no colours and cannot go back in a line. */
function isDumb(env: Environment): boolean {
  return env['TERM'] === 'dumb';
}

async function fail(error: unknown, command: Command | undefined, { host, out }: Work): Promise<number> {
  const { env, stderr } = host;
  const failure = failureOf(error, command?.stopped ?? STOPPED, command?.usage[0].split(' ')[0]);
  const debug = Boolean(env['ART_DEBUG']);
  // A document that was begun cannot become another one: then the lines for people say what broke it off.
  const asDocument = out.json && !out.begun;
  try {
    out.discard();
    if (asDocument) out.document({ error: failure, ...doneOf(error) });
    await out.end();
    if (!asDocument || debug) await stderr.write(failureText(failure, error, out, { debug }));
  } catch (unheard) {
    if (!isReaderGone(unheard)) throw unheard;
  }
  return failure.exit;
}

/** What went through all the same, beside what did not. */
function doneOf(error: unknown): { readonly done?: object } {
  return isArtError(error) && error.done !== undefined ? { done: error.done } : {};
}

async function loadCommand(name: string): Promise<Command> {
  const entry = COMMANDS.get(name);
  if (entry !== undefined) return entry.load();
  const elsewhere = KNOWN_ELSEWHERE.get(name);
  const meant =
    elsewhere !== undefined && COMMANDS.has(elsewhere) ? elsewhere : suggest(name, COMMANDS.keys());
  const hint = meant === undefined ? 'See `art --help`.' : `Did you mean \`art ${meant}\`?`;
  throw new ArtError('USAGE', `unknown command ${JSON.stringify(name)}`, { hint });
}

// Asked for, help is a result; instead of a command that is missing, it is not.
async function help(argv: readonly string[], at: number, out: Output): Promise<number> {
  const bare = at < 0 ? parseWords(argv, BARE_OPTIONS, 'See `art --help`.').values : undefined;
  if (bare?.version) {
    const { artVersion } = await import('./version.ts');
    if (out.json) out.document({ version: artVersion() });
    else await out.line(`art ${artVersion()}`);
    return 0;
  }
  const { commandHelp, generalHelp } = await import('./help.ts');
  if (argv.length === 0) {
    out.note(generalHelp());
    return USAGE_STATUS;
  }
  if (bare?.help === false) throw new ArtError('USAGE', 'there is no command');
  const topic = at < 0 ? undefined : argv.slice(at + 1).find((word) => !word.startsWith('-'));
  return tellHelp(topic === undefined ? generalHelp() : commandHelp(await loadCommand(topic)), out);
}

async function tellHelp(text: string, out: Output): Promise<number> {
  if (out.json) throw new ArtError('USAGE', 'help is for people, so it has no --json');
  await out.line(text);
  return 0;
}

async function runCommand(
  command: Command,
  name: string,
  args: readonly string[],
  work: Work,
): Promise<number> {
  const { host, out } = work;
  const hint = `See \`art ${name} --help\`.`;
  const options: Options = { ...command.options, ...COMMON_OPTIONS };
  const { words, values } = parseWords(args, options, hint);
  const common = values as Values<typeof COMMON_OPTIONS>;
  if (common.help) {
    const { commandHelp } = await import('./help.ts');
    return tellHelp(commandHelp(command), out);
  }
  out.quiet = common.quiet;
  checkWords(words, command, hint);
  const folder = workFolder(host.cwd(), common.C);
  const globalConfig = globalConfigPath(host.env);
  try {
    const open = ({ signed = false, at = folder } = {}) => openAt(at, globalConfig, work, { signed });
    const status = await command.run({
      words,
      options: values,
      out,
      folder,
      globalConfig,
      now: host.now,
      stdin: host.stdin,
      env: host.env,
      page: () => usePager(work),
      setting: () => settingOf(folder, '', work),
      open,
    });
    return status ?? 0;
  } finally {
    // The command has closed its repository: there is nothing left to let go of.
    out.whenBlocked = undefined;
  }
}

function usePager({ host, out, progress }: Work): void {
  const { startPager, env } = host;
  if (startPager === undefined) return;
  out.page(async () => {
    const pager = await startPager(env);
    // Two cannot write to one screen.
    if (pager !== undefined) progress.end();
    return pager;
  });
}

async function openAt(
  folder: string,
  globalConfig: string,
  work: Work,
  { signed }: { readonly signed: boolean },
): Promise<Repository> {
  const { configGet, findRepository, openRepository } = await import('#repo');
  const configured = () => configGet({ local: findRepository(folder).config, global: globalConfig }, 'user');
  // Only what carries the name pays for finding it out.
  const author = signed ? findAuthor(work.host.env, folder, configured) : '';
  const repository = await openRepository(
    settingOf(folder, author, work),
    keeperWhenNeeded({ env: work.host.env, now: work.host.now }),
  );
  work.out.whenBlocked = () => repository.rest();
  return repository;
}

function settingOf(folder: string, author: string, { argv, host, out, progress }: Work): Setting {
  return {
    author,
    host: hostName(),
    command: ['art', ...argv.map(quoted)].join(' '),
    run: host.env['ART_RUN'] || null,
    now: host.now,
    folder,
    artifactsFolder: host.env['ART_ARTIFACTS_DIR'] || 'artifacts',
    signal: host.signal,
    ...(!out.quiet && !isDumb(host.env) && { onProgress: (done) => progress.show(done) }),
    onAlert: (text) => {
      progress.clear();
      out.alert(text);
    },
    onWarning: (text) => out.warn(text),
  };
}

function checkWords(words: readonly string[], command: Command, hint: string): void {
  const [fewest, most] = command.words;
  if (words.length > most)
    throw new ArtError('USAGE', `unexpected word ${JSON.stringify(words[most])}`, { hint });
  if (words.length >= fewest) return;
  const { words: expected } = parseForm(command.usage[0], command.options);
  const { what = 'a word' } = expected[words.length] ?? {};
  throw new ArtError('USAGE', `${what} is missing: art ${command.usage[0]}`, { hint });
}

function workFolder(cwd: string, directory: string | undefined): string {
  if (directory === undefined) return cwd;
  const folder = resolve(cwd, directory);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new ArtError('PATH_NOT_FOUND', `there is no folder ${JSON.stringify(folder)}`);
}

/** A word as a shell would need it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
