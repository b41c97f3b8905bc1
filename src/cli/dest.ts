/** Reads `[DEST=]PATH`: what to add to a version, and where it goes. */
import { ArtError } from '#base';

export interface DestPath {
  readonly dest?: string;
  readonly path: string;
}

/** A word that begins like a path is all PATH, else DEST ends before the first `=`. Raises USAGE. */
export function parseDestPath(word: string): DestPath {
  const cut = /^(?:\/|\.\/|\.\.\/)/.test(word) ? -1 : word.indexOf('=');
  const [dest, path] = cut < 0 ? [undefined, word] : [word.slice(0, cut), word.slice(cut + 1)];
  const shown = JSON.stringify(word);
  if (path === '') throw new ArtError('USAGE', `${shown} names no PATH to add`);
  if (dest === '')
    throw new ArtError('USAGE', `${shown} names no DEST`, {
      hint: `Write \`.=${path}\` for the root, or \`./${word}\` if the name begins with "=".`,
    });
  return dest === undefined ? { path } : { dest, path };
}
