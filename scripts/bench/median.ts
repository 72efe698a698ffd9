/** Median wall-clock milliseconds of `repeats` runs, after one run that warms up. */
export function median(repeats: number, run: () => unknown): number {
  return quantiles(repeats, [0.5], run)[0];
}

/** Of this process: what others on the machine do does not count. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** As `median`, for any shares of the runs that are as fast or faster. */
export function quantiles(repeats: number, shares: readonly number[], run: () => unknown, clockMs = (): number => performance.now()): number[] {
  run();
  const times = Array.from({ length: repeats }, () => {
    const start = clockMs();
    run();
    return clockMs() - start;
  }).sort((a, b) => a - b);
  return shares.map((share) => times[Math.floor(times.length * share)]);
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
