/** Other spellings of what `aggregate` may be, as papers and other tools have them. */
export const aggregateAliases = {
  trimmedMean: 'trimmed-mean',
  multiKrum: 'multi-krum',
  geometricMedian: 'geometric-median',
  adagrad: 'fedadagrad',
  adam: 'fedadam',
  yogi: 'fedyogi',
  prox: 'fedprox',
} as const;
