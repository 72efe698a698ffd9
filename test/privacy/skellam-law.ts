/** The law of Skellam noise, computed independently of the samplers that are tested against it. */

/** P[Skellam(v) = k] by the power series of the Bessel function: independent of the recurrence the sampler uses. */
export function skellamProbability(variance: number): (value: number) => number {
  const half = Math.log(variance / 2);
  const logFactorial = [0];
  const known = new Map<number, number>();
  return (value) => {
    const k = Math.abs(value);
    const found = known.get(k);
    if (found !== undefined) return found;
    const terms = Math.ceil(variance + 12 * Math.sqrt(variance) + 30);
    for (let i = logFactorial.length; i <= terms + k + 1; i += 1) logFactorial.push(logFactorial[i - 1] + Math.log(i));
    let sum = 0;
    for (let j = 0; j <= terms; j += 1) sum += Math.exp((2 * j + k) * half - logFactorial[j] - logFactorial[j + k] - variance);
    known.set(k, sum);
    return sum;
  };
}
