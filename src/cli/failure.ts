/** Turns what was raised into words and an exit status. */
import { ArtError, ERRORS, errnoOf, isArtError } from '#base';
import { printable } from './text.ts';

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly exit: number;
}

/** `stopped` says what is true after an interruption; `command` is whose help may tell more. */
export function failureOf(error: unknown, stopped: string, command?: string): Failure {
  if (isArtError(error, 'INTERRUPTED'))
    return { code: error.code, message: stopped, hint: error.hint ?? null, exit: error.exit };
  if (error instanceof ArtError) {
    const { code, message, hint = null, exit } = error;
    const isGeneral = code === 'USAGE' && hint === ERRORS.USAGE.hint && command !== undefined;
    return { code, message, hint: isGeneral ? `See \`art ${command} --help\`.` : hint, exit };
  }
  const message = error instanceof Error ? error.message || error.name : String(error);
  // Node's own codes say that it was used wrongly: a bug as well.
  const isBug = errnoOf(error)?.startsWith('ERR_') ?? true;
  const hint = `${isBug ? 'This is a fault in art.' : 'The system refused it.'} ART_DEBUG=1 shows where it happened.`;
  return { code: 'FAILED', message, hint, exit: 1 };
}

/** Whether whoever read our output went away: no failure, and nobody to tell. */
export function isReaderGone(error: unknown): boolean {
  return errnoOf(error) === 'EPIPE';
}

/** The lines for people, with the stack if it is asked for. */
export function failureText(
  failure: Failure,
  error: unknown,
  out: { styleError(style: 'red' | 'cyan', text: string): string },
  options: { readonly debug: boolean },
): string {
  const { code, message, hint } = failure;
  const lines =
    code === 'INTERRUPTED'
      ? [message]
      : [`${out.styleError('red', 'error:')} ${printable(message)} [${code}]`];
  if (hint !== null) lines.push(`${out.styleError('cyan', 'hint:')} ${printable(hint)}`);
  if (options.debug) lines.push(stackOf(error));
  return `${lines.join('\n')}\n`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
