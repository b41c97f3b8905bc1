/** Decides which names people may give to artifacts, aliases, tags and types. */
import { ArtError } from '#base';

declare const brand: unique symbol;

/** Names an artifact: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`, not ending in `.` or `.lock`. */
export type ArtifactName = string & { readonly [brand]: 'ArtifactName' };
/** Names one version of an artifact, movably: 1 to 128 characters, none of `/ : @ = , ~ ^`, blank or control, not `v3`. */
export type Alias = string & { readonly [brand]: 'Alias' };
/** Labels a version or an artifact: 1 to 128 characters, no control character, no blank at either end. */
export type Tag = string & { readonly [brand]: 'Tag' };
/** Says what an artifact is made of (`dataset`, `model`): letters, digits, `_`, `-`, later also `.` and blanks, at most 128. */
export type TypeName = string & { readonly [brand]: 'TypeName' };
/** Tells the drafts of one artifact apart: built like an artifact's name, whatever it ends in. */
export type DraftId = string & { readonly [brand]: 'DraftId' };

const LENGTH_MAX = 128;
const ARTIFACT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** A name, and what points at a version of it. */
const AS_SPEC = /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})(?::.|@.|~\d)/;
// Control characters and lone surrogates by their numbers: to look them up by class takes 0.6 ms of every start.
const ALIAS_FORBIDDEN = /[/:@=,~^\s\u0000-\u001f\u007f-\u009f\ud800-\udfff]/u;
const TAG_FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\ud800-\udfff\u2028\u2029]/u;
// `^[-\w]+([ ]*[-.\w]+)*$` without its nested repetition, which takes exponential time on some names.
const TYPE_NAME = /^[-\w](?:[-.\w ]*[-.\w])?$/;

/** The alias that always means the newest version and is never stored. */
export const LATEST = 'latest';

/** Checks the ID of a draft; raises NAME_INVALID. */
export function parseDraftId(text: string): DraftId {
  if (text.length <= LENGTH_MAX && ARTIFACT_NAME.test(text)) return text as DraftId;
  throw new ArtError('NAME_INVALID', `${JSON.stringify(text)} cannot be the ID of a draft`, {
    hint: 'At most 128 letters, digits, "_", "." and "-", the first no "." or "-".',
  });
}

/** Checks the name of an artifact; raises NAME_INVALID. */
export function parseArtifactName(text: string): ArtifactName {
  const [, name] = AS_SPEC.exec(text) ?? [];
  if (name !== undefined)
    throw refusal('artifact name', text)(
      'it reads as a version of one',
      `What is meant here is an artifact, by its name alone: "${name}".`,
    );
  checkName(text, 'artifact name');
  return text as ArtifactName;
}

/** Checks the name of a remote, which keeps the rules of an artifact's; raises NAME_INVALID. */
export function parseRemoteName(text: string): string {
  checkName(text, 'remote name');
  return text;
}

/** Checks an alias that may be set by hand; raises NAME_INVALID, for `latest` too. */
export function parseAlias(text: string): Alias {
  const refuse = refusal('alias', text);
  checkLength(text, refuse);
  if (text === LATEST) {
    throw refuse(
      'it always means the newest version and is never set by hand',
      'Leave it away: each new version is the latest at once.',
    );
  }
  if (/^v\d+$/i.test(text))
    throw refuse(
      'it looks like a version number',
      'Versions count themselves; an alias is a word like "best".',
    );
  const found = ALIAS_FORBIDDEN.exec(text);
  if (found)
    throw refuse(
      `it holds ${shownCharacter(found[0])}; an alias has none of / : @ = , ~ ^, blanks or control characters`,
      wouldDo(text),
    );
  return text as Alias;
}

/** Checks a tag; raises NAME_INVALID. */
export function parseTag(text: string): Tag {
  const refuse = refusal('tag', text);
  checkLength(text, refuse);
  const found = TAG_FORBIDDEN.exec(text);
  if (found) throw refuse(`it holds ${shownCharacter(found[0])}; a tag has no control characters`);
  if (text.trim() !== text) throw refuse('it begins or ends with a blank');
  return text as Tag;
}

/** Checks the type of an artifact; raises NAME_INVALID. */
export function parseTypeName(text: string): TypeName {
  const refuse = refusal('type', text);
  checkLength(text, refuse);
  if (!TYPE_NAME.test(text)) {
    throw refuse('a type has letters, digits, "_" and "-", and between them "." and blanks');
  }
  return text as TypeName;
}

/** Tells whether two different names are equal but for case: a folder that folds case could not hold both. */
export function sameButForCase(a: string, b: string): boolean {
  return a !== b && foldName(a) === foldName(b);
}

/** The form of an artifact's name that names differing by case share. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

function checkName(text: string, what: string): void {
  const refuse = refusal(what, text);
  checkLength(text, refuse);
  if (!ARTIFACT_NAME.test(text)) {
    const found = /[^A-Za-z0-9_.-]/u.exec(text) ?? /^[.-]/.exec(text);
    const where = found?.index === 0 ? 'begins with' : 'holds';
    throw refuse(
      `it ${where} ${shownCharacter(found?.[0] ?? '')}; a name has letters, digits, "_", "-" and ".", and begins with none of "-" and "."`,
      wouldDo(text),
    );
  }
  if (text.endsWith('.') || text.endsWith('.lock')) throw refuse('it must not end in "." or ".lock"');
}

function checkLength(text: string, refuse: Refuse): void {
  if (text.length === 0) throw refuse('it is empty');
  // Counts characters, not UTF-16 units; the first test keeps huge input cheap.
  if (text.length > 2 * LENGTH_MAX || [...text].length > LENGTH_MAX)
    throw refuse(`it is longer than ${LENGTH_MAX} characters`);
}

type Refuse = (why: string, hint?: string) => ArtError;

function refusal(what: string, text: string): Refuse {
  const shown = text.length > 2 * LENGTH_MAX ? `${text.slice(0, 40)}…` : text;
  return (why, hint) => {
    const message = `${what} ${JSON.stringify(shown)} is not allowed: ${why}`;
    return new ArtError('NAME_INVALID', message, hint === undefined ? {} : { hint });
  };
}

/** The nearest name that no rule refuses; undefined if little of it would be left. */
function wouldDo(text: string): string | undefined {
  const clean = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return clean === '' ? undefined : `"${clean}" would do.`;
}

function shownCharacter(character: string): string {
  return character === ' ' ? 'a blank' : JSON.stringify(character);
}
