/** Finds what may stand where a word is expected: live names, versions, aliases, tags, settings; or the shell's files. */
import type { Known, Vocabulary } from '#repo';
import { COMMANDS } from './commands.ts';
import type { Expected, TypedLine } from './typed-line.ts';
import { KNOWN_SETTINGS } from './settings.ts';
import { optionNames } from './words.ts';

/** `files` and `folders` are left to the shell. */
export type Candidate = Known | 'files' | 'folders';

/** Where names are looked up; opened only if it is asked. */
export interface Sources {
  vocabulary(): Promise<Vocabulary>;
  /** Every setting that is set. */
  settings(): Promise<ReadonlyMap<string, string>>;
}

type Find = (line: TypedLine, sources: Sources) => Promise<readonly Candidate[]> | readonly Candidate[];

/** Types that are offered before anything has them. */
const USUAL_TYPES = ['dataset', 'model', 'result', 'table'];

const FILES: Find = () => ['files'];
const FOLDERS: Find = () => ['folders'];
const NAMES: Find = async (_, { vocabulary }) => plain(await (await vocabulary()).artifacts());
const BOUND: Find = async (_, { vocabulary }) => (await vocabulary()).bound();
const REMOTES: Find = async (_, { vocabulary }) => (await vocabulary()).remotes();
const TYPES: Find = async (_, { vocabulary }) =>
  plain(new Set([...(await (await vocabulary()).types()), ...USUAL_TYPES]));
const TAGS: Find = async (_, { vocabulary }) => plain(await (await vocabulary()).tags());
const SETTINGS: Find = async (_, { settings }) => {
  const set = [...(await settings())].map(([word, what]) => ({ word, what }));
  const unset = [...KNOWN_SETTINGS].filter(([key]) => !set.some(({ word }) => word === key));
  return [...set, ...unset.map(([word, what]) => ({ word, what }))];
};

/** By what the usage calls the word; after the name of a command, where that means something of its own. */
const FINDS: ReadonlyMap<string, Find> = new Map<string, Find>([
  ['SPEC', specs],
  ['NAME|SPEC', specs],
  ['NAME:ALIAS', aliasSpecs],
  ['ALIAS', aliases],
  ['NAME', NAMES],
  ['status NAME', BOUND],
  ['checkout NAME', BOUND],
  ['unbind NAME', BOUND],
  ['remote NAME', REMOTES],
  ['REMOTE', REMOTES],
  ['--remote', REMOTES],
  ['--from', remoteUrls],
  ['OP', async (_, { vocabulary }) => (await vocabulary()).operations()],
  ['--part', drafts],
  ['--finish', drafts],
  ['--unset', metadataKeys],
  ['TYPE', TYPES],
  ['--type', TYPES],
  ['TAG', TAGS],
  ['--tag', TAGS],
  ['KEY', SETTINGS],
  ['DIR', FOLDERS],
  ['clone URL', FOLDERS],
  ['remote URL', FOLDERS],
  ['FILE', FILES],
  ['PATH', FILES],
  ['cat PATH', paths],
  ['ls PREFIX', paths],
  ['--path', paths],
  ['--add', FILES],
  ['--remove', pathsBelow],
  ['SHELL', () => plain(['bash', 'fish', 'zsh'])],
]);

export async function findCandidates(
  expected: Expected,
  line: TypedLine,
  sources: Sources,
): Promise<readonly Candidate[]> {
  if (expected.kind === 'command')
    return [...COMMANDS].map(([word, { summary }]) => ({ word, what: summary }));
  if (expected.kind === 'option') {
    return Object.entries(expected.options).map(([name, option]) => {
      return { word: optionNames(name, option).at(-1)!, what: option.describe };
    });
  }
  const { what, option } = expected;
  if (/^[a-z-]+$/.test(what)) return plain([what]);
  const places = option === undefined ? [`${line.command} ${what}`, what] : [`--${option}`, what];
  const find = places.map((place) => FINDS.get(place)).find((one) => one !== undefined);
  return find === undefined ? [] : find(line, sources);
}

/** Names; once one is left, or after `:` or `@`, its versions. */
async function specs({ current }: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  const vocabulary = await sources.vocabulary();
  const at = current.search(/[:@]/);
  if (at < 0) {
    const names = (await vocabulary.artifacts()).filter((name) => name.startsWith(current));
    // The second keeps the shell from ending the word: a name alone is a whole spec, and may be the start of one.
    return plain(names.length === 1 ? [names[0], `${names[0]}:`] : names);
  }
  const start = current.slice(0, at + 1);
  const name = current.slice(0, at);
  const known = current[at] === ':' ? await vocabulary.selectors(name) : await vocabulary.hashes(name);
  return known.map(({ word, what }) => ({ word: start + word, what }));
}

async function aliasSpecs({ current }: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  const vocabulary = await sources.vocabulary();
  const at = current.indexOf(':');
  if (at < 0) return plain((await vocabulary.artifacts()).map((name) => `${name}:`));
  const known = await vocabulary.aliases(current.slice(0, at));
  return known.map(({ word, what }) => ({ word: current.slice(0, at + 1) + word, what }));
}

/** Those of the artifact that was named first: most aliases are moved, not made. */
async function aliases({ words }: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  const name = nameOf(words[0]);
  if (name === undefined) return [];
  const known = await (await sources.vocabulary()).aliases(name);
  return known.filter(({ word }) => !words.slice(1).includes(word));
}

async function paths({ words, current }: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  if (words[0] === undefined) return [];
  return plain(await (await sources.vocabulary()).paths(words[0], current));
}

/** Those of the version that is built on; before that is said, of the newest one of the name. */
function pathsBelow(line: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  const onto = line.values.get('onto');
  return paths(onto === undefined ? line : { ...line, words: [onto] }, sources);
}

async function drafts({ words }: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  return words[0] === undefined ? [] : (await sources.vocabulary()).drafts(words[0]);
}

async function metadataKeys({ words }: TypedLine, sources: Sources): Promise<readonly Candidate[]> {
  return words[0] === undefined ? [] : (await sources.vocabulary()).metadataKeys(words[0]);
}

/** Remotes that are known here, and folders; one that is told from where art.toml lies is not so called elsewhere. */
async function remoteUrls(_: TypedLine, { vocabulary }: Sources): Promise<readonly Candidate[]> {
  const known = await vocabulary().then(
    (words) => words.remotes(),
    () => [],
  );
  const everywhere = known.filter(({ what }) => /^(\/|[a-z0-9+]{2,}:\/\/)/.test(what));
  return [...everywhere.map(({ word, what }) => ({ word: what, what: word })), 'folders'];
}

function nameOf(spec: string | undefined): string | undefined {
  return spec?.split(/[:@~]/)[0];
}

function plain(words: Iterable<string>): readonly Known[] {
  return [...words].map((word) => ({ word, what: '' }));
}
