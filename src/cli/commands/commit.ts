/** `art commit`: keeps folders and files as versions. */
import { ArtError, errnoOf, formatBytes, formatCount, isArtError } from '#base';
import type { Addition, CommitResult } from '#repo';
import { defineCommand } from '../command.ts';
import { parseDestPath } from '../dest.ts';
import { readMetadata } from '../metadata.ts';
import type { Output } from '../output.ts';

export const commitCommand = defineCommand({
  usage: [
    'commit NAME [PATH...] [-t TYPE] [-m TEXT] [-a ALIAS]... [--tag T]... [--meta K=V]... [OPTIONS]',
    'commit [-m TEXT] [--dry-run]',
    'commit NAME [--onto SPEC] --add [DEST=]PATH... [--remove DEST]... [--overwrite] [OPTIONS]',
    'commit NAME --part ID [--onto SPEC] --add [DEST=]PATH...',
    'commit NAME --finish ID [OPTIONS]',
  ],
  summary: 'Keep a folder or files as the next version',
  words: [0, Infinity],
  options: {
    type: {
      kind: 'text',
      short: 't',
      value: 'TYPE',
      given: 'once',
      describe: 'Type of a new artifact (default: dataset)',
    },
    message: {
      kind: 'text',
      short: 'm',
      value: 'TEXT',
      given: 'paragraphs',
      mayBeEmpty: true,
      describe: 'What changed; given again, another paragraph',
    },
    alias: {
      kind: 'text',
      short: 'a',
      value: 'ALIAS',
      given: 'list',
      describe: 'Let ALIAS name this version',
    },
    tag: { kind: 'text', value: 'TAG', given: 'list', describe: 'Label this version' },
    meta: {
      kind: 'text',
      value: 'K=V',
      given: 'list',
      describe: 'Metadata; V is JSON if it reads as such, else text',
    },
    'meta-file': {
      kind: 'text',
      value: 'FILE',
      given: 'once',
      describe: 'Metadata from a file with one JSON object',
    },
    description: {
      kind: 'text',
      value: 'TEXT',
      given: 'once',
      mayBeEmpty: true,
      describe: 'Describe the version (Markdown)',
    },
    add: {
      kind: 'text',
      value: '[DEST=]PATH',
      given: 'list',
      describe: 'Put the version together: add PATH (- is stdin) at DEST',
    },
    onto: { kind: 'text', value: 'SPEC', given: 'once', describe: 'Begin with this version, not empty' },
    remove: { kind: 'text', value: 'DEST', given: 'list', describe: 'Take a file or folder out before' },
    overwrite: { kind: 'switch', describe: 'Let what is added replace what is there' },
    part: { kind: 'text', value: 'ID', given: 'once', describe: 'Add to the draft ID, which nobody sees' },
    finish: { kind: 'text', value: 'ID', given: 'once', describe: 'Make the draft ID a version, once' },
    bind: { kind: 'switch', describe: 'Bind NAME to PATH in art.toml' },
    'no-bind': { kind: 'switch', describe: 'Bind nothing' },
    'allow-empty': { kind: 'switch', describe: 'Commit a bound folder that is gone or empty' },
    'dry-run': { kind: 'switch', describe: 'Only say what would be committed' },
  },
  examples: [
    ['art commit cifar data/cifar -m "first import"', 'the first version: binds cifar to the folder'],
    ['art commit', 'the next version of every bound artifact that changed'],
    ['art commit model out/model.pt -t model -a best --meta acc=0.93', 'one file, an alias and metadata'],
    ['art commit cifar --onto cifar --add test/new.csv=new.csv', 'one file more, nothing checked out'],
  ],
  stopped: 'stopped; no version was made. What was stored already is not stored again by the next commit',
  async run({ words, options, out, folder, stdin, open }) {
    const [name, ...paths] = words;
    if (options.bind && options['no-bind'])
      throw new ArtError('USAGE', 'one of --bind and --no-bind, not both');
    if (name === undefined) refuseDetails(options);
    const metadata = readMetadata(options.meta, options['meta-file'], folder);
    const add = additionsOf(options.add, stdin);
    const binds = options.bind ? true : options['no-bind'] ? false : undefined;
    const results: CommitResult[] = [];
    {
      await using repository = await open({ signed: true });
      const made = await repository.commit({
        ...(name !== undefined && { name }),
        ...(paths.length > 0 && { paths }),
        ...(add.length > 0 && { add }),
        ...(options.remove.length > 0 && { remove: options.remove }),
        ...(options.onto !== undefined && { onto: options.onto }),
        ...(options.overwrite && { overwrite: true }),
        ...(options.part !== undefined && { part: options.part }),
        ...(options.finish !== undefined && { finish: options.finish }),
        ...(options.type !== undefined && { type: options.type }),
        ...(options.message !== undefined && { message: options.message }),
        ...(options.alias.length > 0 && { aliases: options.alias }),
        ...(options.tag.length > 0 && { tags: options.tag }),
        ...(metadata !== undefined && { metadata }),
        ...(options.description !== undefined && { description: options.description }),
        ...(binds !== undefined && { bind: binds }),
        allowEmpty: options['allow-empty'],
        dryRun: options['dry-run'],
      });
      results.push(...made);
    }
    for (const result of results) warnIfBehind(result, out);
    if (out.json) return out.document(results);
    for (const result of results)
      out.say(
        result.version === null
          ? partText(result, options.part!, { dryRun: options['dry-run'] })
          : resultText(result, options),
      );
  },
});

/** PATH `-` is standard input, which can be read once. */
function additionsOf(words: readonly string[], stdin: () => AsyncIterable<Uint8Array>): Addition[] {
  const given = words.map(parseDestPath);
  const streams = given.filter(({ path }) => path === '-');
  if (streams.length > 1) throw new ArtError('USAGE', 'standard input (-) can be added only once');
  return given.map(({ dest, path }) => {
    if (path !== '-') return dest === undefined ? { path } : { path, dest };
    if (dest === undefined || dest === '.' || dest.endsWith('/'))
      throw new ArtError('USAGE', 'standard input (-) needs a name: --add DEST=-', {
        hint: 'A file called "-" is ./-',
      });
    return { content: readingStdin(stdin()), dest };
  });
}

async function* readingStdin(stream: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined || isArtError(error)) throw error;
    throw new ArtError('FILE_UNREADABLE', `cannot read standard input (${errno})`, {
      cause: error,
      hint: 'Give it a file or a pipe.',
    });
  }
}

/** Without NAME every bound artifact is committed: what is meant for one of them cannot be meant for all. */
function refuseDetails(options: Readonly<Record<string, unknown>>): void {
  const shared = new Set(['message', 'dry-run', 'quiet', 'json', 'help', 'C']);
  for (const [option, value] of Object.entries(options)) {
    const given = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
    if (given && !shared.has(option))
      throw new ArtError('USAGE', `--${option} needs the NAME of the artifact it is for`);
  }
}

function warnIfBehind({ created, name, base, behind }: CommitResult, out: Output): void {
  if (!created || behind === 0 || base === null) return;
  const latest = Number(base.slice(1)) + behind;
  out.warn(`latest of ${name} was v${latest}, you started from ${base}`);
}

/** `3 files, 1.2 MiB are now in the draft "run7" of d; --finish run7 makes it a version`. */
function partText(
  { name, files, bytes }: CommitResult,
  id: string,
  { dryRun }: { readonly dryRun: boolean },
): string {
  const verb = dryRun ? 'would be in' : 'are now in';
  return `${formatCount(files, 'file')}, ${formatBytes(bytes)} ${verb} the draft "${id}" of ${name}; --finish ${id} makes it a version`;
}

interface Said {
  readonly 'dry-run': boolean;
  readonly alias: readonly string[];
  readonly tag: readonly string[];
  readonly meta: readonly string[];
  readonly 'meta-file'?: string | undefined;
  readonly message?: string | undefined;
  readonly description?: string | undefined;
  readonly finish?: string | undefined;
}

function resultText(result: CommitResult, said: Said): string {
  const { name, version, created, files, bytes, newBytes, storedBytes, aliases } = result;
  const named = aliases.filter((alias) => alias !== 'latest' && (created || said.alias.includes(alias)));
  const also = named.length === 0 ? '' : `, also ${named.join(', ')}`;
  if (!created) return `${name} is unchanged since ${version}${also}${keptText(said)}`;
  const content = `${formatCount(files, 'file')}, ${formatBytes(bytes)}`;
  // What a draft holds was stored with its parts.
  if (said.finish !== undefined)
    return `${said['dry-run'] ? 'would commit' : 'committed'} ${name}:${version} (${content})${also}`;
  if (said['dry-run'])
    return `would commit ${name}:${version} (${content}; ${formatBytes(newBytes)} new)${also}`;
  return `committed ${name}:${version} (${content}; ${formatBytes(newBytes)} new, ${formatBytes(storedBytes)} on disk)${also}`;
}

/** What became of all that was said of a version that there was already: a message belongs to it for good. */
function keptText(said: Said): string {
  const kept = [
    ...(said.tag.length > 0 ? ['tags'] : []),
    ...(said.meta.length > 0 || said['meta-file'] !== undefined ? ['metadata'] : []),
    ...(said.description !== undefined ? ['description'] : []),
  ];
  const given = kept.length === 0 ? '' : `; ${kept.join(', ')} ${said['dry-run'] ? 'would be set' : 'set'}`;
  return said.message === undefined ? given : `${given}; its message stays as it was`;
}
