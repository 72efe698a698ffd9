/**
 * Whoever knows one purchase of a shopper looks for the others: a shopper's entries are of one size, so the rows of a
 * sum that show the same size as the known one belong together. Deanonymisation by a few known interactions is
 * Narayanan and Shmatikov 2008; a row that one participant alone touched shows that participant's entry as it is.
 */

/** A log-likelihood ratio beyond this is as good as certain; rows that others touched, too, are not ruled out. */
const mostDoubt = 30;

/**
 * How much each row speaks against being the known participant's, at most 0.
 * @param rows Entries of the items' own block, in grid steps.
 * @param known The item that the attacker knows.
 * @param noiseSteps Standard deviation of the noise in an entry.
 */
export function linkageScores(rows: Int32Array, known: number, noiseSteps: number): Float64Array {
  // Of a difference of two noisy entries; one step of rounding is always in doubt.
  const variance = 1 + 2 * noiseSteps ** 2;
  return Float64Array.from(rows, (entry) => -Math.min(mostDoubt, (entry - rows[known]) ** 2 / (2 * variance)));
}
