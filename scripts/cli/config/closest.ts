/** Which known name was meant: what messages about unknown settings and fields suggest. */

/** The known name that a mistyped one is most like. */
export function closest(name: string, known: readonly string[]): string {
  const [best] = known.map((candidate) => ({ candidate, edits: editsBetween(name.toLowerCase(), candidate.toLowerCase()) })).sort((a, b) => a.edits - b.edits);
  return best.candidate;
}

/** Insertions, deletions and replacements that make one text of the other (Levenshtein 1966). */
export function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[to.length];
}
