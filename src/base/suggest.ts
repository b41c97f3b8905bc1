/** Guesses which known word a mistyped one was meant to be. */

/** Words longer than this are never compared: the work grows with the product of the lengths. */
const LENGTH_MAX = 128;

/**
 * The fewest insertions, deletions, replacements and swaps of neighbours, none of them touched twice, that turn `a` into
 * `b`, in UTF-16 units: the optimal string alignment distance (after F. J. Damerau, 1964, and V. I. Levenshtein, 1966).
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = row[j] + (a[i] === b[j] ? 0 : 1);
      let least = Math.min(replaced, row[j + 1] + 1, next[j] + 1);
      if (i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j])
        least = Math.min(least, before[j - 1] + 1);
      next.push(least);
    }
    before = row;
    row = next;
  }
  return row[b.length];
}

/** The nearest of `known` to `word`, case aside, if at most a third of the word (at least one unit) is wrong. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > LENGTH_MAX) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}
