/** Reads and writes version specs: how people point at one version of an artifact. */
import { ArtError } from '#base';
import { CHUNK_CID_START, HASH_PREFIX_LENGTH_MIN, NODE_CID_START, isHashText } from '#object';
import { LATEST, parseAlias, parseArtifactName, parseRemoteName } from './names.ts';
import type { Alias, ArtifactName } from './names.ts';

export type Selector =
  | { readonly by: 'latest' }
  | { readonly by: 'number'; readonly number: number }
  /** With `origin`, the alias as the remote of that name had it when last fetched. */
  | { readonly by: 'alias'; readonly alias: Alias; readonly origin?: string }
  /** `hash` is in lower case: at least 4 hex characters of the digest, or a CID or CID prefix longer than `bafyr4i`. */
  | { readonly by: 'hash'; readonly hash: string };

export interface VersionSpec {
  readonly name: ArtifactName;
  readonly selector: Selector;
  /** `~N`: so many live versions before the selected one. */
  readonly back: number;
}

/** What a form NAME|SPEC points at: a bare name is the whole artifact. */
export type Target =
  | { readonly kind: 'artifact'; readonly name: ArtifactName }
  | { readonly kind: 'version'; readonly spec: VersionSpec };

type Refuse = (why: string, hint?: string) => ArtError;

/**
 * Parses `name`, `name:v3`, `name:alias`, `name:ORIGIN/alias` or `name@HASH`, each with an optional `~N`.
 * Raises SPEC_INVALID for the form, NAME_INVALID for a name or alias that nobody could have given.
 */
export function parseSpec(text: string): VersionSpec {
  const refuse: Refuse = (why, hint) => {
    const message = `${JSON.stringify(text)} is no version: ${why}`;
    return new ArtError('SPEC_INVALID', message, hint === undefined ? {} : { hint });
  };
  const tilde = text.indexOf('~');
  const body = tilde < 0 ? text : text.slice(0, tilde);
  const back = tilde < 0 ? 0 : wholeNumber(text.slice(tilde + 1));
  if (back === undefined) throw refuse('after "~" stands how many versions to go back');
  const split = body.search(/[:@]/);
  if (split < 0) return { name: nameIn(body, refuse), selector: { by: 'latest' }, back };
  const name = nameIn(body.slice(0, split), refuse);
  const rest = body.slice(split + 1);
  if (rest === '') throw refuse(`nothing stands after "${body[split]}"`);
  return { name, selector: body[split] === '@' ? parseHash(rest, refuse) : parseMovable(rest, refuse), back };
}

/** Parses what a form NAME|SPEC takes: a bare name is the artifact, anything more is a version. */
export function parseTarget(text: string): Target {
  const spec = parseSpec(text);
  return spec.name.length === text.length ? { kind: 'artifact', name: spec.name } : { kind: 'version', spec };
}

/** Writes a spec so that `parseSpec` gives it back; `name:latest` for the newest, so that it never means the artifact. */
export function formatSpec(spec: VersionSpec): string {
  return `${spec.name}${formatSelector(spec.selector)}${spec.back === 0 ? '' : `~${spec.back}`}`;
}

function formatSelector(selector: Selector): string {
  switch (selector.by) {
    case 'latest':
      return `:${LATEST}`;
    case 'number':
      return `:v${selector.number}`;
    case 'alias':
      return `:${selector.origin === undefined ? '' : `${selector.origin}/`}${selector.alias}`;
    case 'hash':
      return `@${selector.hash}`;
  }
}

function nameIn(text: string, refuse: Refuse): ArtifactName {
  if (text === '') throw refuse('it names no artifact');
  // A name that could not be given is no reason to propose one: what stands here is to be found.
  const [, name, version] = /^([\w.-]+)\/([^/]+)$/.exec(text) ?? [];
  if (name !== undefined) throw refuse('a version stands after ":"', `Did you mean "${name}:${version}"?`);
  return parseArtifactName(text);
}

function parseMovable(text: string, refuse: Refuse): Selector {
  if (text === LATEST) return { by: 'latest' };
  const number = /^v\d+$/i.test(text) ? wholeNumber(text.slice(1)) : null;
  if (number === undefined) throw refuse('no version number is that large');
  if (number !== null) return { by: 'number', number };
  const slash = text.indexOf('/');
  if (slash < 0) return { by: 'alias', alias: parseAlias(text) };
  const origin = parseRemoteName(text.slice(0, slash));
  const seen = text.slice(slash + 1);
  // What a remote calls its newest is a fact one may ask for, though nobody sets it by hand.
  return { by: 'alias', alias: seen === LATEST ? (seen as Alias) : parseAlias(seen), origin };
}

function parseHash(text: string, refuse: Refuse): Selector {
  const hash = text.toLowerCase();
  // A chunk's CID is a hash too, but never a version's.
  if (isHashText(hash) && !hash.startsWith(CHUNK_CID_START)) return { by: 'hash', hash };
  throw refuse(
    `a hash is ${HASH_PREFIX_LENGTH_MIN} to 64 hex characters, or a CID longer than its constant start "${NODE_CID_START}"`,
  );
}

function wholeNumber(text: string): number | undefined {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
