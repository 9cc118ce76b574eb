// Which name was meant: for messages about one that is not there.

/** Characters of a name that are compared, so that one comparison is at most 16 thousand steps. */
const longestName = 128;

/** Names that `didYouMean` compares: a file may have thousands of wrong ones. */
const mostNames = 300;

/** The candidate with the fewest edits to `wanted` (Levenshtein), the first among equals; `undefined` without any. */
export function nearest(wanted: string, candidates: Iterable<string>): string | undefined {
  const name = wanted.slice(0, longestName);
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const distance = edits(name, candidate);
    if (distance < fewest) [best, fewest] = [candidate, distance];
  }
  return best;
}

/** `; did you mean "weather"?`, where one of the names is as near as a slip of the finger. */
export function didYouMean(name: string, names: Iterable<string>): string {
  if (name.length > longestName) return '';
  const candidates = [...names].filter((other) => other.length <= longestName).slice(0, mostNames);
  const meant = nearest(name, candidates);
  if (meant === undefined || meant === name || edits(name, meant) > Math.max(1, meant.length / 3)) return '';
  return `; did you mean "${meant}"?`;
}

/** Levenshtein's distance. */
function edits(a: string, b: string): number {
  // row[j]: how many edits turn what was read of `a` so far into the first j characters of `b`.
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
