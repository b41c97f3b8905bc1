/** Takes the quotes of a shell off a word that is being typed, and puts them on one that is offered. */

/** What bash makes of a word, an unfinished one too. Nothing is expanded: `$x` stays `$x`. */
export function outOfShellWord(raw: string): string {
  let word = '';
  let quote = '';
  for (let i = 0; i < raw.length; i++) {
    const char = raw[i];
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else if (char !== '\\' || quote === "'") word += char;
    else if (quote === '' || '$`"\\'.includes(raw[i + 1] ?? '')) word += raw[++i] ?? '';
    else word += char;
  }
  return word;
}

/**
 * `word` as bash needs it where `typed` stands: a quote that was begun is kept on, and the shell runs nothing that a
 * name from elsewhere may hold. Undefined if it cannot be written inside that quote.
 */
export function inShellWord(word: string, typed: string): string | undefined {
  const [quote] = typed;
  if (quote === "'") return word.includes("'") ? undefined : word;
  if (quote === '"') return word.includes('!') ? undefined : word.replace(/[$`"\\]/g, '\\$&');
  return word.replace(/[^\p{L}\p{N}_@%+=:,./~#-]|^[~#]/gu, '\\$&');
}
