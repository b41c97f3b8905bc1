/** Answers a shell that asks what may stand where the cursor is: quickly, or with nothing. */
import { findCandidates } from './candidates.ts';
import type { Candidate, Sources } from './candidates.ts';
import type { Host } from './run.ts';
import { resolve } from 'node:path';
import type { Repository } from '#repo';
import { inShellWord, outOfShellWord } from './shell-words.ts';
import { readTypedLine } from './typed-line.ts';
import { printable } from './text.ts';
import { globalConfigPath } from './who.ts';

/** How long to wait for whoever has the repository open. */
const WAIT_MS_MAX = 100;
/** What would move the cursor or break the line is never offered. */
const UNTYPEABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * `argv`: the shell's name, then the words after `art`, the last of them up to the cursor. Writes a candidate a line,
 * after a tab what to say beside it; a line of a tab and `files` or `folders` asks the shell for its own. Never fails.
 */
export async function complete([shell, ...typed]: readonly string[], host: Host): Promise<void> {
  const raw = typed.at(-1) ?? '';
  try {
    const found = await answer(shell === 'bash' ? typed.map(outOfShellWord) : typed, host);
    await host.stdout.write(found.map((candidate) => lineOf(candidate, shell, raw)).join(''));
  } catch {
    // No repository, a locked or a damaged one, a reader that is gone: nobody asked for an error.
  }
}

function lineOf(candidate: Candidate, shell: string, raw: string): string {
  if (typeof candidate === 'string') return `\t${candidate}\n`;
  const { word, what } = candidate;
  if (shell !== 'bash') return what === '' ? `${word}\n` : `${word}\t${printable(what)}\n`;
  const typed = inShellWord(word, raw);
  return typed === undefined ? '' : `${typed}\n`;
}

async function answer(typed: readonly string[], host: Host): Promise<readonly Candidate[]> {
  const line = await readTypedLine(typed);
  await using sources = new OpenSources(host, resolve(host.cwd(), line.folder ?? '.'));
  const found = new Map<string, Candidate>();
  for (const expected of line.expected) {
    for (const candidate of await findCandidates(expected, line, sources)) {
      if (typeof candidate === 'string') found.set(`\t${candidate}`, candidate);
      else if (candidate.word.startsWith(line.current) && !UNTYPEABLE.test(candidate.word))
        found.set(candidate.word, { ...candidate, word: line.prefix + candidate.word });
    }
  }
  return [...found.values()];
}

/** Opens the repository when it is asked for the first time. */
class OpenSources implements Sources, AsyncDisposable {
  readonly #host: Host;
  readonly #folder: string;
  #repository: Repository | undefined;

  constructor(host: Host, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  readonly vocabulary: Sources['vocabulary'] = async () => {
    const { openRepository } = await import('#repo');
    const { signal, now } = this.#host;
    this.#repository ??= await openRepository({
      author: '',
      host: '',
      command: '',
      run: null,
      now,
      folder: this.#folder,
      artifactsFolder: '.',
      waitMsMax: WAIT_MS_MAX,
      signal,
    });
    return this.#repository.vocabulary;
  };

  readonly settings: Sources['settings'] = async () => {
    const { configList, findRepository } = await import('#repo');
    const global = globalConfigPath(this.#host.env);
    try {
      return configList({ local: findRepository(this.#folder).config, global });
    } catch {
      // Outside a repository the user's own settings are all there are.
      return configList({ global });
    }
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#repository?.[Symbol.asyncDispose]();
  }
}
