/** Which word somebody may have meant who mistyped one. */

/** So many letters may be wrong, missing, too many or in each other's place. */
const MISTAKES_MAX = 2;

/** The candidate that is most like `word`; null if none is alike enough to be suggested. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  // Of a short word, two wrong letters would leave nothing.
  const most = Math.min(MISTAKES_MAX, Math.floor(word.length / 3));
  let best: string | null = null;
  let least = most + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const count = mistakes(word, candidate);
    if (count >= least) continue;
    best = candidate;
    least = count;
  }
  return best;
}

/** The Damerau-Levenshtein distance (optimal string alignment). */
function mistakes(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = 0; i <= a.length; i++) rows[i][0] = i;
  for (let j = 0; j <= b.length; j++) rows[0][j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (isSame ? 0 : 1),
      );
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}
